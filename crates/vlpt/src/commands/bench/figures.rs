//! Figures of a benchmark.

use std::path::{Path, PathBuf};

use vlpt_base::files::write_atomic;
use vlpt_bench::{Collected, Reliability};
use vlpt_report::svg::{CurveLine, Curves, curves};
use vlpt_tables::{Comparison, Results};

use crate::commands::compare::figures::{ranks, shots};
use crate::error::CliError;

/// Writes the figures below `figures/`: of each measure average ranks with their critical difference, averages over
/// numbers of shots where there are several, and reliability curves; gives their paths.
pub(super) fn write(
    dir: &Path,
    collected: &Collected,
    measures: &[&str],
) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for measure in measures {
        let Ok(own) = collected.results.measured(Some(*measure)) else {
            continue;
        };
        for count in own.shots() {
            let comparison = Comparison::new(&own.at(count)?, Some(count), &[], None)?;
            let figure = ranks(&comparison);
            files.extend(figure.map(|svg| (format!("ranks-{measure}-{count}.svg"), svg)));
        }
        if own.shots().len() > 1 && whole(&own) {
            files.push((format!("shots-{measure}.svg"), shots(&own)?));
        }
    }
    for count in collected.results.shots() {
        files.extend(reliability(&collected.reliability, count));
    }
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let folder = dir.join("figures");
    fs_err::create_dir_all(&folder)?;
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        write_atomic(&path, text.as_bytes())?;
        paths.push(path);
    }
    Ok(paths)
}

/// Whether every number of shots has the same tasks, so that averages can stand on one line.
fn whole(results: &Results) -> bool {
    let shots = results.shots();
    let mut tasks = shots
        .iter()
        .filter_map(|count| results.at(count).ok())
        .map(|own| own.tasks().len());
    let first = tasks.next();
    tasks.all(|count| Some(count) == first)
}

/// The reliability curve of each method over all tasks and seeds together, as probabilities are and scaled.
fn reliability(all: &[Reliability], shots: &str) -> Vec<(String, String)> {
    let own = |scaled: bool| -> Vec<&Reliability> {
        let at = all.iter().filter(|curve| curve.shots.to_string() == shots);
        at.filter(|curve| curve.temperature.is_some() == scaled)
            .collect()
    };
    let drawn = [
        (false, "", "probabilities as they are"),
        (true, "-scaled", "divided by a temperature"),
    ];
    let one = |(scaled, ending, what): (bool, &str, &str)| {
        let own = own(scaled);
        (!own.is_empty()).then(|| {
            let title = format!("Share of right answers by confidence, {shots} shots, {what}");
            (
                format!("reliability{ending}-{shots}.svg"),
                figure(title, &own),
            )
        })
    };
    drawn.into_iter().filter_map(one).collect()
}

fn figure(title: String, own: &[&Reliability]) -> String {
    // those with images are kept, and all are of one width
    let mut kept = own.iter().flat_map(|curve| &curve.bins);
    let bins = kept
        .next()
        .map_or(1, |bin| (1.0 / (bin.high - bin.low)).round() as usize);
    let middle = |bin: usize| (bin as f64 + 0.5) / bins as f64;
    let mut methods: Vec<&str> = Vec::new();
    for curve in own {
        if !methods.contains(&curve.method.as_str()) {
            methods.push(&curve.method);
        }
    }
    let line = |method: &str| {
        let (mut images, mut right) = (vec![0.0; bins], vec![0.0; bins]);
        let curves = own.iter().filter(|curve| curve.method == method);
        for point in curves.flat_map(|curve| &curve.bins) {
            let bin = (f64::midpoint(point.low, point.high) * bins as f64) as usize;
            let bin = bin.min(bins - 1);
            images[bin] += point.images as f64;
            right[bin] += point.images as f64 * point.accuracy;
        }
        CurveLine {
            name: method.to_owned(),
            points: (0..bins)
                .map(|bin| {
                    let share = 100.0 * right[bin] / images[bin];
                    (images[bin] > 0.0).then_some((share, None))
                })
                .collect(),
        }
    };
    let meant = CurveLine {
        name: "as sure as right".to_owned(),
        points: (0..bins)
            .map(|bin| Some((100.0 * middle(bin), None)))
            .collect(),
    };
    let mut lines: Vec<CurveLine> = methods.into_iter().map(line).collect();
    lines.push(meant);
    curves(&Curves {
        title,
        x_label: "confidence of an answer, percent".to_owned(),
        places: (0..bins)
            .map(|bin| format!("{:.0}", 100.0 * middle(bin)))
            .collect(),
        lines,
    })
}
