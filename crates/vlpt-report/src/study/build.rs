//! A page under construction: HTML, and the figures in it.

use std::fmt::Write as _;

use super::data::GainUnit;
use crate::escape::escape;
use crate::svg;

/// Stands for what is not known.
pub(super) const DASH: &str = "\u{2013}";

/// What has been written so far.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) html: String,
    /// Name and drawing of each figure; names are unique and fit for files.
    pub(super) figures: Vec<(String, String)>,
    /// Identifiers and headings of the sections.
    sections: Vec<(String, String)>,
}

impl Builder {
    /// A section with a heading; nothing where `body` writes nothing.
    pub(super) fn section(&mut self, id: &str, heading: &str, body: impl FnOnce(&mut Self)) {
        let start = self.html.len();
        body(self);
        if self.html.len() == start {
            return;
        }
        let head = format!("<section id=\"{id}\">\n<h2>{}</h2>\n", escape(heading));
        self.html.insert_str(start, &head);
        self.html += "</section>\n";
        self.sections.push((id.to_owned(), heading.to_owned()));
    }

    /// A heading within a section.
    pub(super) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.html, "<h3>{}</h3>", escape(text));
    }

    /// A paragraph of plain text.
    pub(super) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.html, "<p>{}</p>", escape(text));
    }

    /// A figure; `name` becomes part of a file name.
    pub(super) fn figure(&mut self, name: &str, drawing: &str, description: &str) {
        let drawing = svg::described(drawing, description);
        let slug = slug(name);
        let mut unique = slug.clone();
        let mut count = 1;
        while self.figures.iter().any(|(taken, _)| *taken == unique) {
            count += 1;
            unique = format!("{slug}-{count}");
        }
        let _ = write!(self.html, "<figure class=\"wide\">\n{drawing}</figure>\n");
        self.figures.push((unique, drawing));
    }

    /// A table that opens on demand.
    pub(super) fn details(&mut self, summary: &str, inner: &str) {
        let _ = write!(
            self.html,
            "<details><summary>{}</summary>\n{inner}</details>\n",
            escape(summary)
        );
    }

    /// Links to the sections; nothing for a short page.
    pub(super) fn contents(&self) -> String {
        if self.sections.len() < 3 {
            return String::new();
        }
        let mut html = "<nav aria-label=\"Contents\"><ul>\n".to_owned();
        for (id, heading) in &self.sections {
            let _ = writeln!(html, "<li><a href=\"#{id}\">{}</a></li>", escape(heading));
        }
        html + "</ul></nav>\n"
    }
}

/// A table: `head` and captions are plain text, the rows' cells are HTML made by [`row`].
pub(super) fn table<S: AsRef<str>>(caption: &str, head: &[S], rows: &[String]) -> String {
    let mut html = "<div class=\"wide\">\n<table class=\"numbers\">\n".to_owned();
    if !caption.is_empty() {
        let _ = writeln!(html, "<caption>{}</caption>", escape(caption));
    }
    html += "<thead><tr>";
    for column in head {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(column.as_ref()));
    }
    html += "</tr></thead>\n<tbody>\n";
    html += &rows.concat();
    html + "</tbody>\n</table>\n</div>\n"
}

/// A row: a name, then cells that are HTML already.
pub(super) fn row(name: &str, cells: &[String]) -> String {
    let cells = cells.concat();
    format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escape(name))
}

/// A cell of plain text.
pub(super) fn cell(text: &str) -> String {
    format!("<td>{}</td>", escape(text))
}

/// A cell of words rather than a number.
pub(super) fn words(text: &str) -> String {
    format!("<td class=\"text\">{}</td>", escape(text))
}

/// A gain in hundredths, signed, such as `+3.1`; zero has no sign.
pub(super) fn signed(gain: f64) -> String {
    let text = format!("{:+.1}", 100.0 * gain);
    match text.as_str() {
        "-0.0" | "+0.0" => "0.0".to_owned(),
        _ => text,
    }
}

/// Both ends of an interval of gains; a dash where they are not known.
pub(super) fn ends(low: f64, high: f64) -> String {
    if low.is_finite() && high.is_finite() {
        format!("{} to {}", signed(low), signed(high))
    } else {
        DASH.to_owned()
    }
}

/// A cell with a gain and its unit, in its colour.
pub(super) fn gain_cell(unit: GainUnit, gain: Option<f64>) -> String {
    coloured("td", gain, &unit.show(gain))
}

/// A cell with a gain in its colour, where the unit is said elsewhere.
pub(super) fn gain_number(gain: Option<f64>) -> String {
    coloured("td", gain, &number(gain))
}

/// A gain in its colour within a text, where the unit is said elsewhere.
pub(super) fn gain_word(gain: Option<f64>) -> String {
    coloured("span", gain, &number(gain))
}

fn number(gain: Option<f64>) -> String {
    let known = gain.filter(|gain| gain.is_finite());
    known.map_or_else(|| DASH.to_owned(), signed)
}

fn coloured(element: &str, gain: Option<f64>, text: &str) -> String {
    let class = match gain {
        Some(gain) if gain < 0.0 => " class=\"loss\"",
        Some(gain) if gain > 0.0 => " class=\"gain\"",
        _ => "",
    };
    format!("<{element}{class}>{}</{element}>", escape(text))
}

impl GainUnit {
    /// Its sign in tables and on axes.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Relative => "%",
            Self::Points => "points",
        }
    }

    /// A gain such as `+3.1 %`; a dash where it is not known.
    pub(super) fn show(self, gain: Option<f64>) -> String {
        match gain.filter(|gain| gain.is_finite()) {
            Some(gain) => format!("{} {}", signed(gain), self.sign()),
            None => DASH.to_owned(),
        }
    }

    /// What a gain is, in a sentence.
    pub(super) fn explained(self) -> &'static str {
        match self {
            Self::Relative => "Gains are relative: (score - baseline) / baseline, in per cent.",
            Self::Points => "Gains are differences of scores, in percentage points.",
        }
    }
}

/// Small letters, digits and single hyphens.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "figure" } else { slug }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_figures_are_file_names_and_unique() {
        let mut page = Builder::default();
        for name in ["a/../B  c", "A b-C", "\u{732b}"] {
            page.figure(name, "<svg><title>t</title>\n</svg>\n", "d");
        }
        let names: Vec<_> = page.figures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a-b-c", "a-b-c-2", "figure"]);
        assert!(page.figures[0].1.contains("<desc>d</desc>"));
    }

    #[test]
    fn gains_are_signed_and_unknown_ones_a_dash() {
        assert_eq!(GainUnit::Relative.show(Some(0.031)), "+3.1 %");
        assert_eq!(GainUnit::Points.show(Some(-0.1)), "-10.0 points");
        assert_eq!(GainUnit::Points.show(Some(f64::NAN)), "\u{2013}");
        assert!(gain_cell(GainUnit::Points, Some(-0.1)).contains("class=\"loss\""));
    }

    #[test]
    fn a_section_without_a_body_is_left_out() {
        let mut page = Builder::default();
        page.section("none", "None", |_| {});
        assert!(page.html.is_empty() && page.sections.is_empty());
    }
}
