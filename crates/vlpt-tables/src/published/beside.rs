//! A table of one's own figures with the published ones beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Published, comparable, key, published};

/// A figure of one's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Ours {
    /// The method's name in this program.
    pub method: String,
    /// Training images a class; 0 for none.
    pub shots: usize,
    /// The value, in percent.
    pub value: f64,
    /// Half the width of its interval in percent, where there is one.
    pub interval: Option<f64>,
}

/// A Markdown table for one protocol, data set and measure: a line a method, for each number of shots
/// what was measured here (`ours`) and what others published, largest published value first; a published
/// value that was not read in its source is marked with `?`, and several sources of one figure stand
/// beside each other. Notes on single figures and on what is comparable follow.
pub fn beside(ours: &[Ours], protocol: &str, dataset: &str, measure: &str) -> String {
    let wanted = |figure: &&Published| {
        (&*figure.protocol, &*figure.dataset, &*figure.measure) == (protocol, dataset, measure)
    };
    let theirs: Vec<&Published> = published().iter().filter(wanted).collect();
    let shots: BTreeSet<usize> = ours
        .iter()
        .map(|own| own.shots)
        .chain(theirs.iter().map(|figure| figure.shots))
        .collect();
    let mut methods: BTreeMap<String, &str> = BTreeMap::new();
    for own in ours {
        methods.insert(key(&own.method), &own.method);
    }
    for figure in &theirs {
        methods.insert(figure.key(), &figure.method);
    }
    let of = |key: &str, shots: usize| -> Vec<&Published> {
        let same = |figure: &&&Published| figure.key() == key && figure.shots == shots;
        theirs.iter().filter(same).copied().collect()
    };
    let best = |key: &str| {
        let own = theirs.iter().filter(|figure| figure.key() == key);
        own.map(|figure| figure.value)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let mut order: Vec<(&String, &&str)> = methods.iter().collect();
    order.sort_by(|a, b| best(b.0).total_cmp(&best(a.0)));

    let mut notes: Vec<String> = Vec::new();
    let mut out = String::from("| method");
    for shots in &shots {
        let what = match shots {
            1 => "1 shot".to_owned(),
            n => format!("{n} shots"),
        };
        let _ = write!(out, " | {what}, here | {what}, published");
    }
    let _ = writeln!(out, " |\n|---{}|", "|---|---".repeat(shots.len()));
    for (key, name) in order {
        let _ = write!(out, "| {}", cell(name));
        for &shots in &shots {
            let own = ours
                .iter()
                .find(|own| self::key(&own.method) == *key && own.shots == shots);
            let own = own.map_or_else(
                || "-".to_owned(),
                |own| match own.interval {
                    Some(half) => format!("{:.2} ± {half:.2}", own.value),
                    None => format!("{:.2}", own.value),
                },
            );
            let found: Vec<String> = of(key, shots)
                .into_iter()
                .map(|figure| one(figure, &mut notes))
                .collect();
            let found = if found.is_empty() {
                "-".to_owned()
            } else {
                found.join(", ")
            };
            let _ = write!(out, " | {own} | {found}");
        }
        out.push_str(" |\n");
    }
    out.push('\n');
    for (number, note) in notes.iter().enumerate() {
        let _ = writeln!(out, "{}. {note}", number + 1);
    }
    if theirs.iter().any(|figure| !figure.verified) {
        out.push_str("\n`?`: not read in its source.\n");
    }
    let _ = write!(out, "\n{}\n", comparable());
    out
}

/// A published figure with its mark and the number of its note.
fn one(figure: &Published, notes: &mut Vec<String>) -> String {
    let note = if figure.note.is_empty() {
        figure.source.clone()
    } else {
        format!("{}: {}", figure.source, figure.note)
    };
    let at = notes
        .iter()
        .position(|known| *known == note)
        .unwrap_or_else(|| {
            notes.push(note);
            notes.len() - 1
        });
    let mark = if figure.verified { "" } else { "?" };
    format!("{:.2}{mark} [{}]", figure.value, at + 1)
}

/// A name that cannot end its cell.
fn cell(name: &str) -> String {
    name.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_figure_stands_beside_the_published_ones() {
        let ours = [Ours {
            method: "maple".to_owned(),
            shots: 16,
            value: 81.5,
            interval: Some(0.25),
        }];
        let table = beside(&ours, "base-to-new", "average of 11", "base");
        let line = table
            .lines()
            .find(|line| line.starts_with("| MaPLe |"))
            .unwrap();
        assert!(line.contains("| 81.50 ± 0.25 | 82.28 ["), "{line}");
        // two runs of one method are two figures, and an unverified one is marked
        let line = table
            .lines()
            .find(|line| line.starts_with("| CLIP-LoRA |"))
            .unwrap();
        assert!(
            line.contains("84.10 [") && line.contains("85.32? ["),
            "{line}"
        );
        assert!(table.contains("`?`: not read in its source."));
        assert!(table.ends_with(&format!("{}\n", comparable())));
        let rows: Vec<&str> = table.lines().take_while(|line| !line.is_empty()).collect();
        let columns = rows[0].matches('|').count();
        assert!(rows.iter().all(|row| row.matches('|').count() == columns));
    }

    #[test]
    fn a_method_of_ours_alone_has_a_line_of_its_own() {
        let ours = [Ours {
            method: "zero-shot".to_owned(),
            shots: 4,
            value: 10.0,
            interval: None,
        }];
        let table = beside(&ours, "no such protocol", "EuroSAT", "accuracy");
        assert!(table.contains("| zero-shot | 10.00 | - |"), "{table}");
        assert!(!table.contains('?'), "{table}");
    }
}
