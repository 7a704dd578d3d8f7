//! The tables of a benchmark, as a paper has them.

mod by_image;
mod calibration;
mod harmonic;

use std::path::{Path, PathBuf};

use vlpt_base::files::write_atomic;
use vlpt_data::catalogue;
use vlpt_tables::published::{self, Ours};
use vlpt_tables::{Average, Comparison, Format, Results, Table};

use crate::file::BenchFile;
use crate::protocol::Protocol;
use crate::results::Collected;
use crate::{BenchError, Result};

use harmonic::{harmonic, mean};

/// The tables of a benchmark.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tables {
    /// Each with the name of its files.
    pub tables: Vec<(String, Table)>,
    /// Averages beside published figures, as Markdown; empty where nothing was measured.
    pub published: String,
    /// What departs from the protocol as it was published, and what is not there yet.
    pub notes: Vec<String>,
}

/// Sums up what was measured: a table for each measure and number of shots, harmonic means of averages where
/// classes were halved, and published figures beside.
///
/// # Errors
/// `against` that was not measured.
pub fn tables(collected: &Collected, against: Option<&str>) -> Result<Tables> {
    let (file, results) = (&collected.file, &collected.results);
    let protocol = file.protocol()?;
    let mut all = Tables::default();
    if results.scores().is_empty() {
        return Ok(all);
    }
    if let Some(method) = against
        && !results.methods().contains(&method)
    {
        return Err(BenchError::choice(
            format!("the results have no method \"{method}\""),
            format!("they have {}", results.methods().join(", ")),
        ));
    }
    let measures = protocol.measures();
    let source = collected.source.as_deref();
    let without = without(protocol, file, results, source);
    let (mut ours, mut numbers) = (Vec::new(), Vec::new());
    for shots in results.shots() {
        let mut compared = Vec::new();
        for measure in &measures {
            let own = results.measured(Some(*measure));
            let Ok(own) = own.and_then(|own| own.at(shots)) else {
                continue;
            };
            // an unfinished benchmark has not everything everywhere
            let (tasks, methods) = (own.tasks(), own.methods());
            let without: Vec<String> = without
                .iter()
                .filter(|task| tasks.contains(&task.as_str()))
                .cloned()
                .collect();
            let against = against.filter(|method| methods.contains(method));
            let comparison = Comparison::new(&own, Some(shots), &without, against)?;
            let name = |what: &str| format!("{measure}{what}-{shots}");
            let mut table = comparison.values();
            table.caption = format!("{}, {measure}. {}", protocol.name, table.caption);
            all.tables.push((name(""), table));
            if !comparison.pairs.is_empty() {
                all.tables.push((name("-tests"), comparison.tests()));
            }
            compared.push((*measure, comparison));
        }
        if let [(_, base), (_, new)] = &compared[..] {
            all.tables
                .push((format!("harmonic-mean-{shots}"), harmonic(base, new)));
        }
        for measure in &measures {
            if let (Some(reference), Ok(count)) = (against, shots.parse()) {
                let found = by_image::table(&collected.answers, count, measure, reference)?;
                all.tables
                    .extend(found.map(|table| (format!("{measure}-by-image-{shots}"), table)));
            }
            if let Some(table) = calibration::table(results, shots, measure) {
                let part = if *measure == vlpt_tables::SCORE {
                    String::new()
                } else {
                    format!("-{measure}")
                };
                all.tables
                    .push((format!("calibration{part}-{shots}"), table));
            }
        }
        if let Ok(count) = shots.parse::<usize>() {
            ours.extend(averages(count, &compared, source));
            let tasks = compared.first().and_then(|(_, own)| counted(own, source));
            numbers.extend(tasks.map(|average| format!("{} with {shots} shots", average.tasks)));
        }
    }
    all.published = beside(protocol, &ours, &numbers.join(", "));
    if collected.missing > 0 {
        let (missing, jobs) = (collected.missing, collected.jobs);
        all.notes
            .push(format!("{missing} of {jobs} jobs have no result yet"));
    }
    all.notes.extend(file.departures.iter().cloned());
    Ok(all)
}

