//! Which tasks are at hand.

use std::fmt::Write as _;

use vlpt_bench::{Checked, State};

use crate::console::table;

/// A table of all tasks, notes on those that are at hand, and ways to get the others.
pub(super) fn text(tasks: &[Checked], ways: bool) -> String {
    let rows: Vec<Vec<String>> = tasks.iter().map(row).collect();
    let mut text = table(
        &[
            "task", "state", "classes", "train", "val", "test", "layout", "place",
        ],
        &rows,
    );
    let noted = tasks.iter().filter(|task| !task.notes.is_empty());
    for task in noted {
        let _ = write!(text, "\n\n{}: {}", task.name, task.notes.join("; "));
    }
    if ways {
        for task in tasks.iter().filter(|task| task.state != State::Found) {
            let _ = write!(
                text,
                "\n\n{} ({})\n  page: {}",
                task.name,
                expected(task),
                task.page
            );
            for way in &task.ways {
                let _ = write!(text, "\n  {way}");
            }
            let _ = match &task.sha256 {
                Some((file, hash)) => write!(text, "\n  check: SHA-256 of {file} is {hash}"),
                None => write!(
                    text,
                    "\n  check: by the counts above; nobody published a hash of its files that we know"
                ),
            };
        }
    }
    let found = tasks
        .iter()
        .filter(|task| task.state == State::Found)
        .count();
    let _ = write!(text, "\n\n{found} of {} tasks are at hand", tasks.len());
    text
}

fn row(task: &Checked) -> Vec<String> {
    let state = match task.state {
        State::Found => "found",
        State::Missing => "missing",
        State::Unusable => "unusable",
    };
    let count = |at: usize| match (task.counts, task.expected[at]) {
        (Some(counts), Some(expected)) if counts[at] as u64 != expected => {
            format!("{} of {expected}", counts[at])
        }
        (Some(counts), _) => counts[at].to_string(),
        (None, Some(expected)) => format!("({expected})"),
        (None, None) => "-".to_owned(),
    };
    let mut cells = vec![task.name.clone(), state.to_owned()];
    cells.extend((0..4).map(count));
    cells.push(task.layout.clone().unwrap_or_else(|| "-".to_owned()));
    let place = task.place.as_ref().map(|place| place.display().to_string());
    cells.push(place.unwrap_or_else(|| "-".to_owned()));
    cells
}

/// What a whole set has.
fn expected(task: &Checked) -> String {
    let names = ["classes", "training", "validation", "test images"];
    let known = names.iter().zip(task.expected);
    let known = known.filter_map(|(name, count)| Some(format!("{} {name}", count?)));
    known.collect::<Vec<String>>().join(", ")
}
