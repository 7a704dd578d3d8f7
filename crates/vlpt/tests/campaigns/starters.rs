//! Two runs started at once in one folder: one works, the other is refused, nothing is mixed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Size;
use crate::child::{finish, program};
use crate::kills::{contents, left_alone, training};
use crate::outcome::{Broken, Outcome};

pub(crate) fn run(size: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    let (root, _) = left_alone();
    let expected = contents(&root.path().join("whole"));
    for round in 0..if size.full { 100 } else { 5 } {
        let out = format!("both-{round}");
        let start = Instant::now();
        let children = [(); 2].map(|()| {
            program(root.path())
                .args(training(&out))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        });
        let ended = children.map(|child| finish(child, start, Duration::from_mins(2)));
        for child in &ended {
            outcome.child(&format!("round {round}"), child);
        }
        let winners = ended.iter().filter(|child| child.ok()).count();
        if winners == 0 {
            outcome.broke(Broken::Lost, format!("round {round}: both gave up"));
        }
        for child in ended.iter().filter(|child| !child.ok()) {
            if !child.stderr.contains(&out) {
                let what = format!("round {round}: the folder is not named: {}", child.said());
                outcome.broke(Broken::Lost, what);
            }
        }
        if contents(&root.path().join(&out)) != expected {
            outcome.broke(Broken::Lost, format!("round {round}: other bytes"));
        }
    }
    outcome
}
