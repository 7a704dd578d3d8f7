//! The images that a rule takes of one task, by their places in its splits.

use std::ops::Range;

use super::shots::Shots;
use super::{coop, elevater};
use crate::error::{FewShotError, Result};
use crate::provenance::WholeLabels;
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
    let whole = task.provenance.whole.as_ref();
    let all = |of: fn(&WholeLabels) -> &[u32]| whole.map(|whole| (of(whole), &whole.kept));
    Ok(Chosen {
        train: draw(&labels, all(|whole| &whole.train), shots, rng),
        val: draw(
            &val_labels,
            all(|whole| &whole.val),
            shots.min(coop::VAL_SHOTS),
            rng,
        ),
    })
}

/// Draws from a split. Of a half of the classes, `whole` has the labels of the whole split and those
/// that were kept: the draw goes through all of them, and what it takes of the other half is
/// thrown away. Where images are gone since the halving, it is over the split as it is.
fn draw(
    labels: &[u32],
    whole: Option<(&[u32], &Range<u32>)>,
    shots: usize,
    rng: &mut CPython,
) -> Vec<usize> {
    let Some((all, kept)) = whole else {
        return coop::coop_indices(labels, shots, rng);
    };
    let mut place = 0;
    let places: Vec<Option<usize>> = all
        .iter()
        .map(|label| {
            let own = kept.contains(label).then_some(place);
            place += usize::from(own.is_some());
            own
        })
        .collect();
    if place != labels.len() {
        return coop::coop_indices(labels, shots, rng);
    }
    let taken = coop::coop_indices(all, shots, rng);
    taken
        .into_iter()
        .filter_map(|index| places[index])
        .collect()
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

#[cfg(test)]
mod tests {
    use crate::{ClassSubset, FewShotRule, few_shot};

    #[test]
    fn a_half_gets_the_images_that_the_whole_set_would_have_drawn_for_it() {
        let mut whole = crate::synthetic::task("shapes", 0).unwrap();
        // classes that do not come in the order of their labels
        whole.train.samples.reverse();
        let base = whole.classes.len().div_ceil(2) as u32;
        let all = few_shot(&whole, FewShotRule::Coop, 3, 1).unwrap();
        for (subset, own) in [
            (ClassSubset::Base, 0..base),
            (ClassSubset::New, base..whole.classes.len() as u32),
        ] {
            let half = whole.clone().with_class_subset(subset).unwrap();
            let drawn = few_shot(&half, FewShotRule::Coop, 3, 1).unwrap();
            let of = |split: &crate::Split, ids: &[String]| -> Vec<String> {
                let label = |id: &String| {
                    let mut samples = split.samples.iter();
                    samples.find(|item| item.image.id() == *id).unwrap().labels[0]
                };
                let kept = ids.iter().filter(|id| own.contains(&label(id)));
                kept.cloned().collect()
            };
            assert_eq!(drawn.train, of(&whole.train, &all.train), "{subset}");
            let val = whole.val.as_ref().unwrap();
            assert_eq!(drawn.val, of(val, &all.val), "{subset}");
            assert!(!drawn.val.is_empty());
        }
    }
}
