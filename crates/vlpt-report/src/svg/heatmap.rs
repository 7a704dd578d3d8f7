//! Heat maps between rows and columns, with trees at their sides.

use std::fmt::Write as _;

use super::dendrogram::{Side, Tree};
use super::gap::{GREY, Gap, mark};
use super::scale::{HeatScale, LEGEND, legend};
use super::{INK, heading, heading_width, open, shortened, text, upright, width_of};
use crate::escape::escape;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatCell {
    /// Its value, a share: 0.05 is shown as 5. One that is not finite is drawn as undefined.
    pub value: Result<f64, Gap>,
    /// Shown where the pointer rests on it.
    pub hover: String,
}

/// A heat map.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// Shown above the map.
    pub title: String,
    /// A line below the title: what rows and columns are.
    pub note: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// `rows x columns` cells, row after row; missing ones at the end are left out.
    pub cells: Vec<HeatCell>,
    /// Order of the rows, and the tree on the right.
    pub row_tree: Tree,
    /// Order of the columns, and the tree below.
    pub column_tree: Tree,
    /// What colours mean.
    pub scale: HeatScale,
}

/// Cells below this size have no numbers.
const READABLE: f64 = 27.0;
const TREE: f64 = 56.0;

/// Draws the map. Cells whose row and column have the same name are framed. Up to 25 columns cells
/// have numbers, beyond that colours alone.
pub fn heat_map(map: &HeatMap) -> String {
    let (rows, columns) = (map.rows.len(), map.columns.len());
    let side = (690.0 / columns.max(1) as f64).clamp(15.0, 44.0);
    let short = |names: &[String]| names.iter().map(|n| shortened(n, 22)).collect::<Vec<_>>();
    let widest = |names: &[String]| names.iter().map(|n| width_of(n)).fold(0.0, f64::max);
    let (row_names, column_names) = (short(&map.rows), short(&map.columns));
    let (left, top) = (widest(&row_names) + 16.0, 88.0 + widest(&column_names));
    let (right, bottom) = (left + side * columns as f64, top + side * rows as f64);
    let tree = |tree: &Tree| if tree.merges.is_empty() { 0.0 } else { TREE };
    let width = (right + tree(&map.row_tree) + 12.0)
        .max(heading_width(&map.title))
        .max(width_of(&map.note) + 16.0)
        .max(LEGEND + 140.0);
    let keys = bottom + tree(&map.column_tree) + 22.0;
    let mut svg = open(width, keys + 12.0, &map.title);
    svg += &heading(6.0, 18.0, &map.title);
    svg += &text(6.0, 36.0, "start", &map.note);
    svg += &legend(
        &map.scale,
        map.cells.iter().filter_map(|cell| cell.value.ok()),
    );
    let (down, across) = (
        map.row_tree.order_of(rows),
        map.column_tree.order_of(columns),
    );
    for (place, &column) in across.iter().enumerate() {
        let x = left + (place as f64 + 0.5) * side + 4.0;
        svg += &upright(x, top - 6.0, "start", &column_names[column]);
    }
    let mut frames = String::new();
    let mut numbers = String::new();
    svg += "<g stroke=\"#ffffff\" stroke-width=\"1\">\n";
    for (i, &row) in down.iter().enumerate() {
        for (j, &column) in across.iter().enumerate() {
            let at = (left + j as f64 * side, top + i as f64 * side);
            if map.rows[row] == map.columns[column] {
                frames += &frame(at, side);
            }
            if let Some(cell) = map.cells.get(row * columns + column) {
                let (rect, number) = draw(cell, &map.scale, at, side);
                svg += &rect;
                numbers += &number;
            }
        }
    }
    let size = if side < 34.0 { 10 } else { 12 };
    let _ = write!(
        svg,
        "</g>\n<g text-anchor=\"middle\" font-size=\"{size}\" pointer-events=\"none\">\n{numbers}\
         </g>\n<g fill=\"none\" stroke=\"#000000\" stroke-width=\"2\" pointer-events=\"none\">\n\
         {frames}</g>\n"
    );
    for (i, &row) in down.iter().enumerate() {
        let y = top + (i as f64 + 0.5) * side + 4.0;
        svg += &text(left - 6.0, y, "end", &row_names[row]);
    }
    let deep = TREE - 8.0;
    let leaf = (right + 4.0, top);
    svg += &map
        .row_tree
        .branches(&map.rows, leaf, side, deep, Side::Right);
    let leaf = (left, bottom + 4.0);
    svg += &map
        .column_tree
        .branches(&map.columns, leaf, side, deep, Side::Below);
    svg += &marks(map, keys, !frames.is_empty());
    svg + "</svg>\n"
}

