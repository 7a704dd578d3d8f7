//! The same image more than once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::finding::{Finding, Level, plural};
use super::scan::{Hash, Scan};
use crate::task::Split;

/// In what two images are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sameness {
    /// The files are equal byte for byte.
    Bytes,
    /// The files differ, but decode to the same pixels.
    Pixels,
}

/// An image of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its split.
    pub split: &'static str,
    /// Its id.
    pub id: String,
    /// Its labels.
    pub labels: Vec<u32>,
}

/// A group of equal images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// In what they are the same.
    pub same: Sameness,
    /// The images, in the order of the task; two or more.
    pub images: Vec<Place>,
}

impl Duplicate {
    /// The first image, and the first with other labels; `None` where all labels are the same.
    pub fn contradiction(&self) -> Option<(&Place, &Place)> {
        let first = self.images.first()?;
        Some((
            first,
            self.images
                .iter()
                .find(|place| place.labels != first.labels)?,
        ))
    }
}

/// Images that two splits share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// The earlier split.
    pub first: &'static str,
    /// The later split.
    pub second: &'static str,
    /// How many images of the later split are in the earlier one too.
    pub images: usize,
}

/// Groups of equal images, and the images that splits share.
pub(super) fn find(
    splits: &[(&'static str, &Split)],
    scans: &[Vec<Scan>],
) -> (Vec<Duplicate>, Vec<Overlap>) {
    // every image as (split, index), by hash of the file and of the pixels
    let mut by_bytes: BTreeMap<Hash, Vec<(usize, usize)>> = BTreeMap::new();
    let mut by_pixels: BTreeMap<Hash, Vec<(usize, usize)>> = BTreeMap::new();
    for (split, scans) in scans.iter().enumerate() {
        for (index, scan) in scans.iter().enumerate() {
            if let Some(hash) = scan.bytes {
                by_bytes.entry(hash).or_default().push((split, index));
            }
            if let Some(hash) = scan.pixels {
                by_pixels.entry(hash).or_default().push((split, index));
            }
        }
    }
    by_bytes.retain(|_, group| group.len() > 1);
    by_pixels.retain(|_, group| {
        let file = |&(split, index): &(usize, usize)| scans[split][index].bytes;
        group.iter().map(file).collect::<BTreeSet<_>>().len() > 1
    });
    let mut groups: Vec<(&Vec<(usize, usize)>, Sameness)> = by_bytes
        .values()
        .map(|group| (group, Sameness::Bytes))
        .chain(by_pixels.values().map(|group| (group, Sameness::Pixels)))
        .collect();
    groups.sort_by_key(|(group, same)| (group[0], *same == Sameness::Pixels));
    let overlaps = overlaps(splits, &groups);
    let place = |&(split, index): &(usize, usize)| {
        let sample = &splits[split].1.samples[index];
        Place {
            split: splits[split].0,
            id: sample.image.id(),
            labels: sample.labels.clone(),
        }
    };
    let duplicates = groups
        .into_iter()
        .map(|(group, same)| Duplicate {
            same,
            images: group.iter().map(place).collect(),
        })
        .collect();
    (duplicates, overlaps)
}

fn overlaps(
    splits: &[(&'static str, &Split)],
    groups: &[(&Vec<(usize, usize)>, Sameness)],
) -> Vec<Overlap> {
    let mut overlaps = Vec::new();
    for second in 1..splits.len() {
        for first in 0..second {
            let shared: BTreeSet<usize> = groups
                .iter()
                .filter(|(group, _)| group.iter().any(|&(split, _)| split == first))
                .flat_map(|(group, _)| group.iter().filter(|&&(split, _)| split == second))
                .map(|&(_, index)| index)
                .collect();
            if !shared.is_empty() {
                overlaps.push(Overlap {
                    first: splits[first].0,
                    second: splits[second].0,
                    images: shared.len(),
                });
            }
        }
    }
    overlaps
}

pub(super) fn findings(
    splits: &[(&'static str, &Split)],
    duplicates: &[Duplicate],
    overlaps: &[Overlap],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for overlap in overlaps {
        let size = splits
            .iter()
            .find(|(name, _)| *name == overlap.second)
            .map_or(0, |(_, split)| split.samples.len());
        let text = format!(
            "{} of {} {} images are in {} too ({:.2} %)",
            overlap.images,
            size,
            overlap.second,
            overlap.first,
            100.0 * overlap.images as f64 / size.max(1) as f64
        );
        findings.push(Finding::new(Level::Warning, text).hint(
            "figures on images that were seen in training are too good: take them out of one side",
        ));
    }
    let within = duplicates
        .iter()
        .filter(|group| {
            group
                .images
                .windows(2)
                .any(|pair| pair[0].split == pair[1].split)
        })
        .count();
    if within > 0 {
        let text = format!("{} more than once within a split", occurs(within));
        findings.push(Finding::new(Level::Note, text));
    }
    let mut contradictions = duplicates.iter().filter_map(Duplicate::contradiction);
    if let Some((one, other)) = contradictions.next() {
        let text = format!(
            "{} with different labels, the first as {} ({:?}) and {} ({:?})",
            occurs(1 + contradictions.count()),
            one.id,
            one.labels,
            other.id,
            other.labels
        );
        findings.push(
            Finding::new(Level::Warning, text)
                .hint("one of the labels is wrong, or the image shows both classes"),
        );
    }
    findings
}

/// `1 image occurs`, `2 images occur`.
fn occurs(count: usize) -> String {
    format!(
        "{} {}",
        plural(count, "image"),
        if count == 1 { "occurs" } else { "occur" }
    )
}
