//! All images of a task for training, and several data sets with the same classes as one.

use std::collections::BTreeMap;

use crate::readers::ONE_LIST;
use crate::task::{Split, Task};

impl Task {
    /// The task with everything to learn from that may be learned from: validation images are training
    /// images, and so are all images of a set without splits, for which one was made here. Test images
    /// that the set itself names stay apart.
    #[must_use]
    pub fn all_to_train(mut self) -> Self {
        let mut samples = std::mem::take(&mut self.train.samples);
        if let Some(val) = self.val.take() {
            samples.extend(val.samples);
        }
        if self.provenance.made_split.take().is_some() {
            let notes = &mut self.provenance.notes;
            notes.retain(|note| !note.starts_with(ONE_LIST));
            samples.extend(std::mem::take(&mut self.test.samples));
        }
        for image in &mut self.provenance.left_out {
            let kept = image.split == "test" && !self.test.is_empty();
            if !kept {
                "train".clone_into(&mut image.split);
            }
        }
        self.train = Split::new(samples);
        self
    }

    /// The task with the training and test images of others. Classes go by their names; those that
    /// are new are counted on.
    #[must_use]
    pub fn joined(mut self, others: Vec<Self>) -> Self {
        for other in others {
            let mut label_of: BTreeMap<String, u32> =
                self.classes.iter().cloned().zip(0..).collect();
            let labels: Vec<u32> = other
                .classes
                .iter()
                .map(|name| {
                    *label_of.entry(name.clone()).or_insert_with(|| {
                        self.classes.push(name.clone());
                        self.classes.len() as u32 - 1
                    })
                })
                .collect();
            let renamed = |mut split: Split| {
                for label in split.samples.iter_mut().flat_map(|item| &mut item.labels) {
                    *label = labels.get(*label as usize).copied().unwrap_or(*label);
                }
                split.samples
            };
            self.train.samples.extend(renamed(other.train));
            self.test.samples.extend(renamed(other.test));
            self.multi_label |= other.multi_label;
            self.provenance.notes.extend(other.provenance.notes);
            self.provenance.left_out.extend(other.provenance.left_out);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::provenance::MadeSplit;
    use crate::synthetic;

    #[test]
    fn a_made_split_is_undone_and_an_own_test_split_is_not() {
        let drawn = synthetic::task("shapes", 0).unwrap();
        let [train, val, test] = [
            drawn.train.len(),
            drawn.val.as_ref().unwrap().len(),
            drawn.test.len(),
        ];
        let own = drawn.clone().all_to_train();
        assert_eq!((own.train.len(), own.test.len()), (train + val, test));
        assert!(own.val.is_none());
        let mut made = drawn;
        made.provenance.made_split = Some(MadeSplit {
            seed: 0,
            ratios: [0.5, 0.2, 0.3],
            sha256: String::new(),
        });
        let all = made.all_to_train();
        assert_eq!((all.train.len(), all.test.len()), (train + val + test, 0));
    }

    #[test]
    fn data_sets_are_joined_by_the_names_of_their_classes() {
        let one = synthetic::task("shapes", 0).unwrap();
        let mut other = synthetic::task("shapes", 1).unwrap();
        other.classes.swap(0, 1);
        other.classes[2] = "something new".to_owned();
        let images = other.train.len();
        let label = other.train.samples[0].labels[0] as usize;
        let name = other.classes[label].clone();
        let both = one.clone().joined(vec![other]);
        assert_eq!(both.classes.len(), one.classes.len() + 1);
        assert_eq!(both.train.len(), one.train.len() + images);
        let there = both.train.samples[one.train.len()].labels[0] as usize;
        assert_eq!(both.classes[there], name);
    }
}