/// A cell's rectangle, and its number or mark, which lies over all rectangles.
fn draw(cell: &HeatCell, scale: &HeatScale, (x, y): (f64, f64), side: f64) -> (String, String) {
    let hover = escape(&cell.hover);
    let (fill, over) = match (cell.value, gap_of(cell)) {
        (Ok(value), None) => {
            let (fill, ink, number) = scale.show(value);
            let (cx, cy) = (x + side / 2.0, y + side / 2.0 + 4.0);
            let number = if side < READABLE {
                String::new()
            } else {
                format!("<text x=\"{cx:.1}\" y=\"{cy:.1}\" fill=\"{ink}\">{number}</text>\n")
            };
            (fill, number)
        }
        (_, gap) => {
            let gap = gap.unwrap_or(Gap::Undefined);
            (GREY.to_owned(), mark(gap, x, y, side))
        }
    };
    let rect = format!(
        "<rect class=\"cell\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{side:.1}\" height=\"{side:.1}\" \
         fill=\"{fill}\"><title>{hover}</title></rect>\n"
    );
    (rect, over)
}

fn frame((x, y): (f64, f64), side: f64) -> String {
    format!(
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\n",
        x + 1.0,
        y + 1.0,
        side - 2.0,
        side - 2.0
    )
}

/// What frames and marks mean, for those that are there.
fn marks(map: &HeatMap, y: f64, framed: bool) -> String {
    const SIDE: f64 = 14.0;
    let mut x = 6.0;
    let mut svg = String::new();
    let mut key = |attributes: &str, gap: Option<Gap>, words: &str| {
        let top = y - 11.0;
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{SIDE}\" height=\"{SIDE}\" {attributes}/>"
        );
        svg += &gap.map_or_else(String::new, |gap| mark(gap, x, top, SIDE));
        svg += &text(x + 20.0, y, "start", words);
        x += width_of(words) + 34.0;
    };
    if framed {
        let frame = format!("class=\"whisker\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"2\"");
        key(&frame, None, "the same task");
    }
    for gap in Gap::ALL {
        if map.cells.iter().any(|cell| gap_of(cell) == Some(gap)) {
            key(&format!("fill=\"{GREY}\""), Some(gap), gap.name());
        }
    }
    svg
}

/// Why a cell has nothing to show; `None` where it has a value.
fn gap_of(cell: &HeatCell) -> Option<Gap> {
    match cell.value {
        Ok(value) if value.is_finite() => None,
        Ok(_) => Some(Gap::Undefined),
        Err(gap) => Some(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svg::Merge;

    fn map(values: &[Result<f64, Gap>]) -> HeatMap {
        let cell = |&value| HeatCell {
            value,
            hover: "a <b>".to_owned(),
        };
        HeatMap {
            title: "gains".to_owned(),
            note: "rows: sources".to_owned(),
            rows: vec!["a".to_owned(), "b".to_owned()],
            columns: vec!["b".to_owned(), "a".to_owned()],
            cells: values.iter().map(cell).collect(),
            row_tree: Tree::default(),
            column_tree: Tree::default(),
            scale: HeatScale::Gain {
                limit: 0.2,
                unit: "%".to_owned(),
            },
        }
    }

    #[test]
    fn what_is_missing_says_why_and_reaches_no_number() {
        let svg = heat_map(&map(&[
            Ok(0.1),
            Err(Gap::Failed),
            Err(Gap::NotRun),
            Ok(f64::NAN),
        ]));
        for words in [
            ">failed<",
            ">not run<",
            ">not defined<",
            ">the same task<",
            "a &lt;b&gt;",
        ] {
            assert!(svg.contains(words), "{words}: {svg}");
        }
        assert!(!svg.contains("NaN"));
        assert_eq!(svg.matches("class=\"cell\"").count(), 4);
        let whole = heat_map(&map(&[Ok(0.3); 4]));
        assert!(!whole.contains(">failed<") && whole.contains("+20 % or more"));
    }

    #[test]
    fn rows_and_columns_follow_their_trees() {
        let mut turned = map(&[Ok(0.01), Ok(0.02), Ok(0.03), Ok(0.04)]);
        let place = |svg: &str, number: &str| svg.find(&format!(">{number}<")).unwrap();
        let svg = heat_map(&turned);
        assert!(place(&svg, "+1.0") < place(&svg, "+3.0"));
        turned.row_tree = Tree {
            order: vec![1, 0],
            merges: vec![Merge {
                left: 0,
                right: 1,
                distance: 1.0,
            }],
        };
        let svg = heat_map(&turned);
        assert!(place(&svg, "+3.0") < place(&svg, "+1.0"), "{svg}");
        assert!(svg.contains("2 tasks join"));
    }

    #[test]
    fn a_map_of_nothing_or_with_too_few_cells_is_still_a_document() {
        let mut few = map(&[Ok(0.5)]);
        assert!(heat_map(&few).ends_with("</svg>\n"));
        few.rows.clear();
        few.columns.clear();
        assert!(heat_map(&few).ends_with("</svg>\n"));
    }
}
