//! What is known of one benchmark, and the list of all.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::metric::Metric;

/// A collection of benchmarks that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// ELEVATER's image classification tasks.
    Elevater,
    /// The data sets of CoOp and of what followed it.
    Coop,
    /// ImageNet and the variants that prompts learned on it are judged on.
    Imagenet,
}

impl Suite {
    /// All suites, in the order of the catalogue.
    pub const ALL: [Self; 3] = [Self::Elevater, Self::Coop, Self::Imagenet];

    /// The name in `suite/name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Elevater => "elevater",
            Self::Coop => "coop",
            Self::Imagenet => "imagenet",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One benchmark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The published name, unique in the catalogue: ELEVATER's task name, CoOp's data set name.
    pub name: String,
    /// The set's name in prose; several entries may share it.
    pub title: String,
    /// The suite it belongs to.
    pub suite: Suite,
    /// Other names it goes by.
    pub aliases: Vec<String>,
    /// Names of its folder.
    pub folders: Vec<String>,
    /// Number of classes.
    pub class_count: usize,
    /// Class names in the order of the labels, as texts say them (blanks for underscores); `None`
    /// where the exact list is not known.
    pub classes: Option<Vec<String>>,
    /// All names of each class, the first as in `classes`; empty where every class has one name.
    pub synonyms: Vec<Vec<String>>,
    /// Text templates with `{}` for the class name, the first one first.
    pub templates: Vec<String>,
    /// The number the benchmark is judged by.
    pub metric: Metric,
    /// Whether an image may show several classes.
    pub multi_label: bool,
    /// Whether images are cropped to their centre; where not, they are resized whole to a square.
    pub center_crop: bool,
    /// The train split.
    pub train: Option<ExpectedSplit>,
    /// The val split.
    pub val: Option<ExpectedSplit>,
    /// The test split.
    pub test: Option<ExpectedSplit>,
    /// File with the class names (ELEVATER), where there is one.
    pub label_file: Option<String>,
    /// CoOp's file with the splits, where there is one.
    pub split_file: Option<String>,
    /// SHA-256 (hex) of that file as linzhiqiu/cross_modal_adaptation spreads it, where it was at hand.
    pub split_sha256: Option<String>,
    /// Folders with the images (CoOp and ImageNet's variants), relative to the set's folder.
    pub image_folders: Vec<String>,
    /// What users of the set should know, one sentence or two each.
    pub traps: Vec<String>,
    /// What matters only to who reads the set in its own layout.
    pub layout_traps: Vec<String>,
}

impl Entry {
    /// `suite/name`, which finds this entry and no other.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.suite, self.name)
    }

    /// The splits that the set has, by name.
    pub fn splits(&self) -> impl Iterator<Item = (&'static str, &ExpectedSplit)> {
        [
            ("train", &self.train),
            ("val", &self.val),
            ("test", &self.test),
        ]
        .into_iter()
        .filter_map(|(name, split)| Some((name, split.as_ref()?)))
    }
}

/// What a split should hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSplit {
    /// Number of images.
    pub images: u64,
    /// ELEVATER's index file.
    #[serde(default)]
    pub index: Option<String>,
    /// ELEVATER's archives with the images.
    #[serde(default)]
    pub archives: Vec<String>,
}

/// A named list of templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TemplateSet {
    /// The name.
    pub name: String,
    /// The templates, with `{}` for the class name.
    pub templates: Vec<String>,
}

/// All entries: ELEVATER's 20, CoOp's 11, ImageNet and its 4 variants.
pub fn entries() -> &'static [Entry] {
    &CATALOGUE.entries
}

/// The named lists of templates that serve any task. `imagenet-80` is the prompt ensemble of CLIP's
/// ImageNet figures.
pub fn template_sets() -> &'static [TemplateSet] {
    &CATALOGUE.template_sets
}

/// The named list of templates, such as `imagenet-80`.
pub fn template_set(name: &str) -> Option<&'static TemplateSet> {
    template_sets().iter().find(|set| set.name == name)
}

struct Catalogue {
    entries: Vec<Entry>,
    template_sets: Vec<TemplateSet>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let stored: Stored = serde_json::from_str(include_str!("../../catalogue/catalogue.json"))
        .expect("the catalogue is part of the program, and a test reads it");
    stored.resolve()
});

/// The file's form: long lists that several entries share are named once.
#[derive(Deserialize)]
struct Stored {
    template_sets: std::collections::BTreeMap<String, Vec<String>>,
    entries: Vec<StoredEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredEntry {
    name: String,
    title: String,
    suite: Suite,
    aliases: Vec<String>,
    folders: Vec<String>,
    class_count: usize,
    classes: Option<Names>,
    #[serde(default)]
    synonyms: Vec<Vec<String>>,
    templates: Names,
    metric: Metric,
    #[serde(default)]
    multi_label: bool,
    #[serde(default = "yes")]
    center_crop: bool,
    splits: StoredSplits,
    #[serde(default)]
    label_file: Option<String>,
    #[serde(default)]
    split_file: Option<String>,
    #[serde(default)]
    split_sha256: Option<String>,
    #[serde(default)]
    image_folders: Vec<String>,
    traps: Vec<String>,
    layout_traps: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSplits {
    train: Option<ExpectedSplit>,
    val: Option<ExpectedSplit>,
    test: Option<ExpectedSplit>,
}

/// A list of its own, or the name of the entry or template set that has it.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Of(String),
}

fn yes() -> bool {
    true
}

impl Stored {
    fn resolve(self) -> Catalogue {
        let lists: std::collections::BTreeMap<String, Option<Names>> = self
            .entries
            .iter()
            .map(|e| (e.name.clone(), e.classes.clone()))
            .collect();
        let classes_of = |name: &str| match lists.get(name) {
            Some(Some(Names::List(list))) => list.clone(),
            _ => panic!("the catalogue has no class list of {name}"),
        };
        let sets = self.template_sets;
        let templates_of = |name: &str| {
            sets.get(name)
                .cloned()
                .unwrap_or_else(|| panic!("the catalogue has no set {name}"))
        };
        let entries = self.entries.into_iter().map(|e| Entry {
            classes: e.classes.map(|names| match names {
                Names::List(list) => list,
                Names::Of(name) => classes_of(&name),
            }),
            templates: match e.templates {
                Names::List(list) => list,
                Names::Of(name) => templates_of(&name),
            },
            name: e.name,
            title: e.title,
            suite: e.suite,
            aliases: e.aliases,
            folders: e.folders,
            class_count: e.class_count,
            synonyms: e.synonyms,
            metric: e.metric,
            multi_label: e.multi_label,
            center_crop: e.center_crop,
            train: e.splits.train,
            val: e.splits.val,
            test: e.splits.test,
            label_file: e.label_file,
            split_file: e.split_file,
            split_sha256: e.split_sha256,
            image_folders: e.image_folders,
            traps: e.traps,
            layout_traps: e.layout_traps,
        });
        let entries = entries.collect();
        let template_sets = sets
            .into_iter()
            .map(|(name, templates)| TemplateSet { name, templates })
            .collect();
        Catalogue {
            entries,
            template_sets,
        }
    }
}
