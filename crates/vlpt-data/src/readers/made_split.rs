//! A seeded split of a list of images that has none.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use vlpt_base::hash::hex;

use crate::error::{LayoutError, Result};
use crate::provenance::MadeSplit;
use crate::rng::CPython;
use crate::sample::Sample;
use crate::split_name::SplitName;

/// Three parts, and how they came about.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) parts: [Vec<Sample>; 3],
    pub(super) record: MadeSplit,
}

/// Splits `samples` class by class.
///
/// The images of a class form a group; an image of several classes belongs to the rarest of them,
/// images of none to a group that comes first. Groups go in the order of their labels, and one
/// generator of this seed shuffles each group after sorting it by id. From the end of a shuffled
/// group come `round(n * test)` test images, at least one when the group has two images or more
/// and the ratio is not zero; before them `round(n * val)` val images; the rest, at least one, is
/// for training. Each part then takes up the order of the source again. Halves round up.
///
/// # Errors
/// The ratios are negative, do not add up to 1, or leave nothing to train on.
pub(super) fn make_split(samples: Vec<Sample>, seed: u64, ratios: [f64; 3]) -> Result<Made> {
    let sum: f64 = ratios.iter().sum();
    let fine = ratios.iter().all(|r| (0.0..=1.0).contains(r));
    if !fine || (sum - 1.0).abs() > 1e-6 || ratios[0] <= 0.0 {
        return Err(LayoutError::BadRatios { ratios }.into());
    }
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for label in samples.iter().flat_map(|sample| &sample.labels) {
        *counts.entry(*label).or_default() += 1;
    }
    let rarest = |sample: &Sample| {
        sample
            .labels
            .iter()
            .copied()
            .min_by_key(|label| (counts[label], *label))
    };
    let mut groups: BTreeMap<Option<u32>, Vec<(String, usize)>> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        groups
            .entry(rarest(sample))
            .or_default()
            .push((sample.image.id(), index));
    }
    let mut rng = CPython::new(seed);
    let mut part_of = vec![SplitName::Train; samples.len()];
    for group in groups.values_mut() {
        group.sort();
        rng.shuffle(group);
        let n = group.len();
        let share = |ratio: f64| (n as f64 * ratio + 0.5).floor() as usize;
        let wanted = if ratios[2] > 0.0 {
            share(ratios[2]).max(1)
        } else {
            0
        };
        let test = wanted.min(n - 1);
        let val = share(ratios[1]).min(n - 1 - test);
        for (_, index) in &group[n - test..] {
            part_of[*index] = SplitName::Test;
        }
        for (_, index) in &group[n - test - val..n - test] {
            part_of[*index] = SplitName::Val;
        }
    }
    let mut parts: [Vec<Sample>; 3] = Default::default();
    for (sample, part) in samples.into_iter().zip(part_of) {
        parts[part as usize].push(sample);
    }
    let sha256 = hash(&parts);
    Ok(Made {
        parts,
        record: MadeSplit {
            seed,
            ratios,
            sha256,
        },
    })
}

fn hash(parts: &[Vec<Sample>; 3]) -> String {
    hash_of(
        SplitName::ALL
            .into_iter()
            .zip(parts.iter().map(Vec::as_slice)),
    )
}

/// SHA-256 (hex) over the lines `split<TAB>label<TAB>id` of all images in order.
pub(super) fn hash_of<'a>(parts: impl Iterator<Item = (SplitName, &'a [Sample])>) -> String {
    let mut sha = Sha256::new();
    for (part, samples) in parts {
        for sample in samples {
            let labels: Vec<String> = sample.labels.iter().map(u32::to_string).collect();
            let line = format!(
                "{}\t{}\t{}\n",
                part.name(),
                labels.join(","),
                sample.image.id()
            );
            sha.update(line.as_bytes());
        }
    }
    hex(&sha.finalize())
}
