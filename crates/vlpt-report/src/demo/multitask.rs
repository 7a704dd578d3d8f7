//! Several tasks and one prompt: what it does for others, and which task helps which.

use std::fmt::Write as _;

use crate::data::percent;
use crate::escape::escape;
use crate::sections;
use crate::study::{GainUnit, TransferMap, maps_html};
use crate::svg::{self, Bar, BarChart};

/// What tasks did for each other; texts are plain.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MultitaskSection {
    /// What was done.
    pub lead: String,
    /// Ways to a prompt for a target.
    pub methods: Vec<String>,
    /// A value for each way and target: shares from 0 to 1.
    pub targets: Vec<Bar>,
    /// What the values say.
    pub verdict: String,
    /// Which task helps which; gains are relative.
    pub maps: Vec<TransferMap>,
    /// What the maps say, and where more is to be read.
    pub outlook: String,
}

impl MultitaskSection {
    pub(super) fn render(&self) -> String {
        let mut body = paragraph(&self.lead);
        if !self.targets.is_empty() {
            let chart = svg::bar_chart(&BarChart {
                title: "Accuracy on test images, with 95 % intervals over seeds".to_owned(),
                methods: self.methods.clone(),
                bars: self.targets.clone(),
            });
            body += &format!("<figure class=\"wide\">\n{chart}</figure>\n");
            body += &self.table();
        }
        body += &paragraph(&self.verdict);
        sections::section("One prompt for many tasks", &body)
            + &maps_html(&self.maps, GainUnit::Relative)
            + &paragraph(&self.outlook)
    }

    fn table(&self) -> String {
        let mut html =
            "<div class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">task</th>".to_owned();
        for method in &self.methods {
            let _ = write!(html, "<th scope=\"col\">{}</th>", escape(method));
        }
        html += "</tr></thead>\n<tbody>\n";
        for bar in &self.targets {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(&bar.name));
            for value in &bar.values {
                let _ = write!(html, "<td>{}", percent(value.value));
                if value.low.is_finite() && value.high.is_finite() {
                    let _ = write!(html, " ({})", value.range());
                }
                html += "</td>";
            }
            html += "</tr>\n";
        }
        html + "</tbody>\n</table>\n</div>\n"
    }
}

fn paragraph(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("<p>{}</p>\n", escape(text))
}
