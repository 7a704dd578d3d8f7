//! Lines over a common horizontal axis.

use std::fmt::Write as _;

use super::axis::Axis;
use super::{SERIES, heading, open, rule, text};
use crate::escape::escape;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Points from left to right; points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// Position in the list of colours.
    pub colour: usize,
}

/// A chart of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    /// Shown above the chart.
    pub title: String,
    /// What the horizontal axis counts.
    pub x_label: String,
    /// The lines.
    pub series: Vec<Series>,
    /// A value of the horizontal axis to mark with a vertical line and a word.
    pub mark: Option<(f64, String)>,
    /// Whether vertical values are shares, to be shown as percentages.
    pub percent: bool,
}

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = HEIGHT - 42.0;

/// Draws the chart, 420 x 250 units.
pub fn line_chart(chart: &LineChart) -> String {
    let scale = if chart.percent { 100.0 } else { 1.0 };
    let finite = |&&(x, y): &&(f64, f64)| x.is_finite() && y.is_finite();
    let points = || {
        chart
            .series
            .iter()
            .flat_map(|series| series.points.iter().filter(finite))
    };
    let across = Axis::around(points().map(|p| p.0), 6);
    let up = Axis::around(points().map(|p| p.1 * scale), 5);
    let place = |(x, y): (f64, f64)| {
        (
            across.place(x, LEFT, RIGHT),
            up.place(y * scale, BOTTOM, TOP),
        )
    };

    let mut svg = open(WIDTH, HEIGHT, &chart.title);
    svg += &heading(LEFT, 16.0, &chart.title);
    for tick in up.ticks() {
        let y = up.place(tick, BOTTOM, TOP);
        svg += &rule("grid", (LEFT, y), (RIGHT, y));
        let unit = if chart.percent { " %" } else { "" };
        svg += &text(
            LEFT - 6.0,
            y + 4.0,
            "end",
            &format!("{}{unit}", up.label(tick)),
        );
    }
    for tick in across.ticks() {
        let x = across.place(tick, LEFT, RIGHT);
        svg += &rule("axis", (x, BOTTOM), (x, BOTTOM + 4.0));
        svg += &text(x, BOTTOM + 17.0, "middle", &across.label(tick));
    }
    svg += &rule("axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
    svg += &text(
        f64::midpoint(LEFT, RIGHT),
        HEIGHT - 8.0,
        "middle",
        &chart.x_label,
    );
    if let Some((at, word)) = &chart.mark
        && at.is_finite()
    {
        let x = across.place(*at, LEFT, RIGHT);
        svg += &rule("axis", (x, TOP), (x, BOTTOM)).replace("/>", " stroke-dasharray=\"3 3\"/>");
        svg += &text(x - 4.0, TOP - 4.0, "end", word);
    }
    for series in &chart.series {
        let colour = series.colour % SERIES.len();
        let places: Vec<_> = series
            .points
            .iter()
            .filter(finite)
            .map(|&p| (place(p), p))
            .collect();
        let line: Vec<_> = places
            .iter()
            .map(|((x, y), _)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline class=\"s{colour}\" points=\"{}\" fill=\"none\" stroke=\"{}\" \
             stroke-width=\"2\" stroke-linejoin=\"round\"/>",
            line.join(" "),
            SERIES[colour]
        );
        // a dot for each value would hide a long line
        if places.len() <= 60 {
            for ((x, y), (at, value)) in places {
                let shown = if chart.percent {
                    crate::data::percent(value)
                } else {
                    format!("{value:.3}")
                };
                let _ = writeln!(
                    svg,
                    "<circle class=\"s{colour} dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" \
                     fill=\"{}\"><title>{} {at}: {shown}</title></circle>",
                    SERIES[colour],
                    escape(&chart.x_label)
                );
            }
        }
    }
    svg += &legend(chart);
    svg + "</svg>\n"
}

/// Names of the lines, right above the chart; none where the title says it all.
fn legend(chart: &LineChart) -> String {
    if chart.series.len() < 2 {
        return String::new();
    }
    let mut svg = String::new();
    let mut x = RIGHT;
    for series in chart.series.iter().rev() {
        let colour = series.colour % SERIES.len();
        svg += &text(x, 16.0, "end", &series.name);
        // the width of a text is not known here; seven units a character is a little too much
        x -= 7.0 * series.name.chars().count() as f64 + 6.0;
        let _ = writeln!(
            svg,
            "<line class=\"s{colour}\" x1=\"{:.1}\" y1=\"12\" x2=\"{x:.1}\" y2=\"12\" \
             stroke=\"{}\" stroke-width=\"3\"/>",
            x - 14.0,
            SERIES[colour]
        );
        x -= 24.0;
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> LineChart {
        LineChart {
            title: "loss".to_owned(),
            x_label: "epoch".to_owned(),
            series: vec![Series {
                name: "a < b".to_owned(),
                points,
                colour: 0,
            }],
            mark: None,
            percent: false,
        }
    }

    #[test]
    fn values_that_are_not_finite_do_not_reach_the_drawing() {
        let svg = line_chart(&chart(vec![
            (1.0, f64::NAN),
            (2.0, 1.0),
            (3.0, f64::INFINITY),
        ]));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn an_empty_chart_is_still_a_document() {
        let svg = line_chart(&chart(vec![]));
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn the_highest_value_stands_above_the_lowest() {
        let svg = line_chart(&chart(vec![(1.0, 2.0), (2.0, 1.0)]));
        let line = svg
            .split("points=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let ys: Vec<f64> = line
            .split(' ')
            .map(|p| p.split(',').nth(1).unwrap().parse().unwrap())
            .collect();
        assert!(ys[0] < ys[1], "{line}");
    }
}
