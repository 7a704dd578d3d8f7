//! The stages of multitask prompt tuning, as small plans of the executor's steps:
//! [`train_source`] tunes one prompt on several tasks, over several seeds if asked;
//! [`train_jointly`] tunes one for a group and compares each member with its own single-task
//! prompt; [`train_adapted`] tunes on one task from a prompt, and once more from scratch.
//!
//! They say what is trained, in which folders, and what is evaluated on what; how is that of every
//! job of a study. A study keeps its runs in folders of its own, these in folders that the caller
//! names. All go on where they were interrupted, and do nothing that is done.

mod adapt;
mod joint;
mod judge;
mod source;

pub use adapt::{Adapted, AdaptedValues, train_adapted};
pub use joint::{Joint, JointMember, Singles, train_jointly};
pub use source::{SourcePrompt, train_source};
