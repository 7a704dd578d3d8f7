//! Average ranks on a line, with bars over those that cannot be told apart: the critical-difference
//! figure of Demsar, "Statistical comparisons of classifiers over multiple data sets" (JMLR 7, 2006).

use std::fmt::Write as _;

use super::{AXIS, INK, heading, heading_width, open, rule, text, width_of};
use crate::escape::escape;

/// Average ranks of methods.
#[derive(Debug, Clone, PartialEq)]
pub struct RankChart {
    /// Shown above the figure.
    pub title: String,
    /// Names and average ranks, 1 the best.
    pub ranks: Vec<(String, f64)>,
    /// Ranks further apart than this differ.
    pub critical_difference: f64,
}

const PLOT: f64 = 460.0;
const AXIS_AT: f64 = 74.0;
const ROW: f64 = 17.0;

/// Draws the figure: the best on the left.
pub fn rank_chart(chart: &RankChart) -> String {
    let mut sorted = chart.ranks.clone();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let count = sorted.len();
    let side = sorted
        .iter()
        .map(|(name, _)| width_of(name))
        .fold(0.0, f64::max)
        + 52.0;
    let width = (2.0 * side + PLOT).max(heading_width(&chart.title) + 16.0);
    let groups = groups(&sorted, chart.critical_difference);
    let below = AXIS_AT + 12.0 + 7.0 * groups.len() as f64;
    let height = below + ROW * (count.div_ceil(2) as f64 + 1.0);
    let last = (count.max(2)) as f64;
    let place = |rank: f64| side + PLOT * (rank - 1.0) / (last - 1.0);

    let mut svg = open(width, height, &chart.title);
    svg += &heading(16.0, 18.0, &chart.title);
    let span = place(1.0 + chart.critical_difference.min(last - 1.0));
    svg += &line((place(1.0), 40.0), (span, 40.0), 2.0, INK);
    let shown = format!("critical difference {:.2}", chart.critical_difference);
    svg += &text(place(1.0), 34.0, "start", &shown);
    svg += &rule("axis", (place(1.0), AXIS_AT), (place(last), AXIS_AT));
    let step = count.div_ceil(12).max(1);
    for rank in (1..=count).step_by(step) {
        let x = place(rank as f64);
        svg += &rule("axis", (x, AXIS_AT), (x, AXIS_AT - 5.0));
        svg += &text(x, AXIS_AT - 9.0, "middle", &rank.to_string());
    }
    for (at, (from, to)) in groups.iter().enumerate() {
        let y = AXIS_AT + 9.0 + 7.0 * at as f64;
        let ends = (place(sorted[*from].1) - 3.0, place(sorted[*to].1) + 3.0);
        svg += &line((ends.0, y), (ends.1, y), 3.0, INK);
    }
    for (at, (name, rank)) in sorted.iter().enumerate() {
        let left = at < count.div_ceil(2);
        let row = if left { at } else { count - 1 - at };
        let y = below + ROW * (row as f64 + 0.8);
        let (x, end, anchor) = if left {
            (place(*rank), side - 8.0, "end")
        } else {
            (place(*rank), width.min(side + PLOT + 8.0), "start")
        };
        let _ = writeln!(
            svg,
            "<path class=\"axis\" d=\"M{x:.1} {AXIS_AT:.1}V{y:.1}H{end:.1}\" stroke=\"{AXIS}\" fill=\"none\"/>"
        );
        let shift = if left { -4.0 } else { 4.0 };
        svg += &text(end + shift, y + 4.0, anchor, &format!("{name} {rank:.2}"));
    }
    svg + "</svg>\n"
}

fn line(from: (f64, f64), to: (f64, f64), width: f64, colour: &str) -> String {
    format!(
        "<line class=\"fg\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{}\" stroke-width=\"{width}\"/>\n",
        from.0,
        from.1,
        to.0,
        to.1,
        escape(colour)
    )
}

/// First and last of each longest row of neighbours within the critical difference, of two or more.
fn groups(sorted: &[(String, f64)], difference: f64) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for from in 0..sorted.len() {
        let within = sorted[from..]
            .iter()
            .take_while(|(_, rank)| rank - sorted[from].1 <= difference);
        let to = from + within.count() - 1;
        if to > from && groups.last().is_none_or(|&(_, last)| to > last) {
            groups.push((from, to));
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_join_the_longest_rows_that_cannot_be_told_apart() {
        let ranks = [1.0, 1.5, 2.4, 4.0, 4.1].map(|rank| (rank.to_string(), rank));
        assert_eq!(groups(&ranks, 1.0), [(0, 1), (1, 2), (3, 4)]);
        assert_eq!(groups(&ranks, 5.0), [(0, 4)]);
        assert_eq!(groups(&ranks, 0.05), []);
    }

    #[test]
    fn names_are_text_and_all_are_there() {
        let svg = rank_chart(&RankChart {
            title: "Ranks".to_owned(),
            ranks: vec![("b<".to_owned(), 2.0), ("a".to_owned(), 1.0)],
            critical_difference: 0.7,
        });
        assert!(
            svg.contains("b&lt; 2.00") && svg.contains("a 1.00"),
            "{svg}"
        );
        assert!(svg.contains("critical difference 0.70"), "{svg}");
    }
}
