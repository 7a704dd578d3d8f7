//! What was written, as a table.

use super::Document;
use crate::console::table;

/// The files, how far each is from the towers, and what 8 bits cost.
pub(super) fn text_of(document: &Document) -> String {
    let exported = document.exported;
    let rows = exported.files.iter().map(|(file, bytes)| {
        let name = file.rsplit('/').next().unwrap_or(file);
        let checked = exported.checked.get(name);
        let apart = checked.map_or(String::new(), |c| format!("{:.1e}", c.probabilities));
        vec![file.clone(), size(*bytes), apart]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header: &[&str] = if exported.checked.is_empty() {
        &["file", "size"]
    } else {
        &["file", "size", "differs by"]
    };
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|mut row| {
            row.truncate(header.len());
            row
        })
        .collect();
    let mut text = table(header, &rows);
    if let Some(cost) = document.int8 {
        text += &format!(
            "\n\n8 bits, on {} test images: accuracy {:.2} % where f32 has {:.2} %; {:.2} % of the answers are the \
             same, a probability changes by {:.4} at most",
            cost.images,
            100.0 * cost.accuracy_quantised,
            100.0 * cost.accuracy,
            100.0 * cost.same_answer,
            cost.largest_change,
        );
    }
    text
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
