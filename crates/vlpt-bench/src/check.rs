//! What is at hand of a task, beside what the catalogue knows.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vlpt_base::hash::sha256;
use vlpt_data::catalogue::{Entry, Suite};
use vlpt_data::{ClassSubset, Format, Task};
use vlpt_train::{DataConfig, open_task};

use crate::find::Found;

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was found and can be read.
    Found,
    /// No folder of its name lies below the roots.
    Missing,
    /// A folder of its name cannot be read as the set.
    Unusable,
}

/// What is at hand of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// Its name in tables.
    pub name: String,
    /// `suite/name`.
    pub full_name: String,
    /// How it stands.
    pub state: State,
    /// Where it lies.
    pub place: Option<PathBuf>,
    /// Its layout.
    pub layout: Option<String>,
    /// Number of classes, and of images to train, choose by and judge on.
    pub counts: Option<[usize; 4]>,
    /// The same as the catalogue has them; none where it does not know.
    pub expected: [Option<u64>; 4],
    /// Why it cannot be read, or what is other than published.
    pub notes: Vec<String>,
    /// The page of the set.
    pub page: String,
    /// How to get it.
    pub ways: Vec<String>,
    /// What a download can be compared with beside the counts: a file and its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<(String, String)>,
}

impl Checked {
    /// Opens the likeliest place of a task: the first in the layout of its suite, else the first that can be
    /// read. Images are listed, not looked at.
    pub(crate) fn of(entry: &'static Entry, found: &Found) -> Self {
        let images = |split: &Option<vlpt_data::catalogue::ExpectedSplit>| {
            split.as_ref().map(|split| split.images)
        };
        let source = entry.source();
        let mut checked = Self {
            name: entry.name.clone(),
            full_name: entry.full_name(),
            state: State::Missing,
            place: None,
            layout: None,
            counts: None,
            expected: [
                Some(entry.class_count as u64),
                images(&entry.train),
                images(&entry.val),
                images(&entry.test),
            ],
            notes: Vec::new(),
            page: source.map(|s| s.page.clone()).unwrap_or_default(),
            ways: source.map(|s| s.ways.clone()).unwrap_or_default(),
            sha256: entry.split_file.clone().zip(entry.split_sha256.clone()),
        };
        let mut opened: Vec<(&Path, Task)> = Vec::new();
        let mut refused = Vec::new();
        for place in &found.places {
            match open_task(&data(entry, place, ClassSubset::All)) {
                Ok(task) => opened.push((place, task)),
                Err(error) => refused.push(format!("{}: {error}", place.display())),
            }
        }
        let own = |(_, task): &&(&Path, Task)| task.provenance.format == layout(entry.suite);
        match opened.iter().find(own).or(opened.first()) {
            Some((place, task)) => checked.found(entry, place, task),
            None if refused.is_empty() => {}
            None => {
                checked.state = State::Unusable;
                checked.place = found.places.first().cloned();
                // an error may have lines of its own: what lies there
                let first = |text: &String| text.lines().next().unwrap_or_default().to_owned();
                checked.notes = refused.iter().map(first).collect();
            }
        }
        checked
    }

    fn found(&mut self, entry: &Entry, place: &Path, task: &Task) {
        self.state = State::Found;
        self.place = Some(place.to_owned());
        self.layout = Some(task.provenance.format.to_string());
        let val = task.val.as_ref().map_or(0, vlpt_data::Split::len);
        let counts = [task.classes.len(), task.train.len(), val, task.test.len()];
        self.counts = Some(counts);
        for (what, (own, expected)) in [
            "classes",
            "training images",
            "validation images",
            "test images",
        ]
        .iter()
        .zip(counts.iter().zip(self.expected))
        {
            if let Some(expected) = expected
                && *own as u64 != expected
            {
                self.notes
                    .push(format!("{own} {what}, published are {expected}"));
            }
        }
        if let Some(made) = &task.provenance.made_split {
            self.notes.push(format!(
                "the set brings no split here, one was made with seed {}",
                made.seed
            ));
        }
        if task.provenance.format != layout(entry.suite) {
            self.notes.push(format!(
                "in the layout {}, so its split need not be the one of the suite",
                task.provenance.format
            ));
        }
        if let (Some(file), Some(expected)) = (&entry.split_file, &entry.split_sha256)
            && let Ok(found) = fs_err::read(place.join(file)).map(|bytes| sha256(&bytes))
            && found != *expected
        {
            self.notes.push(format!(
                "{file} is not the published file: its SHA-256 begins with {}, published is {}",
                &found[..12],
                &expected[..12]
            ));
        }
        if task.test.is_empty() {
            self.state = State::Unusable;
            self.notes.push("there are no test images".to_owned());
        }
    }

    /// The task as a configuration names it; none where it cannot be used.
    pub(crate) fn data(&self, entry: &Entry, subset: ClassSubset) -> Option<DataConfig> {
        match (&self.state, &self.place) {
            (State::Found, Some(place)) => Some(data(entry, place, subset)),
            _ => None,
        }
    }
}

/// The layout that a suite spreads its sets in.
fn layout(suite: Suite) -> Format {
    match suite {
        Suite::Elevater => Format::Elevater,
        Suite::Coop | Suite::Imagenet => Format::Coop,
    }
}

fn data(entry: &Entry, place: &Path, class_subset: ClassSubset) -> DataConfig {
    DataConfig {
        path: place.display().to_string(),
        name: Some(entry.full_name()),
        class_subset,
        ..DataConfig::default()
    }
}
