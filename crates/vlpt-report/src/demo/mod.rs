//! The report of several tasks, zero-shot against tuned, and what they do for each other.

mod multitask;

use std::fmt::Write as _;
use std::path::Path;

use crate::data::{Confusion, Curve, Example, Fact, KeyNumber, TaskResult, percent};
use crate::error::Result;
use crate::escape::escape;
use crate::svg::{self, Bar, BarChart};
use crate::{file, page, sections};

pub use multitask::MultitaskSection;

/// What was measured on several tasks; empty parts are left out of the page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DemoReport {
    /// The title of the page.
    pub title: String,
    /// One or two sentences below the title.
    pub summary: String,
    /// The large numbers on top.
    pub key_numbers: Vec<KeyNumber>,
    /// The tasks, in the order of the page.
    pub tasks: Vec<TaskSection>,
    /// The tasks together.
    pub multitask: Option<MultitaskSection>,
    /// How it was made.
    pub facts: Vec<Fact>,
    /// The commands that made it.
    pub commands: Vec<String>,
}

/// One task of a [`DemoReport`].
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSection {
    /// The numbers.
    pub result: TaskResult,
    /// How training went.
    pub curve: Curve,
    /// Which classes the tuned prompt took for which.
    pub confusion: Confusion,
    /// Images with what the tuned prompt made of them.
    pub examples: Vec<Example>,
}

impl DemoReport {
    /// The page: one HTML document.
    pub fn render(&self) -> String {
        let mut body = sections::key_numbers(&self.key_numbers);
        if !self.tasks.is_empty() {
            body += &sections::section("Zero-shot against tuned", &self.comparison());
        }
        for (i, task) in self.tasks.iter().enumerate() {
            let name = escape(&task.result.name);
            let _ = writeln!(body, "<section id=\"task-{i}\">\n<h2>{name}</h2>");
            body += &task.render();
            body += "</section>\n";
        }
        if let Some(multitask) = &self.multitask {
            body += &multitask.render();
        }
        body += &sections::section("How it was made", &sections::facts(&self.facts));
        body += &sections::section("Commands", &sections::commands(&self.commands));
        page::page(&self.title, &self.summary, &body)
    }

    /// Writes the page to a file: whole or not at all. Missing folders are made.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        file::write(path, &self.render())
    }

    fn comparison(&self) -> String {
        let bars = self
            .tasks
            .iter()
            .map(|task| Bar {
                name: task.result.name.clone(),
                values: vec![task.result.zero_shot, task.result.tuned],
            })
            .collect();
        let chart = svg::bar_chart(&BarChart {
            title: "Accuracy on test images, with 95 % intervals".to_owned(),
            methods: vec!["zero-shot".to_owned(), "tuned".to_owned()],
            bars,
        });
        let mut html =
            format!("<figure class=\"wide\">\n{chart}</figure>\n<div class=\"wide\">\n<table>\n");
        html += "<thead><tr>";
        for column in [
            "task",
            "classes",
            "test images",
            "zero-shot",
            "tuned",
            "95 % interval",
            "gain",
        ] {
            let _ = write!(html, "<th scope=\"col\">{column}</th>");
        }
        html += "</tr></thead>\n<tbody>\n";
        for (i, task) in self.tasks.iter().enumerate() {
            let result = &task.result;
            let gain = 100.0 * (result.tuned.value - result.zero_shot.value);
            let class = if gain < 0.0 { "loss" } else { "gain" };
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\"><a href=\"#task-{i}\">{}</a></th><td>{}</td><td>{}</td>\
                 <td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{gain:+.1}</td></tr>",
                escape(&result.name),
                result.classes,
                result.images,
                percent(result.zero_shot.value),
                percent(result.tuned.value),
                result.tuned.range()
            );
        }
        html + "</tbody>\n</table>\n</div>\n"
    }
}

impl TaskSection {
    fn render(&self) -> String {
        let mut html = format!(
            "<p>{} classes, {} test images: {} zero-shot, {} tuned ({}).</p>\n",
            self.result.classes,
            self.result.images,
            percent(self.result.zero_shot.value),
            percent(self.result.tuned.value),
            self.result.tuned.range()
        );
        html += &sections::curve(&self.curve);
        for (heading, part) in [
            (
                "What was taken for what",
                sections::confusion(&self.confusion),
            ),
            ("Examples", sections::examples(&self.examples)),
        ] {
            if !part.is_empty() {
                let _ = write!(html, "<h3>{heading}</h3>\n{part}");
            }
        }
        html
    }
}
