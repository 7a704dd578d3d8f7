//! From what a reader found to a task: splits put in their places, the catalogue asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ONE_LIST;
use super::known;
use super::made_split::make_split;
use crate::catalogue::Entry;
use crate::class_subset::ClassSubset;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::metric::Metric;
use crate::provenance::{MadeSplit, Provenance};
use crate::readers::options::OpenOptions;
use crate::sample::Sample;
use crate::split_name::SplitName;
use crate::task::{Split, Task};

/// The template of a set that nobody knows.
const PLAIN_TEMPLATE: &str = "a photo of a {}.";

/// What a reader hands over.
#[derive(Debug)]
pub(super) struct TaskBuilder {
    pub(super) name: String,
    pub(super) classes: Vec<String>,
    /// Templates that the set itself brings.
    pub(super) templates: Vec<String>,
    /// Whether the set says that it has many labels an image; `None`: as its entries show.
    pub(super) multi_label: Option<bool>,
    /// Whether the names of the catalogue stand for the labels of this set.
    pub(super) catalogue_classes: bool,
    pub(super) train: Option<Vec<Sample>>,
    pub(super) val: Option<Vec<Sample>>,
    pub(super) test: Option<Vec<Sample>>,
    pub(super) notes: Vec<String>,
    /// How the reader split the images itself, where it did.
    pub(super) made: Option<MadeSplit>,
}

impl TaskBuilder {
    pub(super) fn new(name: String, classes: Vec<String>) -> Self {
        Self {
            name,
            classes,
            templates: Vec::new(),
            multi_label: None,
            catalogue_classes: false,
            train: None,
            val: None,
            test: None,
            notes: Vec::new(),
            made: None,
        }
    }

    /// Sets one split.
    pub(super) fn set(&mut self, part: SplitName, samples: Vec<Sample>) {
        match part {
            SplitName::Train => self.train = Some(samples),
            SplitName::Val => self.val = Some(samples),
            SplitName::Test => self.test = Some(samples),
        }
    }

    /// The task, read from `root`.
    ///
    /// # Errors
    /// There is no class or no image, or the split ratios are wrong where a split has to be made.
    pub(super) fn finish(
        mut self,
        root: &Path,
        format: Format,
        recognised_by: String,
        options: &OpenOptions,
    ) -> Result<Task> {
        let nothing = |what: &str| LayoutError::Nothing {
            path: root.into(),
            what: what.into(),
        };
        if self.classes.is_empty() {
            return Err(nothing("classes").into());
        }
        let parts = [&self.train, &self.val, &self.test];
        if parts
            .iter()
            .all(|part| part.as_ref().is_none_or(Vec::is_empty))
        {
            return Err(nothing("images").into());
        }
        let many = parts
            .into_iter()
            .flatten()
            .flatten()
            .any(|sample| sample.labels.len() != 1);

        let named = options.name.as_deref();
        let entry = known::find(named, &self.name, format, &self.classes);
        let name = match (entry, named) {
            // a name of the user's own stays
            (Some(entry), Some(named)) if crate::catalogue::find(named) != Some(entry) => named,
            (Some(entry), _) => &entry.name,
            (None, named) => named.unwrap_or(&self.name),
        };
        let name = name.to_owned();
        let multi_label = many
            || self
                .multi_label
                .or(entry.map(|entry| entry.multi_label))
                .unwrap_or(false);
        let usual = if multi_label {
            Metric::ElevenPointMap
        } else {
            Metric::Accuracy
        };
        let mut metric = usual;
        if let Some(entry) = entry {
            let full = entry.full_name();
            if multi_label == entry.multi_label {
                metric = entry.metric;
                self.notes
                    .push(format!("the metric is that of {full} in the catalogue"));
            } else {
                self.notes.push(format!(
                    "images have several labels or none, other than in {full} of the catalogue: judged by {usual}"
                ));
            }
            if self.templates.is_empty() {
                self.templates.clone_from(&entry.templates);
                self.notes
                    .push(format!("templates are those of {full} in the catalogue"));
            }
            self.take_known_classes(entry);
        }
        if self.templates.is_empty() {
            self.templates.push(PLAIN_TEMPLATE.to_owned());
        }
        let made_split = self.place_splits(options)?.or(self.made.take());
        self.note_classes();
        Ok(Task {
            name,
            classes: self.classes,
            templates: self.templates,
            metric,
            multi_label,
            train: Split::new(self.train.unwrap_or_default()),
            val: self
                .val
                .filter(|samples| !samples.is_empty())
                .map(Split::new),
            test: Split::new(self.test.unwrap_or_default()),
            provenance: Provenance {
                root: PathBuf::from(root),
                format,
                recognised_by,
                notes: self.notes,
                made_split,
                class_subset: ClassSubset::All,
                whole: None,
                left_out: Vec::new(),
            },
        })
    }

