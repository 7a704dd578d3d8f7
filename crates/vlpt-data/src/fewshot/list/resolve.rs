//! A list becomes a subset of a task: every image found, every label compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::choose::Chosen;
use super::super::coop::single_labels;
use super::super::shots::Shots;
use super::super::subset::{ListOrigin, Subset};
use super::{FewShotList, Listed, ListedImage, shown};
use crate::class_subset::ClassSubset;
use crate::error::{ListError, Result};
use crate::task::{Split, Task};

impl Subset {
    /// The subset that a file names: one that [`Subset::save`] wrote (`.json`), or a list
    /// ([`FewShotList`]).
    ///
    /// # Errors
    /// As [`Subset::load`] and [`FewShotList::subset`].
    pub fn of_file(path: &Path, task: &Task, shots: Shots) -> Result<Self> {
        if path.extension().is_none_or(|ending| ending != "json") {
            return FewShotList::open(path)?.subset(task, shots);
        }
        let subset = Self::load(path, task)?;
        match (subset.shots, shots) {
            (Shots::Count(found), Shots::Count(asked)) if found != asked => {
                let path = path.to_owned();
                Err(ListError::OtherShots { path, found, asked }.into())
            }
            _ => Ok(subset),
        }
    }
}

impl FewShotList {
    /// The images of the list as a subset of a task. Training images are looked for in the train
    /// split; validation images in the val split, or else all of them in the train split. Of a task
    /// with its base or its new classes alone, images of the other classes are left out, as published
    /// code samples first and halves the classes then.
    ///
    /// # Errors
    /// Images that the task does not have, or has in another split; labels beyond its classes, or
    /// other ones than it has; a task with several labels an image; another number of shots than
    /// `shots`, the images of the largest class.
    pub fn subset(&self, task: &Task, shots: Shots) -> Result<Subset> {
        let train = Found::of(&self.train, "training", task, &task.train)?;
        let (val, val_from) = match &self.val {
            None => (Vec::new(), "val"),
            Some(val) => {
                let own = task.val.as_ref().filter(|own| holds(own, val));
                let (split, from) = own.map_or((&task.train, "train"), |own| (own, "val"));
                (Found::of(val, "validation", task, split)?, from)
            }
        };
        let mut counts = BTreeMap::new();
        for &index in &train {
            *counts
                .entry(task.train.samples[index].labels[0])
                .or_insert(0) += 1;
        }
        let most: usize = counts.into_values().max().unwrap_or(0);
        match shots {
            Shots::Count(asked) if asked != most => {
                return Err(ListError::OtherShots {
                    path: self.path.clone(),
                    found: most,
                    asked,
                }
                .into());
            }
            _ => {}
        }
        let origin = ListOrigin {
            file: file_name(&self.path),
            sha256: self.sha256.clone(),
        };
        let chosen = Chosen { train, val };
        Ok(Subset::of_list(task, most, &chosen, val_from, origin))
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Images of a split by the ids that they are found under.
struct Places<'t> {
    by_id: BTreeMap<String, usize>,
    split: &'t Split,
}

impl<'t> Places<'t> {
    fn of(split: &'t Split) -> Self {
        let ids = split.samples.iter().map(|sample| sample.image.id());
        let mut by_id = BTreeMap::new();
        for (index, id) in ids.enumerate() {
            by_id.entry(id).or_insert(index);
        }
        Self { by_id, split }
    }

    /// The image whose id is the longest end of a path, cut between folders.
    fn find(&self, path: &str) -> Option<usize> {
        let path = path.replace('\\', "/");
        let cuts = path.match_indices('/').map(|(at, _)| at + 1);
        std::iter::once(0)
            .chain(cuts)
            .find_map(|at| self.by_id.get(&path[at..]).copied())
    }
}

/// Whether a split has one of the images.
fn holds(split: &Split, listed: &Listed) -> bool {
    let places = Places::of(split);
    let mut images = listed.images.iter();
    images.any(|image| places.find(&image.path).is_some())
}

/// Looks for the images of a part of a list.
struct Found<'t> {
    task: &'t Task,
    listed: &'t Listed,
    part: &'static str,
}

