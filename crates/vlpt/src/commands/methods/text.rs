//! The table of methods as words.

use super::{Details, Document, Row};
use crate::console::table;

/// The table, each row with what it means below it.
pub(super) fn of(document: &Document) -> String {
    let Document {
        model,
        classes,
        shots,
        methods,
        ..
    } = document;
    let head = ["method", "numbers learned", "s/class"];
    let cells = |row: &Row| {
        let numbers = row.numbers.map_or("not said".to_owned(), grouped);
        let seconds = row.seconds_a_class.map_or("-".to_owned(), short);
        vec![row.name.to_owned(), numbers, seconds]
    };
    let rows: Vec<Vec<String>> = methods.iter().map(cells).collect();
    let lines = table(&head, &rows);
    let mut lines = lines.lines();
    let mut text = format!("{model}, {classes} classes with {shots} images each\n\n");
    text += lines.next().unwrap_or_default();
    for (line, row) in lines.zip(methods) {
        let parts = [
            ("learns", row.learns.to_owned()),
            ("needs", row.needs.join("; ")),
            (
                "good for",
                row.good_for.unwrap_or("not measured yet").to_owned(),
            ),
            ("source", row.source.to_owned()),
        ];
        text += &format!("\n{line}\n");
        for (what, words) in parts {
            text += &format!("    {what:9} {words}\n");
        }
        if let Some(details) = &row.details {
            text += &about(details);
        }
    }
    text + &format!("\n{}", note(document))
}

/// What the seconds are.
fn note(document: &Document) -> String {
    let all = document
        .methods
        .iter()
        .all(|row| row.seconds_a_class.is_some());
    let seconds = if all {
        "s/class: estimated seconds of a whole training with built-in settings, divided by the classes"
    } else {
        "s/class: not measured here; --measure estimates it"
    };
    match document.seconds_an_image {
        Some(one) => format!(
            "{seconds};\nfeatures of an image take {} s more, once for all methods that work on them",
            short(one)
        ),
        None => seconds.to_owned(),
    }
}

fn about(details: &Details) -> String {
    let mut text = String::new();
    let recipes = match details.recipes[..] {
        [] => "none".to_owned(),
        _ => format!(
            "{}; without --recipe {}",
            details.recipes.join(", "),
            details.default_recipe
        ),
    };
    text += &format!("    {:9} {recipes}\n", "recipes");
    let read = if details.checkpoints {
        "checkpoints of its published code"
    } else {
        "none"
    };
    text += &format!("    {:9} {read}\n", "import");
    for option in &details.options {
        let built_in = option.built_in.as_ref();
        let built_in = built_in.map_or("left out".to_owned(), ToString::to_string);
        text += &format!(
            "\n    {} = {built_in}    ({})\n        {}\n",
            option.key, option.values, option.about
        );
    }
    text
}

/// A number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds with two digits that say something.
fn short(seconds: f64) -> String {
    let digits = match seconds {
        s if s >= 10.0 => 0,
        s if s >= 1.0 => 1,
        s if s >= 0.1 => 2,
        s if s >= 0.01 => 3,
        _ => 4,
    };
    format!("{seconds:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_one_reads_them() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(331_904), "331,904");
        assert_eq!(grouped(1_000_000), "1,000,000");
        assert_eq!(short(123.4), "123");
        assert_eq!(short(0.123), "0.12");
        assert_eq!(short(0.00123), "0.0012");
    }
}
