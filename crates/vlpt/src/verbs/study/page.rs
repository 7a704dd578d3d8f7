//! From what a study found to its page.

use vlpt_report::study::{
    GainChart, Grouping, Measure, Measured, Member, Pair, SeedGain, SimilarityPanel, Target,
    TaskGains, Transfer, TransferCell, TransferMap,
};
use vlpt_report::svg::{Gap, Merge, Tree};
use vlpt_report::{Fact, Interval, KeyNumber, StudyReport};
use vlpt_study::groups::dendrogram;
use vlpt_study::merge::{Cell, Merged, TransferKind, TransferMatrix};
use vlpt_study::stats::{Summary, relative_gain, summary};
use vlpt_study::{CommonSettings, Compared, Kind, StudyFile};

/// Of intervals over seeds.
const LEVEL: f64 = 0.95;

/// The page of a study.
pub(super) fn report(file: &StudyFile, merged: &Merged, compared: &Compared) -> StudyReport {
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
        notes.push(format!("{} units have no result yet.", merged.missing));
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
                "one for each unit and task",
            ),
        ],
        gains: gains(merged),
        maps: merged
            .matrices
            .iter()
            .filter_map(|m| map(m, merged))
            .collect(),
        similarities: panels(merged, compared),
        groupings: groupings(file, merged),
        notes,
        facts: facts(file),
        commands: commands(file),
        ..StudyReport::default()
    }
}

fn transfer(kind: TransferKind) -> Option<Transfer> {
    match kind {
        TransferKind::ZeroShot => Some(Transfer::ZeroShot),
        TransferKind::Adapted => Some(Transfer::Adapted),
        TransferKind::CoTraining => Some(Transfer::CoTraining),
        TransferKind::Joint => None,
    }
}

/// Shots in a few words.
fn shots(kind: TransferKind, source: usize, target: usize) -> String {
    match kind {
        TransferKind::Adapted => format!("{source} shots of the source, {target} of the target"),
        _ => format!("{} shots", source.max(target)),
    }
}

