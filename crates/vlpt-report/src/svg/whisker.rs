//! Dots with whiskers: gains of a few methods on many tasks, with intervals.

use std::fmt::Write as _;

use super::axis::Axis;
use super::scatter::shape;
use super::{INK, SERIES, heading, heading_width, open, rule, shortened, text, width_of};
use crate::data::Interval;
use crate::escape::escape;

/// The dots of one task, one for each method of the chart.
#[derive(Debug, Clone, PartialEq)]
pub struct WhiskerRow {
    /// Name of the task.
    pub name: String,
    /// A gain for each method, a share: 0.05 is shown as 5. Where the ends of the interval are not
    /// finite, the dot has no whiskers.
    pub values: Vec<Option<Interval>>,
}

/// A chart of dots around zero.
#[derive(Debug, Clone, PartialEq)]
pub struct WhiskerChart {
    /// Shown above the chart.
    pub title: String,
    /// What the horizontal axis measures.
    pub x_label: String,
    /// The methods, in the order of each row's values.
    pub methods: Vec<String>,
    /// The rows from the top.
    pub rows: Vec<WhiskerRow>,
}

const PLOT: f64 = 520.0;
const TOP: f64 = 52.0;
const APART: f64 = 13.0;
const GAP: f64 = 11.0;

/// Draws the chart, as high as it has rows; the axis holds all dots and whiskers, and zero.
pub fn whisker_chart(chart: &WhiskerChart) -> String {
    let shown: Vec<_> = chart
        .rows
        .iter()
        .map(|row| shortened(&row.name, 24))
        .collect();
    let left = shown.iter().map(|n| width_of(n)).fold(40.0, f64::max) + 18.0;
    let right = left + PLOT;
    let dots = || {
        chart
            .rows
            .iter()
            .flat_map(|row| row.values.iter().flatten())
    };
    let ends = dots().flat_map(|d| [d.value, d.low, d.high].map(|v| 100.0 * v));
    let axis = Axis::around(ends.chain([0.0]), 8);
    let place = |gain: f64| axis.place(100.0 * gain, left, right);
    let step = APART * chart.methods.len().max(1) as f64 + GAP;
    let bottom = TOP + step * chart.rows.len() as f64;

    let width = (right + 24.0).max(heading_width(&chart.title));
    let mut svg = open(width, bottom + 46.0, &chart.title);
    svg += &heading(6.0, 18.0, &chart.title);
    svg += &legend(&chart.methods);
    for tick in axis.ticks() {
        let x = axis.place(tick, left, right);
        svg += &rule("grid", (x, TOP - 4.0), (x, bottom));
        svg += &text(x, bottom + 16.0, "middle", &axis.label(tick));
    }
    svg += &text(
        f64::midpoint(left, right),
        bottom + 36.0,
        "middle",
        &chart.x_label,
    );
    svg += &rule("axis", (place(0.0), TOP - 4.0), (place(0.0), bottom));
    for (i, row) in chart.rows.iter().enumerate() {
        let top = TOP + step * i as f64;
        let middle = top + (step - GAP) / 2.0;
        svg += &text(left - 10.0, middle + 4.0, "end", &shown[i]);
        for (k, value) in row.values.iter().enumerate() {
            let y = top + APART * (k as f64 + 0.5);
            let method = chart.methods.get(k).map_or("", String::as_str);
            if let Some(value) = value.filter(|v| v.value.is_finite()) {
                svg += &dot(k, y, &place, &value, &format!("{}, {method}", row.name));
            }
        }
    }
    svg + "</svg>\n"
}

fn dot(method: usize, y: f64, place: &dyn Fn(f64) -> f64, value: &Interval, name: &str) -> String {
    let colour = method % SERIES.len();
    let mut svg = format!("<g><title>{}: {:+.1}", escape(name), 100.0 * value.value);
    let whiskers = value.low.is_finite() && value.high.is_finite();
    if whiskers {
        let (low, high) = (100.0 * value.low, 100.0 * value.high);
        let _ = write!(svg, " ({low:+.1} to {high:+.1})");
    }
    svg += "</title>";
    if whiskers {
        let (low, high) = (place(value.low), place(value.high));
        let _ = write!(
            svg,
            "<path class=\"whisker\" d=\"M{low:.1} {y:.1}H{high:.1}M{low:.1} {:.1}v6M{high:.1} \
             {:.1}v6\" stroke=\"{INK}\" stroke-width=\"1.2\" fill=\"none\"/>",
            y - 3.0,
            y - 3.0
        );
    }
    let _ = writeln!(svg, "{}</g>", shape(colour, place(value.value), y));
    svg
}

fn legend(methods: &[String]) -> String {
    let mut svg = String::new();
    let mut x = 11.0;
    for (i, method) in methods.iter().enumerate() {
        svg += &shape(i % SERIES.len(), x, 33.0);
        svg += "\n";
        svg += &text(x + 10.0, 37.0, "start", method);
        x += width_of(method) + 28.0;
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: Vec<Option<Interval>>) -> WhiskerChart {
        WhiskerChart {
            title: "gains".to_owned(),
            x_label: "points".to_owned(),
            methods: vec!["coop".to_owned(), "vpt".to_owned()],
            rows: vec![WhiskerRow {
                name: "a & b".to_owned(),
                values,
            }],
        }
    }

    fn gain(value: f64, half: f64) -> Interval {
        Interval {
            value,
            low: value - half,
            high: value + half,
        }
    }

    #[test]
    fn whiskers_reach_as_far_as_the_interval() {
        let svg = whisker_chart(&chart(vec![Some(gain(0.05, 0.05)), Some(gain(-0.1, 0.0))]));
        // the axis goes from -10 to 10
        let left = width_of("a & b").max(40.0) + 18.0;
        let (zero, ten) = (left + PLOT / 2.0, left + PLOT);
        assert!(
            svg.contains(&format!("d=\"M{zero:.1} 58.5H{ten:.1}M")),
            "{svg}"
        );
        assert!(
            svg.contains("a &amp; b, coop: +5.0 (+0.0 to +10.0)"),
            "{svg}"
        );
    }

    #[test]
    fn what_is_not_known_is_not_drawn() {
        let one_seed = gain(0.05, f64::NAN);
        let svg = whisker_chart(&chart(vec![
            Some(one_seed),
            Some(gain(f64::NAN, 0.0)),
            None,
        ]));
        assert!(svg.contains("a &amp; b, coop: +5.0</title>"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("whisker"), "{svg}");
    }

    #[test]
    fn no_row_is_still_a_document() {
        let mut empty = chart(vec![]);
        empty.rows.clear();
        assert!(whisker_chart(&empty).ends_with("</svg>\n"));
    }
}
