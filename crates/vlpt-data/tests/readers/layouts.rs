//! One small data set in every layout, whole or with one flaw: two classes, `ant` and `bee`.

use vlpt_data::Format;

use crate::arrow_writer;
use crate::fixtures::{Dir, features, png};
use crate::parquet_writer::{Column, file, properties};
use crate::pixel_layouts;

/// What is peculiar about a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing: it brings a train and a test split, where its layout can.
    None,
    /// It has one list of images only.
    OneList,
    /// A class has no image.
    EmptyClass,
    /// A listed image does not exist.
    MissingImage,
    /// A label of a table is two in one.
    JoinedLabels,
}

const CLASSES: [&str; 2] = ["ant", "bee"];
/// Images of a class in each split.
const EACH: u8 = 5;

/// Split, number and class of every image.
fn images(flaw: Flaw) -> Vec<(&'static str, u8, usize)> {
    let parts: &[&str] = match flaw {
        Flaw::OneList => &["train"],
        _ => &["train", "test"],
    };
    let mut all = Vec::new();
    for part in parts {
        for label in 0..CLASSES.len() {
            all.extend((0..EACH).map(|_| (*part, 0, label)));
        }
    }
    for (number, image) in (0..).zip(&mut all) {
        image.1 = number;
    }
    all
}

/// A set of this layout. A layout that cannot have the flaw gives a whole set.
pub(crate) fn layout(format: Format, flaw: Flaw) -> Dir {
    let dir = Dir::new();
    match format {
        Format::ClassFolders => {
            for (_, number, label) in images(Flaw::OneList) {
                dir.image(&format!("{}/{number}.png", CLASSES[label]), number);
            }
            if flaw == Flaw::EmptyClass {
                dir.folder("cow");
            }
        }
        Format::ImageFolder => {
            for (part, number, label) in images(flaw) {
                dir.image(&format!("{part}/{}/{number}.png", CLASSES[label]), number);
            }
            if flaw == Flaw::EmptyClass {
                dir.folder("train/cow");
            }
        }
        Format::FileNames => {
            for (part, number, label) in images(flaw) {
                dir.image(&format!("{part}/{}.{number}.png", CLASSES[label]), number);
            }
        }
        Format::Csv | Format::Jsonl => table(&dir, format, flaw),
        Format::Coop => coop(&dir, flaw),
        Format::Elevater => elevater(&dir, flaw),
        Format::WebDataset => webdataset(&dir, flaw),
        Format::FiftyOne => fiftyone(&dir, flaw),
        Format::Cub => cub(&dir, flaw),
        Format::Cifar => pixel_layouts::cifar(&dir),
        Format::Idx => pixel_layouts::idx(&dir, &images(flaw)),
        Format::Fer2013 => pixel_layouts::fer(&dir, &images(flaw)),
        Format::Arrow if flaw == Flaw::MissingImage => arrow_paths(&dir),
        Format::Arrow => {
            for part in ["train", "test"] {
                let own = images(flaw).into_iter().filter(|(p, ..)| *p == part);
                let rows: Vec<(u8, i64)> = own.map(|(_, n, label)| (n, label as i64)).collect();
                if !rows.is_empty() {
                    let file = format!("{part}.arrow");
                    dir.arrow(&file, &rows, &features(&CLASSES, false), 3);
                }
            }
        }
        Format::Parquet if flaw == Flaw::MissingImage => paths(&dir),
        Format::Parquet => {
            for part in ["train", "test"] {
                let own = images(flaw).into_iter().filter(|(p, ..)| *p == part);
                let rows: Vec<(u8, i64)> = own.map(|(_, n, label)| (n, label as i64)).collect();
                if !rows.is_empty() {
                    let file = format!("data/{part}-00000-of-00001.parquet");
                    dir.parquet(&file, &rows, &features(&CLASSES, false), 3);
                }
            }
        }
        Format::Given | Format::Synthetic => unreachable!("it lies nowhere"),
    }
    dir
}

