//! Who helps whom: heat maps and their numbers.

use std::fmt::Write as _;

use super::best;
use super::build::{Builder, cell, gain_cell, row, table};
use super::data::{GainUnit, Measure, Measured, Transfer, TransferCell, TransferMap};
use crate::data::percent;
use crate::escape::escape;
use crate::svg::{self, Gap, HeatCell, HeatMap, HeatScale};

/// How many pairs are named for each reason.
const NAMED: usize = 6;

/// A section for each way of transfer.
pub(super) fn write(page: &mut Builder, maps: &[TransferMap], unit: GainUnit) {
    for transfer in Transfer::ALL {
        let these: Vec<_> = maps.iter().filter(|map| map.transfer == transfer).collect();
        let name = transfer.name();
        let heading = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let id = name.replace(' ', "-");
        page.section(&id, &heading, |page| {
            if !these.is_empty() {
                page.paragraph(&format!("{} {}", transfer.explained(), unit.explained()));
            }
            // a map without sources or targets has nothing to show
            let filled = |map: &&&TransferMap| !(map.sources.is_empty() || map.targets.is_empty());
            for map in these.iter().filter(filled) {
                page.heading(&format!("{}: {}", map.method, map.setting));
                for &measure in &map.measures {
                    figure(page, map, measure, &scale(&these, measure, unit), unit);
                }
                missing(page, map);
                numbers(page, map, unit);
                best::write(page, map, unit);
            }
        });
    }
}

/// One scale for all maps of a way of transfer, so that they can be compared.
fn scale(maps: &[&TransferMap], measure: Measure, unit: GainUnit) -> HeatScale {
    if measure == Measure::Score {
        return HeatScale::Share;
    }
    let pairs = maps.iter().flat_map(|map| {
        let targets = 0..map.targets.len();
        targets.flat_map(move |j| map.others(j).filter_map(move |i| map.measured(i, j)))
    });
    HeatScale::gains(pairs.filter_map(|m| measure.value_in(m)), unit.sign())
}

fn figure(
    page: &mut Builder,
    map: &TransferMap,
    measure: Measure,
    scale: &HeatScale,
    unit: GainUnit,
) {
    let (rows, columns) = (map.sources.len(), map.targets.len());
    let places = (0..rows * columns).map(|k| (k / columns.max(1), k % columns.max(1)));
    let cells = places
        .map(|(i, j)| heat_cell(map, (i, j), measure, unit))
        .collect();
    let title = format!(
        "{}, {}, {}",
        map.method,
        map.transfer.name(),
        measure.name()
    );
    let drawing = svg::heat_map(&HeatMap {
        title: title.clone(),
        note: "rows: source, columns: target".to_owned(),
        rows: map.sources.clone(),
        columns: map
            .targets
            .iter()
            .map(|target| target.name.clone())
            .collect(),
        cells,
        row_tree: map.source_tree.clone(),
        column_tree: map.target_tree.clone(),
        scale: scale.clone(),
    });
    let description = format!(
        "Heat map of {rows} sources by {columns} targets, {}. The same numbers are in the table \
         \"Numbers\" of the study's report.",
        map.setting
    );
    page.figure(&title, &drawing, &description);
    for (tree, items, what) in [
        (&map.source_tree, rows, "sources"),
        (&map.target_tree, columns, "targets"),
    ] {
        if !tree.fits(items) {
            page.paragraph(&format!(
                "The order or clustering given for the {what} is not one of these {items} tasks and \
                 was left out."
            ));
        }
    }
}

fn heat_cell(
    map: &TransferMap,
    (i, j): (usize, usize),
    measure: Measure,
    unit: GainUnit,
) -> HeatCell {
    let pair = format!("{} \u{2192} {}", map.sources[i], map.targets[j].name);
    let Some(measured) = map.measured(i, j) else {
        let (gap, reason) = gap(map, i, j);
        return HeatCell {
            value: Err(gap),
            hover: format!("{pair}\n{}", because(gap, reason)),
        };
    };
    HeatCell {
        value: measure.value_in(measured).ok_or(Gap::Undefined),
        hover: format!(
            "{pair}\nscore {}\n{} {}\n{} {}",
            score(measured),
            Measure::OverSingle.name(),
            unit.show(measured.over_single),
            Measure::OverClip.name(),
            unit.show(measured.over_clip)
        ),
    }
}

