//! The images that a rule takes of one task, by their places in its splits.

use super::shots::Shots;
use super::{coop, elevater};
use crate::error::{FewShotError, Result};
use crate::rng::CPython;
use crate::task::Task;

/// Indices into the splits of a task.
pub(super) struct Chosen {
    /// Into the train split.
    pub(super) train: Vec<usize>,
    /// Into the train split (ELEVATER) or the val split (CoOp).
    pub(super) val: Vec<usize>,
}

/// Checks what every rule needs: shots, images, labels below the number of classes.
pub(super) fn check(task: &Task, shots: Shots) -> std::result::Result<(), FewShotError> {
    let name = || task.name.clone();
    if shots == Shots::Count(0) {
        return Err(FewShotError::NoShots { task: name() });
    }
    if task.train.is_empty() {
        return Err(FewShotError::NoTrainingImages { task: name() });
    }
    let classes = task.classes.len();
    for sample in task
        .train
        .samples
        .iter()
        .chain(task.val.iter().flat_map(|val| &val.samples))
    {
        if let Some(&label) = sample
            .labels
            .iter()
            .find(|&&label| label as usize >= classes)
        {
            let id = sample.image.id();
            return Err(FewShotError::LabelOutOfRange {
                task: name(),
                id,
                label,
                classes,
            });
        }
    }
    Ok(())
}

/// The CoOp rule, on a stream that goes on.
pub(super) fn choose_coop(task: &Task, shots: Shots, rng: &mut CPython) -> Result<Chosen> {
    check(task, shots)?;
    let val_len = task.val.as_ref().map_or(0, |val| val.samples.len());
    let Shots::Count(shots) = shots else {
        let train = (0..task.train.samples.len()).collect();
        return Ok(Chosen {
            train,
            val: (0..val_len).collect(),
        });
    };
    let labels = coop::single_labels(&task.name, &task.train)?;
    let val_labels = match &task.val {
        Some(val) => coop::single_labels(&task.name, val)?,
        None => Vec::new(),
    };
    Ok(Chosen {
        train: coop::coop_indices(&labels, shots, rng),
        val: coop::coop_indices(&val_labels, shots.min(coop::VAL_SHOTS), rng),
    })
}

/// The ELEVATER rule on one task.
pub(super) fn choose_elevater(task: &Task, shots: Shots, seed: u64) -> Result<Chosen> {
    check(task, shots)?;
    let labels: Vec<&[u32]> = task
        .train
        .samples
        .iter()
        .map(|sample| &sample.labels[..])
        .collect();
    let classes = task.classes.len();
    if !task.multi_label {
        coop::single_labels(&task.name, &task.train)?;
    }
    let sampled = match shots {
        Shots::All => (0..labels.len()).collect(),
        Shots::Count(shots) => elevater::elevater_indices(&labels, classes, shots, seed),
    };
    if shots == Shots::Count(1) {
        // One image a class cannot be parted; the published code validates on the training images.
        return Ok(Chosen {
            train: sampled.clone(),
            val: sampled,
        });
    }
    let parts = if task.multi_label {
        let own: Vec<&[u32]> = sampled.iter().map(|&index| labels[index]).collect();
        elevater::split_multi(&own, classes)
    } else {
        let own: Vec<u32> = sampled.iter().map(|&index| labels[index][0]).collect();
        elevater::split_single(&own)
    };
    let index = |places: Vec<usize>| places.into_iter().map(|place| sampled[place]).collect();
    Ok(Chosen {
        train: index(parts.train),
        val: index(parts.val),
    })
}
