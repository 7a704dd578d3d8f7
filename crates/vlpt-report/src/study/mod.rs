//! The report of a transfer study: which task helps which, and whether similarity tells it.

mod best;
mod build;
mod data;
mod gains;
mod groups;
mod maps;
mod similarity;

use std::fmt::Write as _;
use std::path::Path;

pub use data::{GainUnit, Measure, Measured, Target, Transfer, TransferCell, TransferMap};
pub use gains::{GainChart, SeedGain, TaskGains};
pub use groups::{Grouping, Member};
pub use similarity::{Pair, SimilarityPanel};

use self::build::Builder;
use crate::data::{Fact, KeyNumber};
use crate::error::Result;
use crate::escape::escape;
use crate::{file, page, sections};

/// What a study found; empty parts are left out of the page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyReport {
    /// The title of the page.
    pub title: String,
    /// One or two sentences below the title.
    pub summary: String,
    /// The large numbers on top.
    pub key_numbers: Vec<KeyNumber>,
    /// What gains are, everywhere on the page.
    pub unit: GainUnit,
    /// Gains task by task.
    pub gains: Vec<GainChart>,
    /// Who helps whom.
    pub maps: Vec<TransferMap>,
    /// Similarity against transfer.
    pub similarities: Vec<SimilarityPanel>,
    /// Groups that share a prompt.
    pub groupings: Vec<Grouping>,
    /// What a reader must know before quoting a number.
    pub notes: Vec<String>,
    /// How it was made: models, shots, seeds, recipe.
    pub facts: Vec<Fact>,
    /// The commands that made it.
    pub commands: Vec<String>,
}

impl StudyReport {
    /// The page: one HTML document.
    pub fn render(&self) -> String {
        let built = self.build();
        let body = [
            sections::key_numbers(&self.key_numbers),
            built.contents(),
            built.html,
        ];
        page::page(&self.title, &self.summary, &body.concat())
    }

    /// Every figure of the page by itself: a name that is fit for a file, and an SVG document with
    /// its colours in it, for a white ground.
    pub fn figures(&self) -> Vec<(String, String)> {
        self.build().figures
    }

    /// Writes the page to a file: whole or not at all. Missing folders are made.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        file::write(path, &self.render())
    }

    /// Writes every figure as `<name>.svg` into a folder, each whole or not at all.
    ///
    /// # Errors
    /// The folder or a file cannot be written.
    pub fn write_figures(&self, folder: &Path) -> Result<()> {
        for (name, drawing) in self.figures() {
            file::write(&folder.join(format!("{name}.svg")), &drawing)?;
        }
        Ok(())
    }

    fn build(&self) -> Builder {
        let mut page = Builder::default();
        page.section("gains", "Gains task by task", |page| {
            gains::write(page, &self.gains, self.unit);
        });
        maps::write(&mut page, &self.maps, self.unit);
        page.section("similarity", "Similarity against transfer", |page| {
            similarity::write(page, &self.similarities, self.unit);
        });
        page.section("groups", "Groups", |page| {
            groups::write(page, &self.groupings, self.unit);
        });
        page.section("notes", "Notes", |page| page.html += &notes(&self.notes));
        page.section("facts", "How it was made", |page| {
            page.html += &sections::facts(&self.facts);
        });
        page.section("commands", "Commands", |page| {
            page.html += &sections::commands(&self.commands);
        });
        page
    }
}

/// The sections of transfer maps alone, for another page.
pub(crate) fn maps_html(maps: &[TransferMap], unit: GainUnit) -> String {
    let mut page = Builder::default();
    maps::write(&mut page, maps, unit);
    page.html
}

fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let mut html = "<ul>\n".to_owned();
    for note in notes {
        let _ = writeln!(html, "<li>{}</li>", escape(note));
    }
    html + "</ul>\n"
}
