//! A task opened once: its images, which of them are looked at, and what it is known by.

use vlpt_adapter::{EvalImages, hash_images};
use vlpt_base::hash::sha256;
use vlpt_clip::Observer;
use vlpt_data::{CPython, ImageRef, Sample, Split};
use vlpt_train::open_task;

use super::settings::TaskSettings;
use crate::Result;

/// Seed of the draw of test images: the same for every job of every study.
const DRAW: u64 = 0;
/// Synthetic images of a split that are hashed.
const HASHED: usize = 8;
/// Images of a split above which not all are read, and about how many are then.
const MANY: usize = 100_000;
const SOME: usize = 4096;

/// An open task.
#[derive(Debug)]
pub(super) struct Opened {
    /// The whole task.
    pub(super) task: vlpt_data::Task,
    /// The test images that are looked at.
    pub(super) images: EvalImages,
    /// Where it lies, and what it is known by.
    pub(super) settings: TaskSettings,
}

impl Opened {
    /// Opens a task and reads its images once, for their hashes.
    ///
    /// # Errors
    /// A task that cannot be read, or one without test images.
    pub(super) fn open(
        data: &vlpt_train::DataConfig,
        test_images: Option<usize>,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let task = open_task(data)?;
        let whole = vlpt_adapter::SplitName::Test.of(&task)?;
        let test = some_of(whole, test_images);
        let mut text = format!(
            "vlpt task 1\n{:?}\n{:?}\n{} {}\n",
            task.classes,
            task.templates,
            task.metric.name(),
            task.multi_label
        );
        let val = task
            .val
            .as_ref()
            .map_or(&[][..], |split| &split.samples[..]);
        for (name, items) in [
            ("train", &task.train.samples[..]),
            ("val", val),
            ("test", &test.samples),
        ] {
            lines(&mut text, name, items, observer)?;
        }
        Ok(Self {
            settings: TaskSettings {
                data: data.clone(),
                fingerprint: sha256(text.as_bytes()),
            },
            task,
            images: EvalImages::new(test.samples),
        })
    }
}

/// A line for each image, with the hash of its bytes. Images that the program draws follow from
/// their names, so that a few of them stand for all; of a split of very many, some are read and the others
/// are known by their names, for to read ImageNet whole takes hours. What a run trains on is hashed by the
/// run.
fn lines(text: &mut String, split: &str, items: &[Sample], observer: &dyn Observer) -> Result<()> {
    let synthetic = items
        .iter()
        .all(|item| matches!(item.image, ImageRef::Synthetic(_)));
    let many = items.len() > MANY;
    let step = if many { items.len() / SOME } else { 1 };
    let read: Vec<Sample> = if synthetic {
        items.iter().take(HASHED).cloned().collect()
    } else {
        items.iter().step_by(step).cloned().collect()
    };
    let mut hashes = hash_images(&read, observer)?.into_iter();
    for (at, item) in items.iter().enumerate() {
        let hash = if synthetic {
            // the older word, because the fingerprints in plans hold it
            hashes.next().unwrap_or_else(|| "drawn".to_owned())
        } else if at % step == 0 {
            hashes.next().unwrap_or_default()
        } else {
            "listed".to_owned()
        };
        text.push_str(&format!(
            "{split} {:?} {hash} {}\n",
            item.labels,
            item.image.id()
        ));
    }
    Ok(())
}

/// At most `count` images of a split, each class by its share: images are shuffled, put in the
/// order of their classes, and taken at equal distances. They keep the order of the split.
pub(super) fn some_of(split: &Split, count: Option<usize>) -> Split {
    let all = split.len();
    let Some(count) = count.filter(|&count| count < all) else {
        return split.clone();
    };
    let mut order: Vec<usize> = (0..all).collect();
    CPython::new(DRAW).shuffle(&mut order);
    order.sort_by_key(|&i| &split.samples[i].labels);
    let mut taken: Vec<usize> = (0..count)
        .map(|k| order[(2 * k + 1) * all / (2 * count)])
        .collect();
    taken.sort_unstable();
    Split::new(taken.iter().map(|&i| split.samples[i].clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_test_images_has_each_class_by_its_share() {
        let task = vlpt_data::synthetic::task("shapes", 0).unwrap();
        let mut split = task.test.clone();
        let classes = task.classes.len();
        // Class 0 twice as often as the others.
        let first = split
            .samples
            .clone()
            .into_iter()
            .filter(|i| i.labels == [0]);
        split.samples.extend(first.collect::<Vec<_>>());
        let part = some_of(&split, Some(split.len() / 4));
        assert_eq!(part.len(), split.len() / 4);
        let (whole, part) = (split.class_counts(classes), part.class_counts(classes));
        for (whole, part) in whole.iter().zip(&part) {
            let share = *whole as f64 / 4.0;
            assert!((share - *part as f64).abs() <= 1.0, "{whole} {part}");
        }
    }

    #[test]
    fn a_cap_that_is_not_reached_changes_nothing() {
        let task = vlpt_data::synthetic::task("shapes", 0).unwrap();
        for cap in [None, Some(task.test.len()), Some(usize::MAX)] {
            let same = some_of(&task.test, cap);
            let ids = |split: &Split| {
                split
                    .samples
                    .iter()
                    .map(|i| i.image.id())
                    .collect::<Vec<_>>()
            };
            assert_eq!(ids(&same), ids(&task.test));
        }
    }
}
