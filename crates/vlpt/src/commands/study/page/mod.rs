//! From what a study found to its page.

mod gains;
pub(crate) mod maps;

use std::path::Path;

use vlpt_report::study::{Grouping, Member};
use vlpt_report::svg::Tree;
use vlpt_report::{Fact, Interval, KeyNumber, StudyReport};
use vlpt_study::merge::{Merged, TransferKind};
use vlpt_study::stats::Summary;
use vlpt_study::{CommonSettings, Compared, StudyFile};

/// The page of a study.
pub(super) fn report(
    dir: &Path,
    file: &StudyFile,
    merged: &Merged,
    compared: &Compared,
) -> StudyReport {
    let study = &file.study;
    let (sources, targets) = (study.sources.len(), study.targets.len());
    let methods: Vec<&str> = study.methods.iter().map(|m| m.name.as_str()).collect();
    let key = |label: &str, value: String, detail: &str| KeyNumber {
        label: label.to_owned(),
        value,
        detail: detail.to_owned(),
    };
    let mut notes = vec![
        "Gains are relative to the score of the same method, seed and shots trained on the target \
         alone."
            .to_owned(),
    ];
    if merged.missing > 0 {
        notes.push(format!("{} jobs have no result yet.", merged.missing));
    }
    StudyReport {
        title: "Which task helps which".to_owned(),
        summary: format!(
            "Prompts of {} learned on {sources} tasks, and what they do on {targets}.",
            methods.join(", ")
        ),
        key_numbers: vec![
            key("Sources", sources.to_string(), "tasks"),
            key("Targets", targets.to_string(), "tasks"),
            key("Methods", methods.len().to_string(), &methods.join(", ")),
            key(
                "Scores",
                merged.scores.len().to_string(),
                "one for each job and task",
            ),
        ],
        gains: gains::gains(merged),
        maps: merged
            .matrices
            .iter()
            .filter_map(|m| maps::map(m, merged))
            .collect(),
        similarities: maps::panels(merged, compared),
        groupings: groupings(file, merged),
        notes,
        facts: facts(file),
        commands: commands(dir, file),
        ..StudyReport::default()
    }
}

/// Shots in a few words.
fn shots(kind: TransferKind, source: usize, target: usize) -> String {
    match kind {
        TransferKind::Adapted => format!("{source} shots of the source, {target} of the target"),
        _ => format!("{} shots", source.max(target)),
    }
}

fn interval(summary: &Summary) -> Interval {
    let (low, high) = summary.interval.unwrap_or((f64::NAN, f64::NAN));
    Interval {
        value: summary.mean,
        low,
        high,
    }
}

/// Groups with a prompt of their own, beside the tasks alone.
fn groupings(file: &StudyFile, merged: &Merged) -> Vec<Grouping> {
    let Some(joint) = &file.study.joint else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for method in &file.study.methods {
        for &shots in &joint.shots {
            let member = |group: &[&str], task: &str| -> Option<Member> {
                let others: Vec<&str> =
                    group.iter().copied().filter(|name| *name != task).collect();
                let others = others.join("+");
                let cell = merged.cells.iter().find(|cell| {
                    cell.transfer == TransferKind::Joint
                        && cell.method == method.name
                        && cell.shots == shots
                        && cell.target == task
                        && cell.source == others
                })?;
                Some(Member {
                    task: task.to_owned(),
                    single: cell.single.as_ref().map(interval),
                    joint: Some(interval(&cell.score)),
                    gain: cell.gain.map(|gain| gain.mean),
                })
            };
            let mut groups = Vec::new();
            for names in &joint.groups {
                // In the order in which they were trained.
                let group = file.study.targets.iter().map(|task| task.name.as_str());
                let group: Vec<&str> = group
                    .filter(|name| names.iter().any(|n| n == name))
                    .collect();
                let members: Vec<Member> = group.iter().filter_map(|t| member(&group, t)).collect();
                if !members.is_empty() {
                    groups.push(members);
                }
            }
            if !groups.is_empty() {
                all.push(Grouping {
                    title: format!("One prompt for each group, {}, {shots} shots", method.name),
                    groups,
                    tasks: Vec::new(),
                    tree: Tree::default(),
                });
            }
        }
    }
    all
}

fn facts(file: &StudyFile) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact {
        name: name.to_owned(),
        value,
    };
    let mut facts = Vec::new();
    if let Ok(common) = serde_json::from_value::<CommonSettings>(file.study.settings.clone()) {
        let all = common
            .test_images
            .map_or("all".to_owned(), |n| format!("at most {n} a task"));
        facts.push(fact("model", common.model));
        facts.push(fact("model fingerprint", common.model_fingerprint));
        facts.push(fact("precision", common.precision.to_string()));
        facts.push(fact("test images", all));
    }
    for method in &file.study.methods {
        facts.push(fact(
            &format!("recipe of {}", method.name),
            method.recipe.to_string(),
        ));
    }
    facts
}

fn commands(dir: &Path, file: &StudyFile) -> Vec<String> {
    let mut commands = file.commands.clone();
    commands.push(format!("vlpt study run {}", dir.display()));
    commands.push(format!("vlpt study merge {}", dir.display()));
    commands
}