    /// The catalogue's class names in the place of those of a label file, where the layout's suite
    /// is judged with them.
    fn take_known_classes(&mut self, entry: &Entry) {
        let Some(known) = entry.classes.as_ref().filter(|_| self.catalogue_classes) else {
            return;
        };
        if known.len() != self.classes.len() || *known == self.classes {
            return;
        }
        let plain = |names: &[String]| names.iter().map(|name| known::plain(name)).collect();
        let (mut ours, mut theirs): (Vec<String>, Vec<String>) =
            (plain(&self.classes), plain(known));
        let same_order = ours == theirs;
        ours.sort();
        theirs.sort();
        if ours == theirs && !same_order {
            let note = "the label file orders the classes otherwise than the catalogue: the file was followed";
            self.notes.push(note.to_owned());
            return;
        }
        let mut pairs = self.classes.iter().zip(known).enumerate();
        if let Some((label, (file, catalogue))) = pairs.find(|(_, (file, known))| file != known) {
            self.notes.push(format!(
                "class names are the catalogue's, as in the published evaluation: class {label} is `{catalogue}` there and `{file}` in the label file"
            ));
        }
        self.classes.clone_from(known);
    }

    /// Sees to it that there is something to learn from and something to judge on.
    fn place_splits(&mut self, options: &OpenOptions) -> Result<Option<MadeSplit>> {
        let has =
            |part: &Option<Vec<Sample>>| part.as_ref().is_some_and(|samples| !samples.is_empty());
        match (has(&self.train), has(&self.val), has(&self.test)) {
            (true, true, false) => {
                self.test = self.val.take();
                self.notes
                    .push("there is no test split: the val split is the test split".to_owned());
                Ok(None)
            }
            (false, true, false) => {
                self.test = self.val.take();
                self.notes
                    .push("only a val split is there: it is the test split".to_owned());
                Ok(None)
            }
            (true, false, false) => {
                let samples = self.train.take().unwrap_or_default();
                let made = make_split(samples, options.split_seed, options.split_ratios)?;
                self.notes.push(format!(
                    "{ONE_LIST}: split by seed {} into {} train, {} val, {} test",
                    options.split_seed,
                    made.parts[0].len(),
                    made.parts[1].len(),
                    made.parts[2].len()
                ));
                let [train, val, test] = made.parts;
                (self.train, self.val, self.test) = (Some(train), Some(val), Some(test));
                Ok(Some(made.record))
            }
            (false, _, true) => {
                self.notes
                    .push("there is no train split: the set is for testing only".to_owned());
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn note_classes(&mut self) {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (label, class) in self.classes.iter().enumerate() {
            places.entry(class).or_default().push(label);
        }
        let mut notes: Vec<String> = places
            .iter()
            .filter(|(_, labels)| labels.len() > 1)
            .map(|(class, labels)| {
                format!("the class name `{class}` stands for several labels: {labels:?}; texts cannot tell them apart")
            })
            .collect();
        if let Some(class) = self.classes.iter().find(|class| class.contains('_')) {
            notes.push(format!(
                "class names such as `{class}` hold underscores; they are kept here and read as blanks where texts are built"
            ));
        }
        let mut seen = vec![false; self.classes.len()];
        for samples in [&self.train, &self.val, &self.test].into_iter().flatten() {
            for &label in samples.iter().flat_map(|sample| &sample.labels) {
                if let Some(seen) = seen.get_mut(label as usize) {
                    *seen = true;
                }
            }
        }
        let unseen: Vec<&str> = self
            .classes
            .iter()
            .zip(&seen)
            .filter(|(_, seen)| !**seen)
            .map(|(c, _)| &**c)
            .collect();
        if let Some(first) = unseen.first() {
            let (n, of) = (unseen.len(), self.classes.len());
            notes.push(format!(
                "{n} of {of} classes have no image, `{first}` among them"
            ));
        }
        self.notes.append(&mut notes);
    }
}
