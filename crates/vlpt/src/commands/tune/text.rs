//! What a search found, in words.

use std::path::Path;

use vlpt_base::shell;
use vlpt_report::percent;
use vlpt_tune::Tuned;

/// What the reader should know, the most important line first, and what to do next.
pub(super) fn text(tuned: &Tuned, page: &Path) -> String {
    let record = &tuned.record;
    let dir = tuned.dir.display();
    let expected = match &record.estimate {
        Some(e) => format!(
            "expected accuracy {} ({:.0} % interval {} to {})",
            percent(e.value),
            100.0 * e.confidence,
            percent(e.low),
            percent(e.high)
        ),
        None => "accuracy not estimated".to_owned(),
    };
    let mut lines = vec![
        format!("{dir}: {}, {expected}", record.chosen),
        record.why.clone(),
    ];
    if record.names_are_as_good == Some(true) && !record.why.starts_with("Class names alone") {
        lines.push("Class names alone are about as good.".to_owned());
    }
    lines.extend(tuned.notes.iter().cloned());
    if let Some(more) = record.curve.as_ref().and_then(|curve| curve.forecast) {
        lines.push(format!(
            "With {:.0} more photos of each class, about {} ({} to {}).",
            vlpt_tune::MORE,
            percent(more.value),
            percent(more.low),
            percent(more.high)
        ));
    }
    if let Some(first) = record.suspects.first() {
        lines.push(format!(
            "{} labelled wrong; look through them in the report, the first: {} ({}, seems {})",
            photos_may_be(record.suspects.len()),
            first.photo,
            first.labelled,
            first.seems
        ));
    }
    if !record.copies.is_empty() {
        lines.push(match record.copies.len() {
            1 => "1 group of photos are copies of each other".to_owned(),
            count => format!("{count} groups of photos are copies of each other"),
        });
    }
    lines.push(page.display().to_string());
    lines.push(format!(
        "next: vlpt predict {} PHOTOS",
        shell::path(&tuned.dir)
    ));
    lines.join("\n")
}

fn photos_may_be(count: usize) -> String {
    match count {
        1 => "1 photo may be".to_owned(),
        count => format!("{count} photos may be"),
    }
}
