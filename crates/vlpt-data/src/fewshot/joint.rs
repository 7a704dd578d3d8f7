//! Subsets of several tasks from one draw, as published multitask runs take them.

use super::choose::{Chosen, check, choose_coop};
use super::elevater::{elevater_indices, train_val_split};
use super::rule::FewShotRule;
use super::shots::Shots;
use super::subset::Subset;
use crate::error::Result;
use crate::rng::CPython;
use crate::task::Task;

/// Share of training images in vision-datasets' split, as the published code computes it.
const TRAIN_RATIO: f64 = 1.0 - 0.2;

/// The CoOp rule over several tasks in the order given: one stream goes on from task to task, so
/// that all but the first subset differ from those drawn alone.
///
/// # Errors
/// As [`few_shot`](super::few_shot), for the first task that has one.
pub fn few_shot_stream(tasks: &[&Task], shots: Shots, rng_seed: u64) -> Result<Vec<Subset>> {
    let mut rng = CPython::new(rng_seed);
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    tasks
        .iter()
        .map(|task| {
            let chosen = choose_coop(task, shots, &mut rng)?;
            Ok(Subset::new(
                task,
                FewShotRule::Coop,
                shots,
                rng_seed,
                &chosen,
                names.clone(),
            ))
        })
        .collect()
}

/// The ELEVATER rule over several tasks learned together: their images, tasks sorted by name, form
/// one list that is shuffled once, and what is sampled is parted by vision-datasets' own 80 to 20
/// split; so a subset differs from the one drawn alone with the same seed. The subsets come in the
/// order of `tasks`, each in the order of the joint list.
///
/// # Errors
/// As [`few_shot`](super::few_shot), for the first task that has one.
pub fn few_shot_joint(tasks: &[&Task], shots: Shots, seed: u64) -> Result<Vec<Subset>> {
    Ok(few_shot_joint_order(tasks, shots, seed)?.0)
}

/// Images of several tasks in one order: each as its task and its place in the task's subset.
pub type JointOrder = Vec<(usize, usize)>;

/// As [`few_shot_joint`], and the training images in the order of the joint list. A loader that does not shuffle goes through them so.
///
/// # Errors
/// As [`few_shot_joint`].
pub fn few_shot_joint_order(
    tasks: &[&Task],
    shots: Shots,
    seed: u64,
) -> Result<(Vec<Subset>, JointOrder)> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by(|&a, &b| tasks[a].name.cmp(&tasks[b].name));
    // every image as (task, index), its labels moved behind those of the tasks before
    let mut images = Vec::new();
    let mut labels: Vec<Vec<u32>> = Vec::new();
    let mut classes = 0;
    for &at in &order {
        let task = tasks[at];
        check(task, shots)?;
        for (index, sample) in task.train.samples.iter().enumerate() {
            images.push((at, index));
            labels.push(
                sample
                    .labels
                    .iter()
                    .map(|label| label + classes as u32)
                    .collect(),
            );
        }
        classes += task.classes.len();
    }
    let sampled = match shots {
        Shots::All => (0..images.len()).collect(),
        Shots::Count(shots) => elevater_indices(&labels, classes, shots, seed),
    };
    let own: Vec<&[u32]> = sampled.iter().map(|&place| &labels[place][..]).collect();
    let parts = train_val_split(&own, classes, TRAIN_RATIO, seed);
    let names: Vec<String> = order.iter().map(|&at| tasks[at].name.clone()).collect();
    let mut chosen: Vec<Chosen> = tasks
        .iter()
        .map(|_| Chosen {
            train: Vec::new(),
            val: Vec::new(),
        })
        .collect();
    let mut in_order = Vec::with_capacity(parts.train.len());
    for place in parts.train {
        let (at, index) = images[sampled[place]];
        in_order.push((at, chosen[at].train.len()));
        chosen[at].train.push(index);
    }
    for place in parts.val {
        let (at, index) = images[sampled[place]];
        chosen[at].val.push(index);
    }
    let rule = FewShotRule::Elevater;
    let subsets = tasks
        .iter()
        .zip(&chosen)
        .map(|(task, chosen)| Subset::new(task, rule, shots, seed, chosen, names.clone()));
    Ok((subsets.collect(), in_order))
}