impl<'t> Found<'t> {
    fn of(
        listed: &'t Listed,
        part: &'static str,
        task: &'t Task,
        split: &Split,
    ) -> Result<Vec<usize>> {
        single_labels(&task.name, split)?;
        let found = Self { task, listed, part };
        let places = Places::of(split);
        let at: Vec<Option<usize>> = listed
            .images
            .iter()
            .map(|image| places.find(&image.path))
            .collect();
        if at.iter().all(Option::is_none) {
            let all: Vec<&ListedImage> = listed.images.iter().collect();
            return Err(found.missing(&all, true).into());
        }
        let first = found.first_label(&at, &places);
        let mut indices = Vec::with_capacity(at.len());
        let mut absent = Vec::new();
        for (image, at) in listed.images.iter().zip(at) {
            let used = found.used(image, first)?;
            match at {
                Some(index) => {
                    found.same_label(image, index, first, &places)?;
                    indices.push(index);
                }
                None if used => absent.push(image),
                None => {}
            }
        }
        if absent.is_empty() {
            return Ok(indices);
        }
        Err(found.missing(&absent, indices.is_empty()).into())
    }

    /// The label that the task's first class has in the list: that of a class among all, where the
    /// task has its new classes alone, else 0.
    fn first_label(&self, at: &[Option<usize>], places: &Places<'_>) -> u32 {
        if self.task.provenance.class_subset != ClassSubset::New {
            return 0;
        }
        let mut found = self.listed.images.iter().zip(at).filter_map(|(image, at)| {
            let own = places.split.samples[(*at)?].labels[0];
            image.label.checked_sub(own)
        });
        found.next().unwrap_or(0)
    }

    /// Whether an image is of a class of the task, by its label.
    fn used(&self, image: &ListedImage, first: u32) -> Result<bool> {
        let classes = self.task.classes.len();
        let end = first as usize + classes;
        let label = image.label as usize;
        // of an odd number of classes, the base half has one more than the new one
        let (all, used) = match self.task.provenance.class_subset {
            ClassSubset::All => (end, label < end),
            ClassSubset::Base => (2 * classes, label < end),
            ClassSubset::New => (end, label >= first as usize),
        };
        if label < all {
            return Ok(used);
        }
        Err(ListError::LabelOutOfRange {
            path: self.listed.path.clone(),
            place: self.listed.place(image),
            image: shown(&image.path),
            label: image.label,
            task: self.task.name.clone(),
            classes,
        }
        .into())
    }

    fn same_label(
        &self,
        image: &ListedImage,
        index: usize,
        first: u32,
        places: &Places<'_>,
    ) -> Result<()> {
        let own = places.split.samples[index].labels[0];
        if image.label.checked_sub(first) == Some(own) {
            return Ok(());
        }
        Err(ListError::OtherLabel {
            path: self.listed.path.clone(),
            place: self.listed.place(image),
            image: shown(&image.path),
            label: image.label,
            class: shown(&image.class),
            task: self.task.name.clone(),
            own,
            own_class: self.task.classes[own as usize].clone(),
        }
        .into())
    }

    fn missing(&self, absent: &[&ListedImage], none_found: bool) -> ListError {
        let elsewhere = [
            ("a test image", Some(&self.task.test)),
            ("a validation image", self.task.val.as_ref()),
        ];
        let elsewhere = elsewhere.map(|(what, split)| (what, split.map(Places::of)));
        let instead = |image: &ListedImage| {
            let mut all = elsewhere.iter();
            let there = all.find(|(_, places)| {
                let places = places.as_ref();
                places.is_some_and(|places| places.find(&image.path).is_some())
            });
            there.map(|(what, _)| *what)
        };
        let places: BTreeSet<_> = absent.iter().filter_map(|image| instead(image)).collect();
        let (path, part) = (self.listed.path.clone(), self.part);
        let (task, total) = (self.task.name.clone(), self.listed.images.len());
        // an image in the wrong split is worse than one that is not there
        let (what, image) = match places.first() {
            Some(what) => {
                let mut all = absent.iter();
                let first = all.find(|image| instead(image) == Some(what));
                (*what, *first.unwrap_or(&absent[0]))
            }
            None => ("no image", absent[0]),
        };
        if none_found && places.is_empty() {
            return ListError::OtherSet {
                path,
                part,
                task,
                total,
                first: shown(&image.path),
            };
        }
        ListError::Missing {
            path,
            place: self.listed.place(image),
            image: shown(&image.path),
            what,
            task,
            missing: absent.len(),
            total,
            part,
        }
    }
}
