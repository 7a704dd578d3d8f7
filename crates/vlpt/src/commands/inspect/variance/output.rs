//! The analysis as text, CSV and figure.

use std::path::Path;

use vlpt_base::files::write_atomic;
use vlpt_inspect::csv_text;
use vlpt_inspect::rank::RankCorrelation;
use vlpt_report::svg::{Dot, Dots, Scatter, scatter};

use super::{Analysis, Correlation, Row, SIDES, Side, pairs};
use crate::console::{Console, table};
use crate::error::CliError;

impl Analysis {
    /// Writes variance.csv, and variance.svg where something was `drawn`.
    pub(super) fn write(
        &self,
        folder: &Path,
        drawn: bool,
        console: &Console,
    ) -> Result<(), CliError> {
        fs_err::create_dir_all(folder)?;
        let csv = folder.join("variance.csv");
        write_atomic(&csv, self.csv().as_bytes())?;
        console.say(format!("wrote {}", csv.display()));
        if drawn {
            let svg = folder.join("variance.svg");
            write_atomic(&svg, self.svg().as_bytes())?;
            console.say(format!("wrote {}", svg.display()));
        }
        Ok(())
    }

    /// Task, counts, variances and the gains of the three families, a row for each task.
    fn rows(&self, variance: fn(f64) -> String, points: fn(f64) -> String) -> Vec<Vec<String>> {
        let row = |row: &Row| {
            let v = &row.variances;
            let gain = |family: &str| {
                let found = row.gains.iter().find(|gain| gain.family == family);
                found.map_or(String::new(), |gain| points(gain.gain.points))
            };
            let counts = [v.classes, v.images, v.fewest].map(|count| count.to_string());
            let mut cells = vec![v.task.clone()];
            cells.extend(counts);
            cells.extend([v.visual, v.text].map(variance));
            cells.extend(["text", "visual", "unified"].map(gain));
            cells
        };
        self.tasks.iter().map(row).collect()
    }

    fn csv(&self) -> String {
        let mut rows = self.rows(|variance| variance.to_string(), |points| points.to_string());
        for row in &mut rows {
            row.insert(1, self.split.to_owned());
        }
        let header = [
            "task",
            "split",
            "classes",
            "images",
            "fewest_images_of_a_class",
            "intra_class_visual_variance",
            "inter_class_text_variance",
            "text_gain",
            "visual_gain",
            "unified_gain",
        ];
        csv_text(&header, &rows)
    }

    fn svg(&self) -> String {
        let panel = |(name, label, side): Side| {
            let of_side = || self.correlations.iter().filter(|c| c.variance == name);
            let kinds = of_side().enumerate().map(|(colour, c)| Dots {
                name: format!("{} ({})", c.family, c.method),
                colour,
                dots: pairs(&self.tasks, side, c.family)
                    .map(|(row, at)| Dot {
                        name: format!("{}, {}", row.variances.task, c.family),
                        at,
                    })
                    .collect(),
            });
            let with_gains = self.tasks.iter().filter(|row| !row.gains.is_empty());
            Scatter {
                title: format!("Gain against {label}"),
                x_label: format!("{label}, {} images", self.split),
                y_label: "gain over zero-shot, points".to_owned(),
                marks: with_gains
                    .map(|row| (side(&row.variances), row.variances.task.clone()))
                    .collect(),
                series: kinds.collect(),
                notes: of_side().map(Correlation::words).collect(),
            }
        };
        scatter("Gains of prompts against variances", &SIDES.map(panel))
    }

    /// What is printed for people.
    pub(super) fn text(&self) -> String {
        let mut header = vec![
            "task",
            "classes",
            "images",
            "fewest",
            "visual variance",
            "text variance",
        ];
        if self.shots.is_some() {
            header.extend(["text gain", "visual gain", "unified gain"]);
        }
        let mut rows = self.rows(|v| format!("{v:.4}"), |points| format!("{points:+.1}"));
        for row in &mut rows {
            row.truncate(header.len());
        }
        let mut text = format!(
            "{}, {} images: intra-class visual and inter-class text variance\n{}",
            self.model,
            self.split,
            table(&header, &rows)
        );
        if let Some(shots) = &self.shots {
            text += &format!("\n\nrank correlations with gains at {shots} shots\n");
            let lines = self
                .correlations
                .iter()
                .map(|c| format!("{} variance: {}", c.variance, c.words()));
            text += &lines.collect::<Vec<_>>().join("\n");
        }
        text + "\n\n" + &self.caveat
    }
}

impl Correlation {
    fn words(&self) -> String {
        let RankCorrelation { n, rho, p } = self.found;
        let rho = rho.map_or("none".to_owned(), |rho| format!("{rho:+.2}"));
        let p = p.map_or(String::new(), |p| format!(", exact p {p:.3}"));
        format!("{} ({}): rho {rho}, n {n}{p}", self.family, self.method)
    }
}
