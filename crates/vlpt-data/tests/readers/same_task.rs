//! The same images in every layout give the same task.

use vlpt_data::{Format, Task};

use crate::fixtures::{Dir, features, pixels, png};

const CLASSES: [&str; 3] = ["ant", "bee", "cow"];
const TRAIN: [(u8, u32); 6] = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2)];
const TEST: [(u8, u32); 3] = [(7, 0), (8, 1), (9, 2)];

type Parts = [(&'static str, &'static [(u8, u32)]); 2];
const PARTS: Parts = [("train", &TRAIN), ("test", &TEST)];

fn image_folder() -> Dir {
    let dir = Dir::new();
    for (part, rows) in PARTS {
        for (seed, label) in rows {
            dir.image(
                &format!("{part}/{}/{seed}.png", CLASSES[*label as usize]),
                *seed,
            );
        }
    }
    dir
}

fn coop() -> Dir {
    let dir = Dir::new();
    let mut lists = Vec::new();
    for (part, rows) in PARTS {
        let entries: Vec<String> = rows
            .iter()
            .map(|(seed, label)| {
                dir.image(&format!("images/{seed}.png"), *seed);
                format!(r#"["{seed}.png", {label}, "{}"]"#, CLASSES[*label as usize])
            })
            .collect();
        lists.push(format!(r#""{part}": [{}]"#, entries.join(", ")));
    }
    dir.text("split_zhou_Own.json", &format!("{{{}}}", lists.join(", ")));
    dir
}

fn elevater() -> Dir {
    let dir = Dir::new();
    for (part, rows) in PARTS {
        let names: Vec<String> = rows.iter().map(|(seed, _)| format!("{seed}.png")).collect();
        let members: Vec<(&str, u8)> = names
            .iter()
            .map(String::as_str)
            .zip(rows.iter().map(|(seed, _)| *seed))
            .collect();
        let lines: Vec<String> = rows
            .iter()
            .map(|(seed, label)| format!("{part}.zip@{seed}.png {label}"))
            .collect();
        dir.zip(&format!("{part}.zip"), &members)
            .text(&format!("{part}.txt"), &lines.join("\n"));
    }
    dir.text("labels.txt", &CLASSES.join("\n"));
    dir
}

fn web_dataset() -> Dir {
    let dir = Dir::new();
    for (part, rows) in PARTS {
        let names: Vec<[String; 2]> = rows
            .iter()
            .map(|(s, _)| [format!("s{s}.png"), format!("s{s}.cls")])
            .collect();
        let members: Vec<(&str, Vec<u8>)> = rows
            .iter()
            .zip(&names)
            .flat_map(|((seed, label), [image, class])| {
                [
                    (image.as_str(), png(*seed)),
                    (class.as_str(), label.to_string().into_bytes()),
                ]
            })
            .collect();
        dir.tar(&format!("{part}/0.tar"), &members)
            .text(&format!("{part}/nshards.txt"), "1");
    }
    dir.text("classnames.txt", &CLASSES.join("\n"));
    dir
}

fn parquet() -> Dir {
    let dir = Dir::new();
    for (part, rows) in PARTS {
        let rows: Vec<(u8, i64)> = rows
            .iter()
            .map(|(seed, label)| (*seed, i64::from(*label)))
            .collect();
        let file = format!("data/{part}-00000-of-00001.parquet");
        dir.parquet(&file, &rows, &features(&CLASSES, false), 4);
    }
    dir
}

fn manifest(ending: &str) -> Dir {
    let dir = Dir::new();
    let csv = ending == "csv";
    let mut text = if csv {
        "path,label,split\n".to_owned()
    } else {
        String::new()
    };
    for (part, rows) in PARTS {
        for (seed, label) in rows {
            let (path, class) = (format!("i/{seed}.png"), CLASSES[*label as usize]);
            dir.image(&path, *seed);
            let line = if csv {
                format!("{path},{class},{part}\n")
            } else {
                format!("{{\"path\": \"{path}\", \"label\": \"{class}\", \"split\": \"{part}\"}}\n")
            };
            text.push_str(&line);
        }
    }
    dir.text(&format!("m.{ending}"), &text);
    dir
}

/// Classes, then labels and pixels of train and test.
type Facts = (Vec<String>, Vec<u32>, Vec<u32>, Vec<[u8; 3]>, Vec<[u8; 3]>);

fn facts(task: &Task) -> Facts {
    let labels =
        |split: &vlpt_data::Split| split.samples.iter().map(|item| item.labels[0]).collect();
    (
        task.classes.clone(),
        labels(&task.train),
        labels(&task.test),
        pixels(&task.train),
        pixels(&task.test),
    )
}

#[test]
fn the_same_images_in_any_layout_are_the_same_task() {
    let folder = image_folder();
    let expected = facts(&folder.open().expect("it opens"));
    assert_eq!(expected.0, CLASSES);
    for (format, dir) in [
        (Format::Coop, coop()),
        (Format::Elevater, elevater()),
        (Format::WebDataset, web_dataset()),
        (Format::Parquet, parquet()),
        (Format::Csv, manifest("csv")),
        (Format::Jsonl, manifest("jsonl")),
    ] {
        let task = dir.open().expect("it opens");
        assert_eq!(task.provenance.format, format);
        assert_eq!(facts(&task), expected, "{format}");
        assert!(task.val.is_none());
        assert_eq!(task.templates, ["a photo of a {}."]);
    }
}
