//! The best sources of each target.

use super::build::{Builder, DASH, cell, gain_word, row, table, words};
use super::data::{GainUnit, Measured, TransferMap};
use crate::data::percent;
use crate::escape::escape;

/// How many sources are named for each target.
const BEST: usize = 3;

/// A table with the best other sources of each target.
pub(super) fn write(page: &mut Builder, map: &TransferMap, unit: GainUnit) {
    let mut rows = Vec::new();
    for j in map.target_tree.order_of(map.targets.len()) {
        let target = &map.targets[j];
        let share = |value: Option<f64>| cell(&percent(value.unwrap_or(f64::NAN)));
        let known = map.best_sources(j, usize::MAX);
        let mut cells = vec![share(target.clip), share(target.single)];
        for place in 0..BEST {
            cells.push(known.get(place).map_or_else(
                || words(DASH),
                |&(i, measured)| best_cell(&map.sources[i], measured),
            ));
        }
        cells.push(cell(&format!(
            "{} of {}",
            known.len(),
            map.others(j).count()
        )));
        rows.push(row(&target.name, &cells));
    }
    if rows.is_empty() {
        return;
    }
    let caption = format!(
        "Best sources for each target, {}, {}: score (gain over single-task, gain over zero-shot \
         CLIP, in {})",
        map.method,
        map.transfer.name(),
        unit.sign()
    );
    let head = [
        "target",
        "CLIP",
        "single-task",
        "best source",
        "second",
        "third",
        "measured",
    ];
    page.html += &table(&caption, &head, &rows).replacen("\"numbers\"", "\"numbers best\"", 1);
}

fn best_cell(source: &str, measured: &Measured) -> String {
    format!(
        "<td class=\"text\"><b>{}</b> <span>{} ({}, {})</span></td>",
        escape(source),
        percent(measured.score),
        gain_word(measured.over_single),
        gain_word(measured.over_clip)
    )
}
