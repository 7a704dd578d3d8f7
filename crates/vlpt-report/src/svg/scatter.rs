//! Dots in panels side by side.

use std::fmt::Write as _;

use super::axis::Axis;
use super::{SERIES, heading, open, rule, shortened, text, upright};
use crate::escape::escape;

/// A dot.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    /// What it stands for, shown where the pointer rests on it.
    pub name: String,
    /// Across and up; a dot that is not finite is left out.
    pub at: (f64, f64),
}

/// Dots of one kind, with a colour and a shape of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Dots {
    /// The name in the legend; empty: not in the legend.
    pub name: String,
    /// Position in the list of colours and shapes.
    pub colour: usize,
    /// The dots.
    pub dots: Vec<Dot>,
}

/// One panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Shown above the panel.
    pub title: String,
    /// What the horizontal axis measures.
    pub x_label: String,
    /// What the vertical axis measures.
    pub y_label: String,
    /// Places of the horizontal axis that have a name, written along a thin line.
    pub marks: Vec<(f64, String)>,
    /// The dots.
    pub series: Vec<Dots>,
    /// Lines below the panel.
    pub notes: Vec<String>,
}

const WIDTH: f64 = 420.0;
const PLOT: f64 = 260.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = WIDTH - 14.0;
/// Above the plot where places of the axis have names, and where none has.
const NAMED: f64 = 124.0;
const PLAIN: f64 = 46.0;
const LINE: f64 = 17.0;