impl Tables {
    /// Writes every table as CSV, Markdown, LaTeX and HTML below `tables/`, and `published.md`; gives the paths.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        let folder = dir.join("tables");
        fs_err::create_dir_all(&folder)?;
        let mut paths = Vec::new();
        let mut put = |name: String, text: &str| -> Result<()> {
            let path = folder.join(name);
            write_atomic(&path, text.as_bytes())?;
            paths.push(path);
            Ok(())
        };
        for (name, table) in &self.tables {
            for format in Format::ALL {
                put(format!("{name}.{}", format.ending()), &table.write(format))?;
            }
        }
        if !self.published.is_empty() {
            put("published.md".to_owned(), &self.published)?;
        }
        Ok(paths)
    }
}

/// Tasks that a second average leaves out: the set that decides too much, and the one that was trained on for
/// all others.
fn without(
    protocol: &Protocol,
    file: &BenchFile,
    results: &Results,
    source: Option<&str>,
) -> Vec<String> {
    let measured = results.tasks();
    if measured.len() < 2 {
        return Vec::new();
    }
    let title = |name: &str| {
        let full = file.tasks.iter().find(|task| task.name == name)?;
        catalogue::find(&full.full_name).map(|entry| entry.title.clone())
    };
    let named = |name: &&str| {
        !protocol.without.is_empty() && title(name).as_deref() == Some(protocol.without)
    };
    let set = measured.iter().copied().find(named);
    let source = source.filter(|name| measured.contains(name));
    set.into_iter().chain(source).map(str::to_owned).collect()
}

/// The average that counts: over all tasks but the one that was trained on for all others.
fn counted<'a>(comparison: &'a Comparison, source: Option<&str>) -> Option<&'a Average> {
    let mut averages = comparison.averages.iter();
    averages.find(|average| average.without.iter().map(String::as_str).eq(source))
}

/// Averages over all tasks (over all but the source, where one is trained on for all), and their harmonic
/// means, by measure.
fn averages(
    shots: usize,
    compared: &[(&str, Comparison)],
    source: Option<&str>,
) -> Vec<(String, Ours)> {
    let mut all = Vec::new();
    for (measure, comparison) in compared {
        let Some(counted) = counted(comparison, source) else {
            continue;
        };
        for (method, average) in comparison.methods.iter().zip(&counted.methods) {
            all.extend(average.as_ref().map(|average| {
                let ours = Ours {
                    method: method.clone(),
                    shots,
                    value: average.mean,
                    interval: average.half(),
                };
                ((*measure).to_owned(), ours)
            }));
        }
    }
    if let [(_, base), (_, new)] = compared {
        for (at, method) in base.methods.iter().enumerate() {
            let other = new.methods.iter().position(|known| known == method);
            let values = other.and_then(|other| {
                Some((
                    base.averages[0].methods[at]?,
                    new.averages[0].methods[other]?,
                ))
            });
            all.extend(values.map(|(a, b)| {
                let ours = Ours {
                    method: method.clone(),
                    shots,
                    value: mean(a.mean, b.mean),
                    interval: None,
                };
                ("harmonic-mean".to_owned(), ours)
            }));
        }
    }
    all
}

/// Our averages beside the published ones, a table for each measure that has some.
fn beside(protocol: &Protocol, ours: &[(String, Ours)], numbers: &str) -> String {
    let (name, dataset) = protocol.published;
    let mut texts = Vec::new();
    for measure in ["score", "accuracy", "base", "new", "harmonic-mean"] {
        let there = published::published().iter().any(|figure| {
            figure.protocol == name && figure.dataset == dataset && figure.measure == measure
        });
        if !there {
            continue;
        }
        // the task's own metric is accuracy where accuracies are published
        let own: Vec<Ours> = ours
            .iter()
            .filter(|(known, _)| known == measure || (known == "score" && measure == "accuracy"))
            .map(|(_, ours)| ours.clone())
            .collect();
        if !own.is_empty() {
            texts.push(format!(
                "## {measure}, published: {dataset}\n\nOurs are averages over n tasks: {numbers}.\n\n{}",
                published::beside(&own, name, dataset, measure)
            ));
        }
    }
    texts.join("\n")
}
