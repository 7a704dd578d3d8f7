//! Gains task by task, with intervals over seeds.

use super::build::{Builder, DASH, cell, ends, gain_number, row, table};
use super::data::GainUnit;
use crate::data::Interval;
use crate::svg::{self, WhiskerChart, WhiskerRow};

/// Gains of a few methods, task by task.
#[derive(Debug, Clone, PartialEq)]
pub struct GainChart {
    /// What is compared with what, at which shots.
    pub title: String,
    /// The methods.
    pub methods: Vec<String>,
    /// The tasks, in any order: they are shown by falling mean gain.
    pub tasks: Vec<TaskGains>,
}

/// The gains on one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskGains {
    /// Name of the task.
    pub name: String,
    /// A gain for each method of the chart.
    pub gains: Vec<Option<SeedGain>>,
}

/// A gain over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeedGain {
    /// Mean with its interval over seeds; ends that are not finite where there is one seed.
    pub gain: Interval,
    /// How many seeds.
    pub seeds: usize,
}
/// A chart and a table for each comparison.
pub(super) fn write(page: &mut Builder, charts: &[GainChart], unit: GainUnit) {
    if charts.is_empty() {
        return;
    }
    page.paragraph(&format!(
        "Dots are means over seeds, whiskers their intervals; a task measured with one seed has \
         none. Tasks come by falling mean gain. {}",
        unit.explained()
    ));
    for chart in charts {
        page.heading(&chart.title);
        let tasks = sorted(chart);
        if !tasks.is_empty() {
            figure(page, chart, &tasks, unit);
            page.html += &numbers(chart, &tasks, unit);
        }
    }
}

/// Tasks by falling mean gain over the methods; equal ones as they come, those without any last.
fn sorted(chart: &GainChart) -> Vec<&TaskGains> {
    let mean = |task: &&TaskGains| {
        mean(task.gains.iter().flatten()).map_or(f64::NEG_INFINITY, |(mean, _)| mean)
    };
    let mut tasks: Vec<_> = chart.tasks.iter().collect();
    tasks.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
    tasks
}

/// Mean and number of the gains that are known.
fn mean<'a>(gains: impl Iterator<Item = &'a SeedGain>) -> Option<(f64, usize)> {
    let values = gains
        .map(|gain| gain.gain.value)
        .filter(|value| value.is_finite());
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| (sum / count as f64, count))
}

fn figure(page: &mut Builder, chart: &GainChart, tasks: &[&TaskGains], unit: GainUnit) {
    let rows = tasks.iter().map(|task| WhiskerRow {
        name: task.name.clone(),
        values: task
            .gains
            .iter()
            .map(|gain| Some(gain.as_ref()?.gain))
            .collect(),
    });
    let drawing = svg::whisker_chart(&WhiskerChart {
        title: chart.title.clone(),
        x_label: format!("gain ({})", unit.sign()),
        methods: chart.methods.clone(),
        rows: rows.collect(),
    });
    let description = format!(
        "Dots with whiskers for {} tasks and {}, sorted by mean gain; the table after it has the \
         same numbers.",
        tasks.len(),
        chart.methods.join(", ")
    );
    page.figure(&format!("gains {}", chart.title), &drawing, &description);
}

fn numbers(chart: &GainChart, tasks: &[&TaskGains], unit: GainUnit) -> String {
    let known = || tasks.iter().flat_map(|task| task.gains.iter().flatten());
    let seeds = known().next().map_or(0, |gain| gain.seeds);
    // a column for each method says the number of seeds only where it differs
    let alike = known().all(|gain| gain.seeds == seeds);
    let caption = match (alike, seeds) {
        (true, 1) => format!("Gains in {}, one seed", unit.sign()),
        (true, _) => format!(
            "Gains in {}, mean and interval over {seeds} seeds",
            unit.sign()
        ),
        _ => format!("Gains in {}, mean and interval over seeds", unit.sign()),
    };
    let mut head = vec!["task".to_owned()];
    for method in &chart.methods {
        head.extend([method.clone(), "interval".to_owned()]);
        head.extend((!alike).then(|| "seeds".to_owned()));
    }
    let gain_of = |task: &TaskGains, k: usize| task.gains.get(k).copied().flatten();
    let methods = 0..chart.methods.len();
    let mut rows: Vec<_> = tasks
        .iter()
        .map(|task| {
            let cells = methods.clone().flat_map(|k| {
                let gain = gain_of(task, k);
                let interval = gain.map_or(DASH.to_owned(), |g| ends(g.gain.low, g.gain.high));
                let seeds = gain.map_or(DASH.to_owned(), |g| g.seeds.to_string());
                let value = gain_number(gain.map(|g| g.gain.value));
                [value, cell(&interval)]
                    .into_iter()
                    .chain((!alike).then(|| cell(&seeds)))
            });
            row(&task.name, &cells.collect::<Vec<_>>())
        })
        .collect();
    let means = methods.clone().flat_map(|k| {
        let known: Vec<_> = tasks.iter().filter_map(|task| gain_of(task, k)).collect();
        let (value, count) = mean(known.iter()).unzip();
        let count = format!("{} tasks", count.unwrap_or(0));
        [gain_number(value), cell(&count)]
            .into_iter()
            .chain((!alike).then(|| cell("")))
    });
    rows.push(row("mean over tasks", &means.collect::<Vec<_>>()));
    table(&caption, &head, &rows)
}
