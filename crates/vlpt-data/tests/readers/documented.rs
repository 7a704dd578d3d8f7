//! Every example of every layout is built and read, and `docs/reference/dataset-formats.md` shows
//! the same examples.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use vlpt_data::readers::{Item, Layout, layouts};
use vlpt_data::{Format, OpenOptions, open};

use crate::fixtures::Dir;

#[test]
fn every_format_has_a_layout_and_names_are_unique() {
    let formats: BTreeSet<Format> = layouts().map(|layout| layout.format).collect();
    assert_eq!(formats, BTreeSet::from(Format::READABLE));
    let names: BTreeSet<&str> = layouts().map(|layout| layout.name).collect();
    assert_eq!(names.len(), layouts().count());
}

#[test]
fn every_example_is_read_as_documented() {
    for layout in layouts() {
        let dir = Dir::new();
        dir.items(layout.example);
        let name = layout.name;
        let options = dir.options(layout.flags);
        let task = open(&dir.path(layout.open), &options)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(task.provenance.format, layout.format, "{name}");
        assert_eq!(task.classes, layout.gives.classes, "{name}");
        assert_eq!(task.multi_label, layout.gives.multi_label, "{name}");
        let val = task.val.as_ref().map_or(0, vlpt_data::Split::len);
        let images = [task.train.len(), val, task.test.len()];
        assert_eq!(images, layout.gives.images, "{name}");
        for split in [Some(&task.train), task.val.as_ref(), Some(&task.test)] {
            for sample in split.into_iter().flat_map(|split| &split.samples) {
                let loaded = sample.load(&vlpt_data::image::Limits::default());
                loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        if layout.flags.is_empty() {
            let named = OpenOptions {
                format: Some(layout.format),
                ..OpenOptions::default()
            };
            let named = open(&dir.path(layout.open), &named).expect("the format by name");
            assert_eq!(named.classes, task.classes, "{name}");
        }
    }
}

const BEGIN: &str = "<!-- layouts: begin -->\n";
const END: &str = "<!-- layouts: end -->\n";

#[test]
fn the_page_of_formats_shows_these_layouts() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/dataset-formats.md");
    let found = fs_err::read_to_string(&path).expect("the page");
    let (before, rest) = found.split_once(BEGIN).expect("the mark of the beginning");
    let (_, after) = rest.split_once(END).expect("the mark of the end");
    let expected = format!("{before}{BEGIN}{}{END}{after}", page());
    if std::env::var_os("VLPT_BLESS").is_some() {
        fs_err::write(&path, &expected).expect("written");
        return;
    }
    assert!(
        found == expected,
        "docs/reference/dataset-formats.md is stale; write it anew with: VLPT_BLESS=1 cargo test -p vlpt-data --test readers documented"
    );
}

/// The table of layouts and their examples, in Markdown.
fn page() -> String {
    let mut page = String::from(
        "\nWritten by `VLPT_BLESS=1 cargo test -p vlpt-data --test readers documented` from what the readers say; the same test builds and reads every example.\n\n\
         | layout | format | recognised by | flags |\n|---|---|---|---|\n",
    );
    for layout in layouts() {
        let flags = match layout.flags {
            "" => String::new(),
            flags => format!("`{}`", flags.replace('|', "\\|")),
        };
        let sign = layout.sign.replace('|', "\\|");
        writeln!(
            page,
            "| [{}](#{}) | `{}` | {sign} | {flags} |",
            layout.name,
            anchor(layout.name),
            layout.format
        )
        .expect("text");
    }
    for layout in layouts() {
        write!(
            page,
            "\n### {}\n\n```text\n{}```\n\n",
            layout.name,
            tree(layout)
        )
        .expect("text");
        let open = match layout.open {
            "" => "DATA".to_owned(),
            path => format!("DATA/{path}"),
        };
        let flags = match layout.flags {
            "" => String::new(),
            flags => format!(" {flags}"),
        };
        let gives = layout.gives;
        let classes: Vec<String> = gives.classes.iter().map(|c| format!("`{c}`")).collect();
        let [train, val, test] = gives.images;
        let labels = if gives.multi_label {
            "any number of labels"
        } else {
            "one label"
        };
        writeln!(
            page,
            "`vlpt data check {open}{flags}`: classes {}; {train} train, {val} val and {test} test images with {labels} each.",
            classes.join(", "),
        )
        .expect("text");
    }
    page.push('\n');
    page
}

fn anchor(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The files of an example, the text of text files below them.
fn tree(layout: &Layout) -> String {
    let mut text = String::new();
    for item in layout.example {
        lines(item, "", &mut text);
    }
    text
}

fn lines(item: &Item, inside: &str, text: &mut String) {
    let mut line = |path: &str, what: &str| {
        let line = format!("{inside}{path}{what}");
        text.push_str(line.trim_end());
        text.push('\n');
    };
    match item {
        Item::Image(path) => line(path, ""),
        Item::Images(paths) => line(&paths.join("  "), ""),
        Item::Text(path, content) => {
            line(path, ":");
            for content in content.lines() {
                line("    ", content);
            }
        }
        Item::Zip(path, members) | Item::Tar(path, members) => {
            line(path, ", holding:");
            let inside = format!("{inside}    ");
            for member in *members {
                lines(member, &inside, text);
            }
        }
        Item::Parquet {
            path,
            classes,
            labels,
        }
        | Item::Arrow {
            path,
            classes,
            labels,
        } => line(
            path,
            &format!(
                ": {} rows, label names {}",
                labels.len(),
                classes.join(", ")
            ),
        ),
        Item::Bytes(path, bytes) => line(path, &format!(": {} bytes", bytes.len())),
        Item::Pixels(path, header, rows) => {
            line(path, ":");
            line("    ", header);
            for row in *rows {
                line("    ", &row.replace('@', "0 0 0 ... (48 x 48 numbers)"));
            }
        }
        Item::Link(path, to) => line(path, &format!(" -> {to}")),
        other => panic!("an item that the page cannot show: {other:?}"),
    }
}
