//! Figures as SVG documents: pure functions, no state, usable in a page and in a paper.
//!
//! Colours are given as attributes, for a white ground; a page overrides them by the classes
//! `fg` (text), `axis`, `grid` and `s0`, `s1`, ... (series) where it is shown in the dark.

mod axis;
mod bars;
mod confusion;
mod curves;
mod dendrogram;
mod gap;
mod heatmap;
mod line;
mod ranks;
mod scale;
mod scatter;
mod whisker;

pub use bars::{Bar, BarChart, bar_chart};
pub use confusion::confusion;
pub(crate) use confusion::shade;
pub use curves::{CurveLine, Curves, curves};
pub use dendrogram::{Merge, Tree, dendrogram};
pub use gap::Gap;
pub use heatmap::{HeatCell, HeatMap, heat_map};
pub use line::{LineChart, Series, line_chart};
pub use ranks::{RankChart, rank_chart};
pub use scale::HeatScale;
pub use scatter::{Dot, Dots, Scatter, scatter};
pub use whisker::{WhiskerChart, WhiskerRow, whisker_chart};

use crate::escape::escape;

/// Colours of series, told apart also by the colour-blind and in grey (after Okabe and Ito).
pub(crate) const SERIES: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// Text and its colour on white.
const INK: &str = "#1f2933";
/// Axis lines.
const AXIS: &str = "#7b8794";
/// Grid lines.
const GRID: &str = "#e4e7eb";

/// An open SVG document of this size with a title for those who cannot see it.
fn open(width: f64, height: f64, title: &str) -> String {
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\" \
         font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\" \
         font-size=\"12\">\n<title>{title}</title>\n"
    )
}

/// A text; `anchor` is `start`, `middle` or `end`.
fn text(x: f64, y: f64, anchor: &str, content: &str) -> String {
    let content = escape(content);
    format!(
        "<text class=\"fg\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{INK}\">\
         {content}</text>\n"
    )
}

/// A text that runs upwards.
fn upright(x: f64, y: f64, anchor: &str, content: &str) -> String {
    let turned = format!("<text transform=\"rotate(-90 {x:.1} {y:.1})\"");
    text(x, y, anchor, content).replacen("<text", &turned, 1)
}

/// About the width of a text of 12 units: rather too much, since fonts differ.
fn width_of(text: &str) -> f64 {
    // scripts of East Asia are about square
    let one = |c| if c < '\u{1100}' { 7.0 } else { 12.5 };
    text.chars().map(one).sum()
}

/// Width of a drawing in which a heading has room.
fn heading_width(title: &str) -> f64 {
    1.2 * width_of(title) + 16.0
}

/// A drawing with a description for those who cannot see it, after its title.
pub(crate) fn described(svg: &str, description: &str) -> String {
    let both = format!("</title>\n<desc>{}</desc>\n", escape(description));
    svg.replacen("</title>\n", &both, 1)
}

/// A text in bold.
fn heading(x: f64, y: f64, content: &str) -> String {
    let content = escape(content);
    format!(
        "<text class=\"fg\" x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{INK}\" font-weight=\"600\" \
         font-size=\"13\">{content}</text>\n"
    )
}

/// A straight line of one of the classes `axis` and `grid`.
fn rule(class: &str, from: (f64, f64), to: (f64, f64)) -> String {
    let colour = if class == "grid" { GRID } else { AXIS };
    format!(
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" \
         stroke=\"{colour}\"/>\n",
        from.0, from.1, to.0, to.1
    )
}

/// `text` cut to at most `most` characters, with an ellipsis where it was longer.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('\u{2026}');
    short
}
