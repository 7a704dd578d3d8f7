//! What several tests need: tasks made of nothing but labels, and the place of the shared data.
#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vlpt_data::archive::Root;
use vlpt_data::{Format, ImageRef, Metric, Provenance, Sample, Split, Task};

/// A split whose images lie (or do not lie) at `<prefix><index>` below `root`.
pub(crate) fn split<L: AsRef<[u32]>>(root: &Arc<Root>, prefix: &str, labels: &[L]) -> Split {
    let item = |(index, labels): (usize, &L)| Sample {
        image: ImageRef::File {
            root: Arc::clone(root),
            path: format!("{prefix}{index}").into(),
        },
        labels: labels.as_ref().to_vec(),
    };
    Split::new(labels.iter().enumerate().map(item).collect())
}

/// A task of these splits below `root`, with classes called `class 0`, `class 1`, ...
pub(crate) fn task(
    root: &Path,
    name: &str,
    classes: usize,
    splits: (Split, Option<Split>, Split),
) -> Task {
    Task {
        name: name.to_owned(),
        classes: (0..classes).map(|class| format!("class {class}")).collect(),
        templates: vec!["a photo of a {}.".to_owned()],
        metric: Metric::Accuracy,
        multi_label: false,
        train: splits.0,
        val: splits.1,
        test: splits.2,
        provenance: Provenance {
            root: root.to_path_buf(),
            format: Format::Csv,
            recognised_by: "made by a test".to_owned(),
            notes: Vec::new(),
            made_split: None,
            class_subset: vlpt_data::ClassSubset::All,
            whole: None,
            left_out: Vec::new(),
        },
    }
}

/// A file or folder of the shared data; `None`, said loudly, where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(path);
    if full.exists() {
        return Some(full);
    }
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("SKIPPED: {} is absent\n", full.display()),
    );
    None
}
