//! Archives that lie: paths that climb, links, sizes that are not there, bombs, headers without end.
//!
//! Each is a data set whose training images lie in it, looked at by `vlpt data check` with little
//! address space: whatever the archive says, memory and time stay bounded and nothing is written.

mod tables;
mod tars;
mod zips;

use std::path::Path;
use std::time::Duration;

use crate::Size;
use crate::child::{program, under, watch};
use crate::outcome::{Broken, Outcome};

/// Most memory that a check of a small archive may take, in MiB.
const MOST: u64 = 700;
const LONGEST: Duration = Duration::from_secs(30);

/// An archive, and what has to come of it.
pub(crate) struct Hostile {
    name: &'static str,
    bytes: Vec<u8>,
    /// Length of the file where it is longer than its bytes: the rest is a hole.
    length: Option<u64>,
    ends: Ends,
}

/// How looking at it has to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Refused,
    Accepted,
    /// Told in some way.
    Either,
}

impl Hostile {
    fn refused(name: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            name,
            bytes,
            length: None,
            ends: Ends::Refused,
        }
    }

    fn write(&self, path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &self.bytes).unwrap();
        if let Some(length) = self.length {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(length).unwrap();
        }
    }
}

pub(crate) fn run(_: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    for hostile in tars::list() {
        let root = tempfile::tempdir().unwrap();
        let set = root.path().join("set");
        hostile.write(&set.join("train/0.tar"));
        let test = tars::good();
        std::fs::create_dir(set.join("test")).unwrap();
        std::fs::write(set.join("test/0.tar"), test).unwrap();
        std::fs::write(set.join("classnames.txt"), "a\nb\n").unwrap();
        checked(&mut outcome, root.path(), "tar", &hostile);
    }
    for hostile in zips::list() {
        let root = tempfile::tempdir().unwrap();
        let set = root.path().join("set");
        hostile.write(&set.join("train.zip"));
        std::fs::write(set.join("labels.txt"), "a\nb\n").unwrap();
        std::fs::write(
            set.join("train.txt"),
            "train.zip@0/a.png 0\ntrain.zip@1/b.png 1\n",
        )
        .unwrap();
        std::fs::write(set.join("test.zip"), zips::good()).unwrap();
        std::fs::write(set.join("test.txt"), "test.zip@0/a.png 0\n").unwrap();
        checked(&mut outcome, root.path(), "zip", &hostile);
    }
    for table in tables::list() {
        let root = tempfile::tempdir().unwrap();
        let set = root.path().join("set");
        table.write(&set.join(format!("train.{}", table.ending)));
        checked(&mut outcome, root.path(), table.ending, &table.hostile);
    }
    outcome
}

fn checked(outcome: &mut Outcome, root: &Path, kind: &str, hostile: &Hostile) {
    let what = format!("{kind}: {}", hostile.name);
    let mut command = program(root);
    command.args(["data", "check", "set"]);
    let child = watch::<&str>(under("ulimit -v 1500000", &command), &[], LONGEST);
    outcome.child(&what, &child);
    if child.peak_mib > MOST {
        outcome.broke(Broken::Memory, format!("{what}: {} MiB", child.peak_mib));
    }
    if hostile.ends == Ends::Refused && child.ok() {
        outcome.broke(Broken::WrongAccept, &what);
    }
    if hostile.ends == Ends::Accepted && !child.ok() {
        outcome.broke(Broken::Lost, format!("{what} is refused: {}", child.said()));
    }
    let mut names: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != ".cache")
        .collect();
    names.sort();
    if names != ["set"] {
        outcome.broke(Broken::Lost, format!("{what} wrote {names:?}"));
    }
}
