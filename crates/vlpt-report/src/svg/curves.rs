//! Many lines over few numbers of training images, each named at its end.

use std::fmt::Write as _;

use super::axis::Axis;
use super::{AXIS, INK, SERIES, heading, heading_width, open, rule, text, width_of};
use crate::escape::escape;

/// A line: a value, in percent, at each of the chart's places, and half of its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveLine {
    /// Its name, written at the line's end.
    pub name: String,
    /// A value at each place, none where nothing was measured.
    pub points: Vec<Option<(f64, Option<f64>)>>,
}

/// Lines over places that are as far apart as each other, whatever numbers they stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// Shown above the chart.
    pub title: String,
    /// What the places are.
    pub x_label: String,
    /// Names of the places: `1`, `2`, `4`, ...
    pub places: Vec<String>,
    /// The lines; the best four at the last place are coloured, the others grey.
    pub lines: Vec<CurveLine>,
}

const LEFT: f64 = 48.0;
const PLOT: f64 = 440.0;
const TOP: f64 = 36.0;
const ROW: f64 = 14.0;

/// Draws the lines; as high as their names need.
pub fn curves(chart: &Curves) -> String {
    let names = chart
        .lines
        .iter()
        .map(|line| width_of(&line.name))
        .fold(0.0, f64::max);
    let width = (LEFT + PLOT + names + 24.0).max(LEFT + heading_width(&chart.title));
    let plot = (chart.lines.len() as f64 * ROW).max(260.0);
    let (bottom, right) = (TOP + plot, LEFT + PLOT);
    let ends = ends(chart);
    // intervals are drawn of those that are coloured
    let reach = |(rank, &(line, _)): (usize, &(usize, f64))| {
        let points = chart.lines[line].points.iter().flatten();
        points.flat_map(move |&(value, half)| {
            let half = half.filter(|_| rank < SERIES.len()).unwrap_or_default();
            [value - half, value + half]
        })
    };
    let up = Axis::close_to(ends.iter().enumerate().flat_map(reach), 6);
    let last = chart.places.len().saturating_sub(1).max(1) as f64;
    let across = |place: usize| LEFT + 12.0 + (PLOT - 24.0) * place as f64 / last;
    let high = |value: f64| up.place(value, bottom, TOP);

    let mut svg = open(width, bottom + 46.0, &chart.title);
    svg += &heading(LEFT, 16.0, &chart.title);
    for tick in up.ticks() {
        svg += &rule("grid", (LEFT, high(tick)), (right, high(tick)));
        svg += &text(
            LEFT - 6.0,
            high(tick) + 4.0,
            "end",
            &format!("{} %", up.label(tick)),
        );
    }
    svg += &rule("axis", (LEFT, bottom), (right, bottom));
    for (place, name) in chart.places.iter().enumerate() {
        svg += &text(across(place), bottom + 17.0, "middle", name);
    }
    svg += &text(
        f64::midpoint(LEFT, right),
        bottom + 36.0,
        "middle",
        &chart.x_label,
    );

    // The best are drawn last, above the others.
    for (rank, &(line, _)) in ends.iter().enumerate().rev() {
        let colour = SERIES.get(rank).copied();
        svg += &one(
            &chart.lines[line],
            colour.map(|c| (rank, c)),
            &across,
            &high,
        );
    }
    let wanted: Vec<f64> = ends.iter().map(|&(_, value)| high(value)).collect();
    for (rank, (&(line, value), y)) in ends.iter().zip(apart(&wanted, TOP, bottom)).enumerate() {
        let ink = SERIES.get(rank).copied().unwrap_or(INK);
        let _ = writeln!(
            svg,
            "<path class=\"axis\" d=\"M{:.1} {:.1}L{:.1} {y:.1}\" stroke=\"{AXIS}\" stroke-width=\"0.5\" fill=\"none\"/>\
             <text class=\"s{rank}\" x=\"{:.1}\" y=\"{:.1}\" fill=\"{ink}\">{}</text>",
            right - 10.0,
            high(value),
            right + 6.0,
            right + 9.0,
            y + 4.0,
            escape(&chart.lines[line].name)
        );
    }
    svg + "</svg>\n"
}

