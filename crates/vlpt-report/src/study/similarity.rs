//! Does similarity tell transfer?

use super::build::{Builder, DASH, cell, gain_cell, row, table, words};
use super::data::{GainUnit, Measure, Transfer};
use crate::data::percent;
use crate::svg::{self, Dot, Dots, Scatter};

/// A pair of different tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The source.
    pub source: String,
    /// The target.
    pub target: String,
    /// How alike they are.
    pub similarity: f64,
    /// What the source did for the target.
    pub transfer: f64,
}

/// Similarity against transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarityPanel {
    /// What measures similarity.
    pub similarity: String,
    /// How sources help.
    pub transfer: Transfer,
    /// The method.
    pub method: String,
    /// Which number stands for transfer.
    pub measure: Measure,
    /// The pairs of tasks; pairs with a number that is not finite are left out.
    pub pairs: Vec<Pair>,
    /// Spearman's rank correlation over the pairs.
    pub rho: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// What the interval is, such as `95 %, bootstrap over tasks`.
    pub interval_from: String,
}

/// A table of correlations, and a panel for each.
pub(super) fn write(page: &mut Builder, panels: &[SimilarityPanel], unit: GainUnit) {
    if panels.is_empty() {
        return;
    }
    page.paragraph(
        "Each dot is an ordered pair of different tasks. The rank correlation (Spearman's rho) is 1 \
         where the more similar source always helps more, 0 where similarity tells nothing.",
    );
    let rows: Vec<_> = panels
        .iter()
        .map(|panel| {
            let cells = [
                panel.transfer.name(),
                panel.method.as_str(),
                panel.measure.name(),
            ]
            .map(words);
            let numbers = [
                panel
                    .rho
                    .map_or_else(|| DASH.to_owned(), |rho| format!("{rho:+.2}")),
                interval(panel),
                known(panel).count().to_string(),
            ]
            .map(|text| cell(&text));
            let from = [words(&panel.interval_from)];
            row(
                &panel.similarity,
                &[&cells[..], &numbers[..], &from[..]].concat(),
            )
        })
        .collect();
    let head = [
        "similarity",
        "transfer",
        "method",
        "measured by",
        "rho",
        "interval",
        "pairs",
        "interval from",
    ];
    page.html += &table("Rank correlation of similarity with transfer", &head, &rows);
    page.html += "<div class=\"charts\">\n";
    for panel in panels {
        figure(page, panel, unit);
    }
    page.html += "</div>\n";
}

fn known(panel: &SimilarityPanel) -> impl Iterator<Item = &Pair> {
    let pairs = panel.pairs.iter();
    pairs.filter(|pair| pair.similarity.is_finite() && pair.transfer.is_finite())
}

fn interval(panel: &SimilarityPanel) -> String {
    let finite = panel
        .interval
        .filter(|(low, high)| low.is_finite() && high.is_finite());
    finite.map_or_else(
        || DASH.to_owned(),
        |(low, high)| format!("{low:+.2} to {high:+.2}"),
    )
}

fn figure(page: &mut Builder, panel: &SimilarityPanel, unit: GainUnit) {
    let title = format!("{}, {}", panel.method, panel.transfer.name());
    let sign = if panel.measure == Measure::Score {
        "%"
    } else {
        unit.sign()
    };
    let count = known(panel).count();
    let mut notes = vec![match panel.rho {
        Some(rho) => format!("rho = {rho:+.2}, {count} pairs"),
        None => format!("no correlation, {count} pairs"),
    }];
    let range = interval(panel);
    if range != DASH {
        notes.push(format!("{range} ({})", panel.interval_from));
    }
    let dots = known(panel).map(|pair| Dot {
        name: format!("{} \u{2192} {}", pair.source, pair.target),
        at: (pair.similarity, 100.0 * pair.transfer),
    });
    let drawing = svg::scatter(
        &format!(
            "{title}: {} against {}",
            panel.similarity,
            panel.measure.name()
        ),
        &[Scatter {
            title: title.clone(),
            x_label: panel.similarity.clone(),
            y_label: format!("{} ({sign})", panel.measure.name()),
            marks: Vec::new(),
            series: vec![Dots {
                name: String::new(),
                colour: 0,
                dots: dots.collect(),
            }],
            notes: notes.clone(),
        }],
    );
    page.html += "<div>\n";
    page.figure(
        &format!(
            "similarity {} {title} {}",
            panel.similarity,
            panel.measure.name()
        ),
        &drawing,
        &format!("Scatter plot. {}.", notes.join("; ")),
    );
    page.details("The pairs as numbers", &pairs(panel, unit));
    page.html += "</div>\n";
}

fn pairs(panel: &SimilarityPanel, unit: GainUnit) -> String {
    let rows: Vec<_> = known(panel)
        .map(|pair| {
            let similarity = format!("{:.4}", pair.similarity);
            let transfer = match panel.measure {
                Measure::Score => cell(&percent(pair.transfer)),
                _ => gain_cell(unit, Some(pair.transfer)),
            };
            row(
                &pair.source,
                &[cell(&pair.target), cell(&similarity), transfer],
            )
        })
        .collect();
    let head = [
        "source",
        "target",
        panel.similarity.as_str(),
        panel.measure.name(),
    ];
    table("", &head, &rows)
}
