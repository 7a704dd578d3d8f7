//! Groups of horizontal bars with intervals: a few methods on many tasks.

use std::fmt::Write as _;

use super::{INK, SERIES, heading, open, rule, shortened, text, width_of};
use crate::data::{Interval, percent};
use crate::escape::escape;

/// The bars of one task, one for each method of the chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Name of the task.
    pub name: String,
    /// A value for each method, shares from 0 to 1.
    pub values: Vec<Interval>,
}

/// A chart of groups of bars.
#[derive(Debug, Clone, PartialEq)]
pub struct BarChart {
    /// Shown above the chart.
    pub title: String,
    /// The methods, in the order of each group's values.
    pub methods: Vec<String>,
    /// The groups from the top.
    pub bars: Vec<Bar>,
}

/// Room for names, which grows with long ones; from 0 to 100 %; and for numbers.
const LEFT: f64 = 130.0;
const PLOT: f64 = 520.0;
const NUMBERS: f64 = 70.0;
const TOP: f64 = 44.0;
const THICK: f64 = 13.0;
const GAP: f64 = 14.0;

/// Draws the chart, 720 units wide (more where names are long) and as high as it has bars; the
/// axis goes from 0 to 100 %.
pub fn bar_chart(chart: &BarChart) -> String {
    let rows = chart.methods.len().max(1) as f64;
    let group = rows * (THICK + 2.0) + GAP;
    let names: Vec<_> = chart
        .bars
        .iter()
        .map(|bar| shortened(&bar.name, 18))
        .collect();
    let left = names
        .iter()
        .map(|n| width_of(n) + 16.0)
        .fold(LEFT, f64::max);
    let right = left + PLOT;
    let place = |share: f64| left + PLOT * share.clamp(0.0, 1.0);
    // The legend has a line of its own where it would meet the title.
    let entry = |method: &String| 7.0 * method.chars().count() as f64 + 34.0;
    let legend: f64 = chart.methods.iter().map(entry).sum();
    let line = if 1.2 * width_of(&chart.title) + legend > right - 20.0 {
        20.0
    } else {
        0.0
    };
    let top = TOP + line;
    let bottom = top + group * chart.bars.len() as f64;

    let mut svg = open(right + NUMBERS, bottom + 30.0, &chart.title);
    svg += &heading(10.0, 18.0, &chart.title);
    let mut x = right;
    for (i, method) in chart.methods.iter().enumerate().rev() {
        svg += &text(x, 18.0 + line, "end", method);
        x -= 7.0 * method.chars().count() as f64 + 18.0;
        let colour = i % SERIES.len();
        let _ = writeln!(
            svg,
            "<rect class=\"s{colour} fill\" x=\"{x:.1}\" y=\"{}\" width=\"12\" height=\"12\" rx=\"2\" \
             fill=\"{}\"/>",
            8.0 + line,
            SERIES[colour]
        );
        x -= 16.0;
    }
    for tick in 0..=5 {
        let share = f64::from(tick) / 5.0;
        svg += &rule("grid", (place(share), top - 6.0), (place(share), bottom));
        svg += &text(
            place(share),
            bottom + 18.0,
            "middle",
            &format!("{} %", tick * 20),
        );
    }
    for (row, bar) in chart.bars.iter().enumerate() {
        let top = top + group * row as f64;
        let middle = top + (group - GAP) / 2.0 + 4.0;
        svg += &text(left - 10.0, middle, "end", &names[row]);
        for (i, interval) in bar.values.iter().enumerate() {
            let y = top + (THICK + 2.0) * i as f64;
            let method = chart.methods.get(i).map_or("", String::as_str);
            svg += &one_bar(i, y, place, interval, &format!("{}, {method}", bar.name));
        }
    }
    svg += &rule("axis", (left, top - 6.0), (left, bottom));
    svg + "</svg>\n"
}

fn one_bar(
    method: usize,
    y: f64,
    place: impl Fn(f64) -> f64,
    interval: &Interval,
    name: &str,
) -> String {
    let finite = |share: f64| if share.is_finite() { share } else { 0.0 };
    let left = place(0.0);
    let end = place(finite(interval.value));
    let (low, high) = (place(finite(interval.low)), place(finite(interval.high)));
    let middle = y + THICK / 2.0;
    let colour = method % SERIES.len();
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<rect class=\"s{colour} fill\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{:.1}\" \
         height=\"{THICK:.1}\" rx=\"2\" fill=\"{}\"><title>{}: {} ({})</title></rect>",
        (end - left).max(0.0),
        SERIES[colour],
        escape(name),
        percent(interval.value),
        interval.range()
    );
    if high > low {
        let _ = writeln!(
            svg,
            "<path class=\"whisker\" d=\"M{low:.1} {middle:.1}H{high:.1}M{low:.1} {:.1}v6M{high:.1} \
             {:.1}v6\" stroke=\"{INK}\" stroke-width=\"1.2\" fill=\"none\"/>",
            middle - 3.0,
            middle - 3.0
        );
    }
    svg + &text(
        end.max(high) + 6.0,
        middle + 4.0,
        "start",
        &percent(interval.value),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_legend_stands_below_the_title() {
        let chart = |methods: &[&str]| BarChart {
            title: "Accuracy on test images, with 95 % intervals".to_owned(),
            methods: methods.iter().map(ToString::to_string).collect(),
            bars: Vec::new(),
        };
        let short = bar_chart(&chart(&["zero-shot", "tuned"]));
        assert!(short.contains("y=\"8\" width=\"12\""), "{short}");
        let long = bar_chart(&chart(&[
            "zero-shot",
            "from scratch",
            "from the source prompt",
        ]));
        assert!(long.contains("y=\"28\" width=\"12\""), "{long}");
    }

    #[test]
    fn bars_are_as_long_as_their_shares() {
        let interval = |value| Interval {
            value,
            low: value,
            high: value,
        };
        let svg = bar_chart(&BarChart {
            title: "accuracy".to_owned(),
            methods: vec!["zero-shot".to_owned(), "tuned".to_owned()],
            bars: vec![Bar {
                name: "a & b".to_owned(),
                values: vec![interval(0.25), interval(f64::NAN)],
            }],
        });
        let quarter = format!("width=\"{:.1}\"", PLOT / 4.0);
        assert!(svg.contains(&quarter), "{svg}");
        assert!(svg.contains("a &amp; b") && !svg.contains("NaN"), "{svg}");
    }
}
