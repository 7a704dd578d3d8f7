//! The report of one run.

use std::fmt::Write as _;
use std::path::Path;

use crate::data::{Confusion, Curve, Example, Fact, KeyNumber};
use crate::error::Result;
use crate::{file, page, sections};

/// What one run gave; empty parts are left out of the page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunReport {
    /// The title of the page.
    pub title: String,
    /// One or two sentences below the title.
    pub summary: String,
    /// The large numbers on top.
    pub key_numbers: Vec<KeyNumber>,
    /// How training went.
    pub curve: Curve,
    /// Which classes were taken for which.
    pub confusion: Confusion,
    /// Images with what the model made of them.
    pub examples: Vec<Example>,
    /// How the run was made.
    pub facts: Vec<Fact>,
    /// The commands that made it.
    pub commands: Vec<String>,
}

impl RunReport {
    /// The page: one HTML document.
    pub fn render(&self) -> String {
        let (right, wrong): (Vec<_>, Vec<_>) =
            self.examples.iter().cloned().partition(Example::is_right);
        let mut images = String::new();
        for (heading, examples) in [("Right", right), ("Wrong", wrong)] {
            if !examples.is_empty() {
                let _ = write!(
                    images,
                    "<h3>{heading}</h3>\n{}",
                    sections::examples(&examples)
                );
            }
        }
        let body = [
            sections::key_numbers(&self.key_numbers),
            sections::section("Learning curve", &sections::curve(&self.curve)),
            sections::section(
                "What was taken for what",
                &sections::confusion(&self.confusion),
            ),
            sections::section("Examples", &images),
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
