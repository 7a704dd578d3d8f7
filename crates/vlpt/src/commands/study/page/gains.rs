//! Gains task by task.

use vlpt_report::study::{GainChart, SeedGain, TaskGains};
use vlpt_study::Kind;
use vlpt_study::merge::Merged;
use vlpt_study::stats::{Summary, relative_gain, summary};

use super::{interval, shots};

/// Of intervals over seeds.
const LEVEL: f64 = 0.95;

/// Each task alone over zero-shot CLIP, and each way of transfer over the task alone.
pub(super) fn gains(merged: &Merged) -> Vec<GainChart> {
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
