//! The catalogue as a page of the documentation.

use std::fmt::Write as _;

use super::entries::{Entry, ExpectedSplit, Suite, entries, template_sets};

/// The page `docs/reference/catalogue.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Catalogue\n\n\
         <!-- Generated: VLPT_BLESS=1 cargo test -p vlpt-data --test catalogue -->\n\n\
         What the program knows of the field's benchmarks. `vlpt data check` compares a set on disk with \
         its entry here.\n\
         A name is found whatever its case, `-`, `_` and version suffix; where two suites have a set of one \
         name, the exact spelling decides, or `elevater/`, `coop/` or `imagenet/` before it.\n\
         Class names, templates and sizes: see `crates/vlpt-data/catalogue/README.md` for their origin and \
         licences.\n",
    );
    for suite in Suite::ALL {
        section(&mut page, suite);
    }
    page.push_str(
        "\n## Sets of templates for any task\n\n| name | templates | first |\n|---|---|---|\n",
    );
    for set in template_sets() {
        let first = set.templates.first().map_or("", String::as_str);
        row(
            &mut page,
            &[
                code(&set.name),
                set.templates.len().to_string(),
                code(first),
            ],
        );
    }
    page
}

fn section(page: &mut String, suite: Suite) {
    let (title, about) = match suite {
        Suite::Elevater => (
            "ELEVATER",
            "20 tasks, each judged by its own metric; the overall figure is their plain mean. \
             Training uses the train split alone, parted 80 to 20 after sampling.",
        ),
        Suite::Coop => (
            "CoOp",
            "11 data sets, all judged by accuracy. A dash in the column of classes that are listed means \
             that the exact names are not known here and are read from the set itself.",
        ),
        Suite::Imagenet => (
            "ImageNet and its variants",
            "A prompt learned on ImageNet is judged on the four variants among each variant's own classes.",
        ),
    };
    let own: Vec<&Entry> = entries()
        .iter()
        .filter(|entry| entry.suite == suite)
        .collect();
    let classes: usize = own.iter().map(|entry| entry.class_count).sum();
    let _ = writeln!(
        page,
        "\n## {title}\n\n{about}\n{} entries, {} classes.\n",
        own.len(),
        count(classes as u64)
    );
    row(
        page,
        &[
            "name",
            "folder",
            "classes",
            "listed",
            "train",
            "val",
            "test",
            "metric",
            "templates",
            "first template",
        ]
        .map(str::to_owned),
    );
    page.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    for entry in &own {
        let mut kind = entry.class_count.to_string();
        if entry.multi_label {
            kind.push_str(", multi-label");
        }
        row(
            page,
            &[
                code(&entry.name),
                entry
                    .folders
                    .iter()
                    .map(|folder| code(folder))
                    .collect::<Vec<_>>()
                    .join(", "),
                kind,
                if entry.classes.is_some() { "yes" } else { "-" }.to_owned(),
                images(entry.train.as_ref()),
                images(entry.val.as_ref()),
                images(entry.test.as_ref()),
                entry.metric.name().to_owned(),
                entry.templates.len().to_string(),
                code(entry.templates.first().map_or("", String::as_str)),
            ],
        );
    }
    page.push_str("\nWorth knowing:\n\n");
    for entry in own {
        for trap in entry.traps.iter().chain(&entry.layout_traps) {
            let _ = writeln!(page, "- {}: {trap}", code(&entry.name));
        }
    }
}

fn row(page: &mut String, cells: &[String]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn images(split: Option<&ExpectedSplit>) -> String {
    split.map_or_else(|| "-".to_owned(), |split| count(split.images))
}

/// A number with commas between thousands.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
