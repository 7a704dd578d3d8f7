//! The rule of CoOp and everything built on Dassl: K random images of every class.
//!
//! Images are grouped by label, labels in the order in which they first appear, and of each group
//! `random.sample(group, K)` is taken; a group with fewer than K images is taken whole, and then
//! nothing is drawn. The train split goes first, then the val split with `min(K, 4)`, both from one
//! stream that starts at the run's seed. Where several data sets are drawn in one program, the
//! stream goes on from one to the next.

use crate::error::FewShotError;
use crate::rng::CPython;
use crate::task::Split;

/// Most validation images a class, whatever the number of shots.
pub const VAL_SHOTS: usize = 4;

/// The indices that the rule takes from a list of labels, in the order in which Dassl lists them.
pub fn coop_indices(labels: &[u32], shots: usize, rng: &mut CPython) -> Vec<usize> {
    let mut place: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, &label) in labels.iter().enumerate() {
        let group = *place.entry(label).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(index);
    }
    groups
        .into_iter()
        .flat_map(|group| {
            if group.len() >= shots {
                rng.sample(&group, shots)
            } else {
                group
            }
        })
        .collect()
}

/// The single label of every image of a split.
pub(super) fn single_labels(task: &str, split: &Split) -> Result<Vec<u32>, FewShotError> {
    split
        .samples
        .iter()
        .map(|sample| match sample.labels[..] {
            [label] => Ok(label),
            _ => Err(FewShotError::NotSingleLabel {
                task: task.to_owned(),
                id: sample.image.id(),
                labels: sample.labels.len(),
            }),
        })
        .collect()
}
