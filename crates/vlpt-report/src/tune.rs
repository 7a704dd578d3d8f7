//! The report of photos made into a classifier.

use std::fmt::Write as _;
use std::path::Path;

use crate::data::{Confusion, Fact, KeyNumber, percent};
use crate::error::Result;
use crate::escape::escape;
use crate::picture::Picture;
use crate::svg::{self, LineChart, Series};
use crate::{file, page, sections};

/// What came of a folder of photos; empty parts are left out of the page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TuneReport {
    /// The title of the page.
    pub title: String,
    /// What was chosen and why, below the title.
    pub summary: String,
    /// The large numbers on top.
    pub key_numbers: Vec<KeyNumber>,
    /// What the reader should know before all else.
    pub notes: Vec<String>,
    /// What was tried.
    pub tried: Vec<TriedMethod>,
    /// How accuracy grows with photos.
    pub growth: Growth,
    /// Which held-out photos were taken for what.
    pub confusion: Confusion,
    /// The photos behind its cells.
    pub cells: Vec<Gallery>,
    /// Photos that may be labelled wrong.
    pub suspects: Vec<Photo>,
    /// Photos that are copies of each other.
    pub copies: Vec<Gallery>,
    /// Photos that could hardly be decided.
    pub boundary: Vec<Photo>,
    /// Where the model looks on some of these.
    pub attention: Vec<Photo>,
    /// How it was made.
    pub facts: Vec<Fact>,
    /// Commands that go on.
    pub commands: Vec<String>,
}

/// A candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct TriedMethod {
    /// Its name.
    pub name: String,
    /// What it does, in a few words.
    pub what: String,
    /// Share of the held-out photos that it was right on, where it was measured.
    pub share: Option<f64>,
    /// Seconds that it took.
    pub seconds: f64,
    /// Why it was left out, or that it was chosen.
    pub remark: String,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// Accuracy by photos a class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Growth {
    /// Measured points: photos a class, accuracy.
    pub measured: Vec<(f64, f64)>,
    /// Points of the law through them, up to the forecast.
    pub law: Vec<(f64, f64)>,
    /// What it says, in sentences.
    pub sentences: Vec<String>,
}

/// A photo with its name and a line below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Photo {
    /// The picture, where it is shown.
    pub picture: Option<Picture>,
    /// What the photo is called.
    pub name: String,
    /// What is said of it.
    pub caption: String,
}

/// Photos that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Gallery {
    /// What they have in common.
    pub heading: String,
    /// The photos.
    pub photos: Vec<Photo>,
    /// How many more there are.
    pub more: usize,
}

impl TuneReport {
    /// The page: one HTML document.
    pub fn render(&self) -> String {
        let boundary = photos(&self.boundary);
        let body = [
            sections::key_numbers(&self.key_numbers),
            notes(&self.notes),
            sections::section("What was tried", &tried(&self.tried)),
            sections::section("More photos", &growth(&self.growth)),
            sections::section(
                "What was taken for what",
                &(sections::confusion(&self.confusion) + &galleries(&self.cells)),
            ),
            sections::section("Labels to look at", &photos(&self.suspects)),
            sections::section("The same photo twice", &galleries(&self.copies)),
            sections::section("Nearest the boundary", &boundary),
            sections::section("Where the model looks", &wide(&self.attention)),
            sections::section("How it was made", &sections::facts(&self.facts)),
            sections::section("Commands", &sections::commands(&self.commands)),
        ];
        page::page(&self.title, &self.summary, &body.concat())
    }

    /// Writes the page to a file: whole or not at all. Missing folders are made.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        file::write(path, &self.render())
    }
}

fn notes(notes: &[String]) -> String {
    let mut html = String::new();
    for note in notes {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escape(note));
    }
    html
}

fn tried(rows: &[TriedMethod]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut html = "<div class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">method</th><th scope=\"col\">what it \
                    does</th><th scope=\"col\">right on held-out photos</th><th scope=\"col\">seconds</th><th \
                    scope=\"col\"></th></tr></thead>\n<tbody>\n"
        .to_owned();
    for row in rows {
        let name = escape(&row.name);
        let name = if row.chosen {
            format!("<strong>{name}</strong>")
        } else {
            name
        };
        let share = row.share.map_or_else(|| "\u{2013}".to_owned(), percent);
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{name}</th><td class=\"text\">{}</td><td>{share}</td><td>{:.1}</td><td \
             class=\"text\">{}</td></tr>",
            escape(&row.what),
            row.seconds,
            escape(&row.remark)
        );
    }
    html + "</tbody>\n</table>\n</div>\n"
}