/// Draws the panels side by side, each 420 units wide.
pub fn scatter(title: &str, panels: &[Scatter]) -> String {
    let notes = panels.iter().map(|p| p.notes.len()).max().unwrap_or(0);
    let named = panels.iter().any(|p| !p.marks.is_empty());
    let top = if named { NAMED } else { PLAIN };
    let height = top + PLOT + 48.0 + LINE * notes as f64;
    let mut svg = open(WIDTH * panels.len().max(1) as f64, height, title);
    for (i, panel) in panels.iter().enumerate() {
        let _ = writeln!(
            svg,
            "<g transform=\"translate({:.0} 0)\">",
            WIDTH * i as f64
        );
        svg += &draw(panel, top);
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

fn draw(panel: &Scatter, top: f64) -> String {
    let bottom = top + PLOT;
    let finite = |dot: &&Dot| dot.at.0.is_finite() && dot.at.1.is_finite();
    let all = || {
        panel
            .series
            .iter()
            .flat_map(|s| s.dots.iter().filter(finite))
    };
    let marks = || panel.marks.iter().filter(|mark| mark.0.is_finite());
    let across = Axis::around(all().map(|d| d.at.0).chain(marks().map(|m| m.0)), 6);
    let up = Axis::around(all().map(|d| d.at.1), 6);
    let x = |value: f64| across.place(value, LEFT, RIGHT);
    let y = |value: f64| up.place(value, bottom, top);

    let mut svg = heading(LEFT, 16.0, &shortened(&panel.title, 48));
    svg += &legend(panel);
    for tick in up.ticks() {
        svg += &rule("grid", (LEFT, y(tick)), (RIGHT, y(tick)));
        svg += &text(LEFT - 6.0, y(tick) + 4.0, "end", &up.label(tick));
    }
    for tick in across.ticks() {
        svg += &rule("axis", (x(tick), bottom), (x(tick), bottom + 4.0));
        svg += &text(x(tick), bottom + 17.0, "middle", &across.label(tick));
    }
    svg += &names(&marks().cloned().collect::<Vec<_>>(), top, x);
    svg += &rule("axis", (LEFT, bottom), (RIGHT, bottom));
    if up.low < 0.0 && up.high > 0.0 {
        svg += &rule("axis", (LEFT, y(0.0)), (RIGHT, y(0.0)));
    }
    let middle = f64::midpoint(LEFT, RIGHT);
    svg += &text(
        middle,
        bottom + 36.0,
        "middle",
        &shortened(&panel.x_label, 58),
    );
    svg += &upright(
        14.0,
        f64::midpoint(top, bottom),
        "middle",
        &shortened(&panel.y_label, 44),
    );
    for series in &panel.series {
        for dot in series.dots.iter().filter(finite) {
            let _ = writeln!(
                svg,
                "<g>{}<title>{}: {}, {}</title></g>",
                shape(series.colour, x(dot.at.0), y(dot.at.1)),
                escape(&dot.name),
                number(dot.at.0),
                number(dot.at.1)
            );
        }
    }
    for (i, note) in panel.notes.iter().enumerate() {
        svg += &text(LEFT, bottom + 56.0 + LINE * i as f64, "start", note);
    }
    svg
}

/// Names along their lines, pushed apart where they would lie on each other.
fn names(marks: &[(f64, String)], top: f64, x: impl Fn(f64) -> f64) -> String {
    const APART: f64 = 13.0;
    let mut marks = marks.to_vec();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut places: Vec<f64> = marks.iter().map(|mark| x(mark.0)).collect();
    for i in 1..places.len() {
        places[i] = places[i].max(places[i - 1] + APART);
    }
    // from the right edge back, so that none leaves the panel
    let mut most = RIGHT + 4.0;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - APART;
    }
    let mut svg = String::new();
    for ((at, name), place) in marks.iter().zip(places) {
        svg += &rule("grid", (x(*at), top), (x(*at), top + PLOT));
        svg += &rule("grid", (x(*at), top), (place, top - 10.0));
        svg += &upright(place + 4.0, top - 14.0, "start", &shortened(name, 12));
    }
    svg
}

/// A circle, square, triangle or diamond, so that kinds are told apart without colour.
pub(super) fn shape(colour: usize, x: f64, y: f64) -> String {
    let c = colour % SERIES.len();
    let style = format!(
        "class=\"s{c} dot\" fill=\"{}\" fill-opacity=\"0.85\"",
        SERIES[c]
    );
    match c {
        0 => format!("<circle {style} cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>"),
        1 => format!(
            "<rect {style} x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\"/>",
            x - 4.0,
            y - 4.0
        ),
        2 => format!("<path {style} d=\"M{x:.1} {:.1}l5 9h-10z\"/>", y - 5.0),
        _ => format!(
            "<path {style} d=\"M{x:.1} {:.1}l5 5l-5 5l-5 -5z\"/>",
            y - 5.0
        ),
    }
}

fn legend(panel: &Scatter) -> String {
    let mut svg = String::new();
    let mut x = LEFT + 5.0;
    for series in panel.series.iter().filter(|s| !s.name.is_empty()) {
        svg += &shape(series.colour, x, 30.0);
        svg += "\n";
        svg += &text(x + 9.0, 34.0, "start", &series.name);
        // the width of a text is not known here; seven units a character is a little too much
        x += 7.0 * series.name.chars().count() as f64 + 24.0;
    }
    svg
}

/// A number in about four digits.
fn number(value: f64) -> String {
    let digits = if value.abs() < 1.0 { 4 } else { 1 };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(dots: Vec<(f64, f64)>) -> Scatter {
        let dot = |at| Dot {
            name: "a < b".to_owned(),
            at,
        };
        Scatter {
            title: "gain".to_owned(),
            x_label: "variance".to_owned(),
            y_label: "points".to_owned(),
            marks: dots.iter().map(|d| (d.0, "task".to_owned())).collect(),
            series: vec![Dots {
                name: "text".to_owned(),
                colour: 0,
                dots: dots.into_iter().map(dot).collect(),
            }],
            notes: vec!["n = 3".to_owned()],
        }
    }

    fn centres(svg: &str) -> Vec<(f64, f64)> {
        let number = |part: &str, name: &str| -> f64 {
            let rest = part.split(name).nth(1).unwrap();
            rest.split('"').next().unwrap().parse().unwrap()
        };
        let dots = svg.split("<g><circle").skip(1);
        dots.map(|part| (number(part, "cx=\""), number(part, "cy=\"")))
            .collect()
    }

    #[test]
    fn dots_stand_in_the_order_of_their_values() {
        let svg = scatter("x", &[panel(vec![(1.0, 5.0), (2.0, -5.0)])]);
        let found = centres(&svg);
        assert!(found[0].0 < found[1].0 && found[0].1 < found[1].1, "{svg}");
        assert!(svg.contains("a &lt; b: 1.0, 5.0"));
    }

    #[test]
    fn what_is_not_finite_does_not_reach_the_drawing() {
        let svg = scatter("x", &[panel(vec![(f64::NAN, 1.0), (1.0, f64::INFINITY)])]);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(centres(&svg).is_empty());
    }

    #[test]
    fn names_at_one_place_do_not_lie_on_each_other() {
        let svg = names(&vec![(0.5, "a".to_owned()); 8], NAMED, |_| RIGHT);
        let places: Vec<f64> = svg
            .split("rotate(-90 ")
            .skip(1)
            .map(|part| part.split(' ').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(places.len(), 8);
        assert!(places.windows(2).all(|p| p[1] - p[0] > 12.0), "{places:?}");
        assert!(places.iter().all(|p| *p < WIDTH));
    }

    #[test]
    fn no_panel_is_still_a_document() {
        let svg = scatter("x", &[]);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }
}