fn table(dir: &Dir, format: Format, flaw: Flaw) {
    let mut lines = Vec::new();
    if format == Format::Csv {
        let split = if flaw == Flaw::OneList { "" } else { ",split" };
        lines.push(format!("path,label,kind,again{split}"));
    }
    for (part, number, label) in images(flaw) {
        let (path, mut class) = (format!("pictures/{number}.png"), CLASSES[label]);
        if flaw == Flaw::JoinedLabels && number == 0 {
            class = "ant|bee";
        }
        dir.image(&path, number);
        let split = flaw != Flaw::OneList;
        lines.push(if format == Format::Csv {
            let split = if split { format!(",{part}") } else { String::new() };
            format!("{path},{class},insect,{path}{split}")
        } else {
            let split = if split {
                format!(r#", "split": "{part}""#)
            } else {
                String::new()
            };
            format!(
                r#"{{"path": "{path}", "label": "{class}", "kind": "insect", "again": "{path}"{split}}}"#
            )
        });
    }
    let ending = format.name();
    dir.text(&format!("list.{ending}"), &lines.join("\n"));
    if flaw == Flaw::MissingImage {
        fs_err::remove_file(dir.path("pictures/0.png")).expect("removed");
    }
}

/// With a split file; with a class that is empty, as ImageNet, whose classes are folders.
fn coop(dir: &Dir, flaw: Flaw) {
    if flaw == Flaw::EmptyClass {
        for (part, number, label) in images(flaw) {
            let part = if part == "test" { "val" } else { part };
            dir.image(
                &format!("images/{part}/n0000000{label}/{number}.png"),
                number,
            );
        }
        dir.folder("images/train/n00000002");
        dir.text(
            "classnames.txt",
            "n00000000 ant\nn00000001 bee\nn00000002 cow\n",
        );
        return;
    }
    let list = |wanted: &str| {
        let own = images(Flaw::None)
            .into_iter()
            .filter(|(p, ..)| *p == wanted);
        let entries: Vec<String> = own
            .map(|(_, number, label)| format!(r#"["{number}.png", {label}, "{}"]"#, CLASSES[label]))
            .collect();
        format!(r#""{wanted}": [{}]"#, entries.join(", "))
    };
    for (_, number, _) in images(Flaw::None) {
        dir.image(&format!("images/{number}.png"), number);
    }
    if flaw == Flaw::MissingImage {
        fs_err::remove_file(dir.path("images/0.png")).expect("removed");
    }
    let text = format!("{{{}, {}}}", list("train"), list("test"));
    dir.text("split_zhou_Insects.json", &text);
}

fn elevater(dir: &Dir, flaw: Flaw) {
    dir.text("labels.txt", &CLASSES.join("\n"));
    for part in ["train", "test"] {
        let own = images(flaw).into_iter().filter(|(p, ..)| *p == part);
        let own: Vec<_> = own.collect();
        if own.is_empty() {
            continue;
        }
        let lines: Vec<String> = own
            .iter()
            .map(|(_, number, label)| format!("{part}.zip@{number}.png {label}"))
            .collect();
        let names: Vec<(String, u8)> = own
            .iter()
            .map(|(_, number, _)| (format!("{number}.png"), *number))
            .collect();
        let gone = usize::from(flaw == Flaw::MissingImage && part == "train");
        let members: Vec<(&str, u8)> = names[gone..].iter().map(|(n, s)| (&**n, *s)).collect();
        dir.zip(&format!("{part}.zip"), &members)
            .text(&format!("{part}.txt"), &lines.join("\n"));
    }
}

fn webdataset(dir: &Dir, flaw: Flaw) {
    dir.text("classnames.txt", &CLASSES.join("\n"));
    for part in ["train", "test"] {
        let mut members: Vec<(String, Vec<u8>)> = Vec::new();
        for (of, number, label) in images(flaw) {
            if of == part {
                members.push((format!("{number:02}.cls"), label.to_string().into_bytes()));
                members.push((format!("{number:02}.png"), png(number)));
                let json = br#"{"kind": "insect"}"#;
                members.push((format!("{number:02}.json"), json.to_vec()));
            }
        }
        let members: Vec<(&str, Vec<u8>)> = members
            .iter()
            .map(|(name, bytes)| (&**name, bytes.clone()))
            .collect();
        if !members.is_empty() {
            dir.tar(&format!("{part}/0.tar"), &members);
        }
    }
}

/// Parquet files whose rows name files, the first of which is absent.
fn paths(dir: &Dir) {
    let schema = "message schema { optional binary path (STRING); optional int64 label; }";
    for part in ["train", "test"] {
        let own = images(Flaw::None).into_iter().filter(|(p, ..)| *p == part);
        let (mut paths, mut labels) = (Vec::new(), Vec::new());
        for (_, number, label) in own {
            paths.push(format!("{number}.png"));
            labels.push(label as i64);
            if number != 0 {
                dir.image(&format!("{number}.png"), number);
            }
        }
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let columns = [Column::texts(&paths), Column::numbers(&labels)];
        let bytes = file(schema, &features(&CLASSES, false), properties(), &columns);
        dir.bytes(&format!("{part}.parquet"), &bytes);
    }
}

/// Arrow files whose rows name files, the first of which is absent.
fn arrow_paths(dir: &Dir) {
    for part in ["train", "test"] {
        let own = images(Flaw::None).into_iter().filter(|(p, ..)| *p == part);
        let (mut paths, mut labels) = (Vec::new(), Vec::new());
        for (_, number, label) in own {
            paths.push(Some(format!("{number}.png")));
            labels.push(Some(label as i64));
            if number != 0 {
                dir.image(&format!("{number}.png"), number);
            }
        }
        let columns = vec![
            ("path", arrow_writer::Column::Text(paths)),
            ("label", arrow_writer::Column::Int(labels)),
        ];
        let bytes = arrow_writer::stream(&[columns], &features(&CLASSES, false), None);
        dir.bytes(&format!("{part}.arrow"), &bytes);
    }
}

fn fiftyone(dir: &Dir, flaw: Flaw) {
    for part in ["train", "test"] {
        let own = images(flaw).into_iter().filter(|(p, ..)| *p == part);
        let folder = if flaw == Flaw::OneList { "." } else { part };
        let mut labels = Vec::new();
        for (_, number, label) in own {
            labels.push(format!(r#""{number}": {label}"#));
            if flaw != Flaw::MissingImage || number != 0 {
                dir.image(&format!("{folder}/data/{number}.png"), number);
            }
        }
        if !labels.is_empty() {
            let labels = labels.join(", ");
            let text = format!(r#"{{"classes": ["ant", "bee"], "labels": {{{labels}}}}}"#);
            dir.text(&format!("{folder}/labels.json"), &text);
        }
    }
}

fn cub(dir: &Dir, flaw: Flaw) {
    let (mut list, mut labels, mut split) = (Vec::new(), Vec::new(), Vec::new());
    for (part, number, label) in images(flaw) {
        let path = format!("{}/{number}.png", CLASSES[label]);
        if flaw != Flaw::MissingImage || number != 0 {
            dir.image(&format!("images/{path}"), number);
        }
        let id = u32::from(number) + 1;
        list.push(format!("{id} {path}"));
        labels.push(format!("{id} {}", label + 1));
        split.push(format!("{id} {}", u8::from(part == "train")));
    }
    dir.text("images.txt", &list.join("\n"));
    dir.text("image_class_labels.txt", &labels.join("\n"));
    dir.text("classes.txt", "1 ant\n2 bee\n");
    if flaw != Flaw::OneList {
        dir.text("train_test_split.txt", &split.join("\n"));
    }
}
