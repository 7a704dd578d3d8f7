//! A confusion matrix as a heat map.

use std::fmt::Write as _;

use super::{heading, open, shortened, text};
use crate::data::Confusion;
use crate::escape::escape;

/// From this number of classes on, cells are too small for numbers and names.
const MANY: usize = 31;

/// Draws the matrix: a row for each true class, a column for each predicted one, cells coloured by
/// the share of their row. Up to 30 classes with names and numbers, beyond that the colours alone.
pub fn confusion(matrix: &Confusion, title: &str) -> String {
    let n = matrix.classes.len();
    let named = n < MANY;
    let cell = if named {
        34.0
    } else {
        (680.0 / n as f64).max(1.0)
    };
    let longest = matrix
        .classes
        .iter()
        .map(|name| name.chars().count().min(22))
        .max()
        .unwrap_or(0);
    let names = if named {
        7.0 * longest as f64 + 14.0
    } else {
        24.0
    };
    let (left, top) = (names, names + 40.0);
    let side = cell * n as f64;
    let mut svg = open((left + side + 14.0).max(260.0), top + side + 14.0, title);
    svg += &heading(6.0, 18.0, title);
    svg += &text(
        6.0,
        36.0,
        "start",
        "rows: true class, columns: predicted class",
    );
    for truth in 0..n {
        let middle = (truth as f64 + 0.5) * cell;
        let name = shortened(&matrix.classes[truth], 22);
        if named {
            svg += &text(left - 6.0, top + middle + 4.0, "end", &name);
            let (x, y) = (left + middle + 4.0, top - 6.0);
            svg += &text(x, y, "start", &name).replace(
                "<text ",
                &format!("<text transform=\"rotate(-90 {x:.1} {y:.1})\" "),
            );
        }
        for predicted in 0..n {
            let share = matrix.share(truth, predicted);
            let count = matrix.count(truth, predicted);
            let (x, y) = (left + predicted as f64 * cell, top + truth as f64 * cell);
            let (fill, ink) = shade(share);
            let _ = write!(
                svg,
                "<g><title>{} taken for {}: {count} of {}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" \
                 width=\"{cell:.2}\" height=\"{cell:.2}\" fill=\"{fill}\"{}/>",
                escape(&matrix.classes[truth]),
                escape(&matrix.classes[predicted]),
                matrix.total(truth),
                if named { " stroke=\"#ffffff\"" } else { "" }
            );
            if named && count > 0 {
                let _ = write!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{ink}\">{count}\
                     </text>",
                    x + cell / 2.0,
                    y + cell / 2.0 + 4.0
                );
            }
            svg += "</g>\n";
        }
    }
    svg + "</svg>\n"
}

/// The colour of a share from 0 (nearly white) to 1 (dark blue), and a text colour to be read on it.
pub(crate) fn shade(share: f64) -> (String, &'static str) {
    let share = share.clamp(0.0, 1.0);
    let mix = |from: f64, to: f64| (from + (to - from) * share).round() as u8;
    let fill = format!(
        "#{:02x}{:02x}{:02x}",
        mix(243.0, 8.0),
        mix(246.0, 69.0),
        mix(250.0, 126.0)
    );
    (fill, if share > 0.45 { "#ffffff" } else { "#1f2933" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_says_what_it_counts() {
        let classes = ["<i>".to_owned(), "b".to_owned()];
        let svg = confusion(
            &Confusion::from_pairs(&classes, [(0, 1), (0, 1), (1, 1)]),
            "matrix",
        );
        assert!(svg.contains("&lt;i&gt; taken for b: 2 of 2"), "{svg}");
        assert!(!svg.contains("<i>"));
    }

    #[test]
    fn many_classes_are_drawn_without_names() {
        let classes: Vec<_> = (0..100).map(|i| format!("class {i}")).collect();
        let svg = confusion(&Confusion::from_pairs(&classes, [(3, 4)]), "matrix");
        assert!(!svg.contains("class 3</text>"));
        assert!(svg.contains("class 3 taken for class 4: 1 of 1"));
    }
}
