//! Few shots: the subset of a task that is learned from, drawn by a published rule.
//!
//! Two rules exist in the field, and each is followed to the last draw, with CPython's own generator
//! ([`crate::rng`]), so that a subset is the one that published code would have used:
//! [`FewShotRule::Coop`] ([`coop`]) and [`FewShotRule::Elevater`] ([`elevater`]).
//!
//! A [`Subset`] names its images, and is stored as JSON with a hash of its content. A list that others
//! published ([`FewShotList`]) becomes one too.

mod choose;
pub mod coop;
pub mod elevater;
mod joint;
mod list;
mod rule;
mod shots;
mod subset;

pub use joint::{JointOrder, few_shot_joint, few_shot_joint_order, few_shot_stream};
pub use list::{FewShotList, Listed, ListedImage, write_list};
pub use rule::FewShotRule;
pub use shots::Shots;
pub use subset::{ListOrigin, Subset};

pub use crate::error::{FewShotError, ListError};

use crate::error::Result;
use crate::rng::CPython;
use crate::task::Task;
use choose::{choose_coop, choose_elevater};

/// Draws the subset of `shots` images a class. Every seed counts, 0 too.
///
/// # Errors
/// 0 shots, a task without training images, a label beyond the classes, and under the CoOp rule an
/// image that has not exactly one label.
pub fn few_shot(task: &Task, rule: FewShotRule, shots: usize, seed: u64) -> Result<Subset> {
    few_shot_of(task, rule, Shots::Count(shots), seed)
}

/// [`few_shot`] for any number of shots, [`Shots::All`] included.
///
/// With all shots the CoOp rule gives the train and val splits as they are, and the ELEVATER rule
/// the train split parted 80 to 20.
///
/// # Errors
/// As [`few_shot`].
pub fn few_shot_of(task: &Task, rule: FewShotRule, shots: Shots, seed: u64) -> Result<Subset> {
    let chosen = match rule {
        FewShotRule::Coop => choose_coop(task, shots, &mut CPython::new(seed))?,
        FewShotRule::Elevater => choose_elevater(task, shots, seed)?,
        FewShotRule::List => return Err(FewShotError::ListWithoutFile.into()),
    };
    Ok(Subset::new(task, rule, shots, seed, &chosen, Vec::new()))
}