/// Why a cell has no numbers.
fn gap(map: &TransferMap, i: usize, j: usize) -> (Gap, &str) {
    match map.cells.get(i * map.targets.len() + j) {
        Some(TransferCell::Missing { gap, reason }) => (*gap, reason),
        _ => (Gap::NotRun, ""),
    }
}

fn because(gap: Gap, reason: &str) -> String {
    let word = gap.name();
    if reason.is_empty() {
        word.to_owned()
    } else {
        format!("{word}: {reason}")
    }
}

/// A score such as `71.2 % (sd 0.8, 3 seeds)`.
fn score(measured: &Measured) -> String {
    let mut text = percent(measured.score);
    match measured.std.filter(|std| std.is_finite()) {
        Some(std) => {
            let _ = write!(text, " (sd {:.1}, {} seeds)", 100.0 * std, measured.seeds);
        }
        None if measured.seeds == 1 => text += " (1 seed)",
        None => {}
    }
    text
}

/// What is missing and why, each reason once.
fn missing(page: &mut Builder, map: &TransferMap) {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for i in 0..map.sources.len() {
        for (j, target) in map.targets.iter().enumerate() {
            if map.measured(i, j).is_some() {
                continue;
            }
            let (gap, reason) = gap(map, i, j);
            let why = because(gap, reason);
            let pair = format!("{} \u{2192} {}", map.sources[i], target.name);
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, pairs)) => pairs.push(pair),
                None => reasons.push((why, vec![pair])),
            }
        }
    }
    if reasons.is_empty() {
        return;
    }
    let mut html = "<ul class=\"note\">\n".to_owned();
    for (why, pairs) in reasons {
        let named = pairs[..pairs.len().min(NAMED)].join("; ");
        let more = match pairs.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let count = match pairs.len() {
            1 => "1 cell".to_owned(),
            several => format!("{several} cells"),
        };
        let text = format!("{count} without a value, {why} ({named}{more})");
        let _ = writeln!(html, "<li>{}</li>", escape(&text));
    }
    page.html += &(html + "</ul>\n");
}

/// Every number of the map, in the order of its figures.
fn numbers(page: &mut Builder, map: &TransferMap, unit: GainUnit) {
    let mut inner = matrix(map, "Score (sd: standard deviation over seeds)", &|m| {
        cell(&score(m))
    });
    for (measure, known) in [
        (Measure::OverSingle, any(map, |m| m.over_single)),
        (Measure::OverClip, any(map, |m| m.over_clip)),
    ] {
        if known {
            inner += &matrix(map, measure.name(), &|m| {
                gain_cell(unit, measure.value_in(m))
            });
        }
    }
    let summary = format!("Numbers: {}, {}", map.method, map.transfer.name());
    page.details(&summary, &inner);
}

fn any(map: &TransferMap, of: fn(&Measured) -> Option<f64>) -> bool {
    map.cells.iter().any(|cell| match cell {
        TransferCell::Measured(measured) => of(measured).is_some(),
        TransferCell::Missing { .. } => false,
    })
}

fn matrix(map: &TransferMap, caption: &str, show: &dyn Fn(&Measured) -> String) -> String {
    let across = map.target_tree.order_of(map.targets.len());
    let names = across.iter().map(|&j| map.targets[j].name.as_str());
    let head: Vec<_> = std::iter::once("source \\ target").chain(names).collect();
    let one = |&i: &usize| {
        let cells = across.iter().map(|&j| {
            if let Some(measured) = map.measured(i, j) {
                return show(measured);
            }
            let (gap, reason) = gap(map, i, j);
            let why = escape(&because(gap, reason));
            format!("<td class=\"missing\" title=\"{why}\">{}</td>", gap.name())
        });
        row(&map.sources[i], &cells.collect::<Vec<_>>())
    };
    let rows: Vec<_> = map
        .source_tree
        .order_of(map.sources.len())
        .iter()
        .map(one)
        .collect();
    table(caption, &head, &rows)
}