/// The lines that have a value, with the last one, best first.
fn ends(chart: &Curves) -> Vec<(usize, f64)> {
    let last = |line: &CurveLine| {
        line.points
            .iter()
            .rev()
            .flatten()
            .next()
            .map(|(value, _)| *value)
    };
    let lines = chart.lines.iter().enumerate();
    let mut ends: Vec<(usize, f64)> = lines
        .filter_map(|(at, line)| Some((at, last(line)?)))
        .collect();
    ends.sort_by(|a, b| b.1.total_cmp(&a.1));
    ends
}

/// One line with a dot for each value, whose title says value and interval; a coloured one has its intervals
/// drawn.
fn one(
    line: &CurveLine,
    colour: Option<(usize, &str)>,
    across: &impl Fn(usize) -> f64,
    high: &impl Fn(f64) -> f64,
) -> String {
    let points: Vec<(f64, f64, f64, Option<f64>)> = line
        .points
        .iter()
        .enumerate()
        .filter_map(|(place, point)| point.map(|(v, half)| (across(place), high(v), v, half)))
        .collect();
    let path: Vec<String> = points
        .iter()
        .map(|(x, y, ..)| format!("{x:.1},{y:.1}"))
        .collect();
    let (class, stroke, wide) = match colour {
        Some((rank, stroke)) => (format!("s{rank}"), stroke, 2.2),
        None => ("axis".to_owned(), AXIS, 1.0),
    };
    let mut svg = format!(
        "<polyline class=\"{class}\" points=\"{}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{wide}\" stroke-linejoin=\"round\"/>\n",
        path.join(" ")
    );
    for (x, y, value, half) in points {
        if let (Some(_), Some(half)) = (colour, half) {
            let (top, bottom) = (high(value + half), high(value - half));
            let _ = writeln!(
                svg,
                "<path class=\"{class}\" d=\"M{x:.1} {top:.1}V{bottom:.1}\" stroke=\"{stroke}\" stroke-width=\"1\"/>"
            );
        }
        let half = half.map_or(String::new(), |half| format!(" ± {half:.1}"));
        let _ = writeln!(
            svg,
            "<circle class=\"{class} dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\" fill=\"{stroke}\"><title>{} {value:.1}{half} %</title></circle>",
            escape(&line.name)
        );
    }
    svg
}

/// Heights at least a row apart, from the top on and within the plot, as near as that allows to those
/// wanted, which fall.
fn apart(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut places = wanted.to_vec();
    let mut free = top;
    for place in &mut places {
        *place = place.max(free);
        free = *place + ROW;
    }
    let mut most = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - ROW;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Curves {
        let line = |name: &str, points: [Option<f64>; 2]| CurveLine {
            name: name.to_owned(),
            points: points.map(|value| value.map(|v| (v, Some(1.5)))).to_vec(),
        };
        Curves {
            title: "Methods".to_owned(),
            x_label: "shots".to_owned(),
            places: vec!["1".to_owned(), "16".to_owned()],
            lines: vec![
                line("low", [Some(20.0), Some(30.0)]),
                line("<high>", [Some(25.0), Some(30.1)]),
                line("nothing", [None, None]),
            ],
        }
    }

    #[test]
    fn names_stand_a_row_apart_and_within_the_plot() {
        let places = apart(&[50.0, 50.1, 50.2, 99.0, 99.5], 40.0, 100.0);
        assert!(
            places
                .windows(2)
                .all(|pair| pair[1] - pair[0] >= ROW - 1e-9),
            "{places:?}"
        );
        assert!(
            places.iter().all(|place| (40.0..=100.0).contains(place)),
            "{places:?}"
        );
    }

    #[test]
    fn the_best_is_coloured_first_and_what_has_no_value_is_left_out() {
        let svg = curves(&chart());
        assert!(
            svg.contains("<text class=\"s0\"") && svg.contains("&lt;high&gt;</text>"),
            "{svg}"
        );
        assert!(!svg.contains("nothing"), "{svg}");
        assert!(svg.contains("<title>low 30.0 ± 1.5 %</title>"), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 2);
        // the intervals of both, and an axis that holds them
        let intervals = svg.lines().filter(|line| line.contains("<path class=\"s"));
        assert_eq!(intervals.count(), 4, "{svg}");
        assert!(svg.contains(">15 %<") && !svg.contains(">10 %<"), "{svg}");
    }
}