fn growth(growth: &Growth) -> String {
    let mut html = String::new();
    for sentence in &growth.sentences {
        let _ = writeln!(html, "<p>{}</p>", escape(sentence));
    }
    if growth.measured.len() < 2 {
        return html;
    }
    let line = |name: &str, colour, points: &[(f64, f64)]| Series {
        name: name.to_owned(),
        points: points.to_vec(),
        colour,
    };
    let mut series = vec![line("measured", 0, &growth.measured)];
    if !growth.law.is_empty() {
        series.push(line("continued", 1, &growth.law));
    }
    let chart = svg::line_chart(&LineChart {
        title: "Accuracy".to_owned(),
        x_label: "photos a class".to_owned(),
        series,
        mark: None,
        percent: true,
    });
    let _ = write!(
        html,
        "<figure>\n{chart}</figure>\n<details><summary>The curve as numbers</summary>\n<table>\n<thead><tr><th \
         scope=\"col\">photos a class</th><th scope=\"col\">accuracy</th></tr></thead>\n<tbody>\n"
    );
    for (count, share) in &growth.measured {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{count:.1}</th><td>{}</td></tr>",
            percent(*share)
        );
    }
    html + "</tbody>\n</table>\n</details>\n"
}

/// Small photos in a row.
fn photos(all: &[Photo]) -> String {
    list(all, "examples")
}

/// Drawings that need their width.
fn wide(all: &[Photo]) -> String {
    let mut html = String::new();
    for photo in all {
        if let Some(uri) = photo.picture.as_ref().and_then(Picture::data_uri) {
            let _ = writeln!(
                html,
                "<figure class=\"wide\"><img src=\"{uri}\" alt=\"{}\"><figcaption>{}: {}</figcaption></figure>",
                escape(&photo.name),
                escape(&photo.name),
                escape(&photo.caption)
            );
        }
    }
    html
}

fn list(all: &[Photo], class: &str) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut html = format!("<ul class=\"{class}\">\n");
    for photo in all {
        let uri = photo.picture.as_ref().and_then(Picture::data_uri);
        let name = escape(&photo.name);
        // The whole name where there is room for it.
        let last = photo.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let last = escape(last);
        let image = uri.map_or_else(String::new, |uri| {
            format!("<img src=\"{uri}\" alt=\"{name}\" title=\"{name}\">")
        });
        let _ = writeln!(
            html,
            "<li>{image}<div><span class=\"verdict\" title=\"{name}\">{last}</span><div>{}</div></div></li>",
            escape(&photo.caption)
        );
    }
    html + "</ul>\n"
}

fn galleries(all: &[Gallery]) -> String {
    let mut html = String::new();
    for gallery in all {
        let more = match gallery.more {
            0 => String::new(),
            more => format!("<p class=\"note\">and {more} more</p>\n"),
        };
        let _ = write!(
            html,
            "<details><summary>{}</summary>\n{}{more}</details>\n",
            escape(&gallery.heading),
            photos(&gallery.photos)
        );
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_a_user_is_escaped_and_empty_parts_are_left_out() {
        const EVIL: &str = "<b onclick='x'>&";
        let text = || EVIL.to_owned();
        let photo = || Photo {
            picture: Some(Picture {
                width: 1,
                height: 1,
                rgb: vec![1, 2, 3],
            }),
            name: text(),
            caption: text(),
        };
        let gallery = || Gallery {
            heading: text(),
            photos: vec![photo()],
            more: 2,
        };
        let report = TuneReport {
            title: text(),
            summary: text(),
            notes: vec![text()],
            tried: vec![TriedMethod {
                name: text(),
                what: text(),
                share: Some(0.5),
                seconds: 1.0,
                remark: text(),
                chosen: true,
            }],
            growth: Growth {
                measured: vec![(1.0, 0.5), (2.0, 0.6)],
                law: vec![(1.0, 0.5), (20.0, 0.8)],
                sentences: vec![text()],
            },
            cells: vec![gallery()],
            suspects: vec![photo()],
            copies: vec![gallery()],
            boundary: vec![photo()],
            attention: vec![photo()],
            ..TuneReport::default()
        };
        let page = report.render();
        assert!(!page.contains("<b onclick"), "{page}");
        assert!(page.contains("and 2 more") && page.contains("Where the model looks"));
        let empty = TuneReport::default().render();
        assert!(!empty.contains("<section>"), "{empty}");
    }
}