/// Each task alone over zero-shot CLIP, and each way of transfer over the task alone.
fn gains(merged: &Merged) -> Vec<GainChart> {
    let mut charts: Vec<GainChart> = Vec::new();
    let mut add = |title: String, method: &str, task: &str, gain: Option<Summary>| {
        let place = charts.iter().position(|chart| chart.title == title);
        let place = place.unwrap_or_else(|| {
            charts.push(GainChart {
                title,
                methods: Vec::new(),
                tasks: Vec::new(),
            });
            charts.len() - 1
        });
        let chart = &mut charts[place];
        let column = chart.methods.iter().position(|name| name == method);
        let column = column.unwrap_or_else(|| {
            chart.methods.push(method.to_owned());
            chart.methods.len() - 1
        });
        let row = chart.tasks.iter().position(|row| row.name == task);
        let row = row.unwrap_or_else(|| {
            chart.tasks.push(TaskGains {
                name: task.to_owned(),
                gains: Vec::new(),
            });
            chart.tasks.len() - 1
        });
        let row = &mut chart.tasks[row].gains;
        row.resize(row.len().max(column + 1), None);
        row[column] = gain.map(|summary| SeedGain {
            gain: interval(&summary),
            seeds: summary.count,
        });
    };
    for (method, task, k, gain) in alone(merged) {
        add(
            format!("Alone over zero-shot CLIP, {k} shots"),
            &method,
            &task,
            gain,
        );
    }
    for matrix in &merged.matrices {
        let shots = shots(matrix.transfer, matrix.source_shots, matrix.shots);
        let title = format!(
            "{} over alone, mean over the other sources, {shots}",
            capital(matrix.transfer.name())
        );
        for (j, target) in matrix.gain.columns().iter().enumerate() {
            let of_seed = matrix.gain_of_seed.iter().filter_map(|gains| {
                let rows = gains.rows().iter().enumerate();
                let others = rows.filter(|(_, source)| *source != target);
                let values: Vec<f64> = others.filter_map(|(i, _)| gains.get(i, j)).collect();
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            });
            let of_seed: Vec<f64> = of_seed.collect();
            add(
                title.clone(),
                &matrix.method,
                target,
                summary(&of_seed, LEVEL),
            );
        }
    }
    for chart in &mut charts {
        let methods = chart.methods.len();
        chart
            .tasks
            .iter_mut()
            .for_each(|task| task.gains.resize(methods, None));
    }
    charts
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Method, task, shots, and the gain of the task alone over zero-shot CLIP.
fn alone(merged: &Merged) -> Vec<(String, String, usize, Option<Summary>)> {
    let mut found: Vec<(String, String, usize, Vec<f64>)> = Vec::new();
    let clip = |target: &str| {
        let mut rows = merged.scores.iter();
        let row = rows.find(|row| row.kind == Kind::ZeroShot && row.target == target)?;
        Some(row.score)
    };
    for row in &merged.scores {
        let own = row.kind == Kind::Train && row.source == row.target;
        if !own && row.kind != Kind::Single {
            continue;
        }
        let Some(gain) = clip(&row.target).and_then(|clip| relative_gain(row.score, clip)) else {
            continue;
        };
        let k = row.shots.max(row.source_shots);
        let same = found
            .iter_mut()
            .find(|(m, t, shots, _)| *m == row.method && *t == row.target && *shots == k);
        match same {
            Some((.., gains)) => gains.push(gain),
            None => found.push((row.method.clone(), row.target.clone(), k, vec![gain])),
        }
    }
    let summed = |(m, t, k, gains): (_, _, _, Vec<f64>)| (m, t, k, summary(&gains, LEVEL));
    found.into_iter().map(summed).collect()
}

fn interval(summary: &Summary) -> Interval {
    let (low, high) = summary.interval.unwrap_or((f64::NAN, f64::NAN));
    Interval {
        value: summary.mean,
        low,
        high,
    }
}

fn map(matrix: &TransferMatrix, merged: &Merged) -> Option<TransferMap> {
    let cell = |source: &str, target: &str| -> Option<&Cell> {
        merged.cells.iter().find(|cell| {
            cell.transfer == matrix.transfer
                && cell.method == matrix.method
                && cell.source_shots == matrix.source_shots
                && cell.shots == matrix.shots
                && cell.target == target
                && (source.is_empty() || cell.source == source)
        })
    };
    let (sources, targets) = (matrix.score.rows(), matrix.score.columns());
    let mut cells = Vec::new();
    for source in sources {
        for target in targets {
            let together = matrix.transfer == TransferKind::CoTraining && source == target;
            cells.push(match cell(source, target) {
                Some(cell) => TransferCell::Measured(Measured {
                    score: cell.score.mean,
                    std: cell.score.std,
                    seeds: cell.score.count,
                    over_single: cell.gain.map(|gain| gain.mean),
                    over_clip: cell.gain_over_clip.map(|gain| gain.mean),
                }),
                None if together => TransferCell::Missing {
                    gap: Gap::Undefined,
                    reason: "a task with itself is the task alone".to_owned(),
                },
                None => TransferCell::Missing {
                    gap: Gap::NotRun,
                    reason: String::new(),
                },
            });
        }
    }
    let tree = tree(matrix);
    let target = |name: &String| Target {
        name: name.clone(),
        single: cell("", name).and_then(|cell| Some(cell.single?.mean)),
        clip: cell("", name).and_then(|cell| cell.clip),
    };
    let seeds: Vec<String> = matrix.seeds.iter().map(ToString::to_string).collect();
    let shots = shots(matrix.transfer, matrix.source_shots, matrix.shots);
    Some(TransferMap {
        transfer: transfer(matrix.transfer)?,
        method: matrix.method.clone(),
        setting: format!("{shots}, seeds {}", seeds.join(", ")),
        sources: sources.to_vec(),
        targets: targets.iter().map(target).collect(),
        cells,
        source_tree: if sources == targets {
            tree.clone()
        } else {
            Tree::default()
        },
        target_tree: tree,
        measures: vec![Measure::OverSingle, Measure::OverClip, Measure::Score],
    })
}

/// The clustering of the targets by who helps whom, where every target is a source too.
fn tree(matrix: &TransferMatrix) -> Tree {
    let Ok(found) = dendrogram(&matrix.gain) else {
        return Tree::default();
    };
    let merges = found.merges.iter().map(|merge| Merge {
        left: merge.left,
        right: merge.right,
        distance: merge.distance,
    });
    Tree {
        order: found.order,
        merges: merges.collect(),
    }
}

fn panels(merged: &Merged, compared: &Compared) -> Vec<SimilarityPanel> {
    let mut panels = Vec::new();
    for found in &compared.correlations {
        let matrix = merged.matrices.iter().find(|m| {
            (m.transfer, &m.method, m.source_shots, m.shots)
                == (
                    found.transfer,
                    &found.method,
                    found.source_shots,
                    found.shots,
                )
        });
        let similarity = compared.similarities.iter().find(|s| {
            let own = s.method == found.method && s.source_shots == found.source_shots;
            s.measure == found.measure && (s.method.is_empty() || own)
        });
        let both = matrix.zip(similarity);
        let (Some((matrix, similarity)), Some(kind)) = (both, transfer(found.transfer)) else {
            continue;
        };
        let mut pairs = Vec::new();
        for (i, source) in matrix.gain.rows().iter().enumerate() {
            for (j, target) in matrix.gain.columns().iter().enumerate() {
                let alike = similarity.values.between(source, target);
                if let (true, Some((gain, alike))) =
                    (source != target, matrix.gain.get(i, j).zip(alike))
                {
                    pairs.push(Pair {
                        source: source.clone(),
                        target: target.clone(),
                        similarity: alike,
                        transfer: gain,
                    });
                }
            }
        }
        let shots = shots(found.transfer, found.source_shots, found.shots);
        panels.push(SimilarityPanel {
            similarity: found.measure.clone(),
            transfer: kind,
            method: format!("{}, {shots}", found.method),
            measure: Measure::OverSingle,
            pairs,
            rho: found.rho,
            interval: found.over_tasks,
            interval_from: "95 %, bootstrap over tasks".to_owned(),
        });
    }
    panels
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

fn commands(file: &StudyFile) -> Vec<String> {
    let mut commands = file.commands.clone();
    commands.push("vlpt study run STUDY".to_owned());
    commands.push("vlpt study merge STUDY".to_owned());
    commands
}
