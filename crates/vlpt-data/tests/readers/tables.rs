//! Tables as people have them: ids, other names, other encodings, several labels.

use vlpt_data::{Format, OpenOptions, Task};

use crate::fixtures::{Dir, rows, singles};

fn images(folder: &str, names: &[&str]) -> Dir {
    let dir = Dir::new();
    for (seed, name) in (1..).zip(names) {
        dir.image(&format!("{folder}/{name}"), seed);
    }
    dir
}

fn ids(task: &Task) -> Vec<String> {
    let mut ids: Vec<String> = [Some(&task.train), task.val.as_ref(), Some(&task.test)]
        .into_iter()
        .flatten()
        .flat_map(rows)
        .map(|(id, _)| id)
        .collect();
    ids.sort();
    ids
}

fn noted(task: &Task, text: &str) {
    let notes = &task.provenance.notes;
    assert!(
        notes.iter().any(|note| note.contains(text)),
        "{text}: {notes:#?}"
    );
}

#[test]
fn ids_find_their_images_in_the_folder_of_the_table() {
    let dir = images("train_images", &["7.png", "8.JPG", "9.jpeg"]);
    dir.image("test_images/1.png", 9)
        .text("train.csv", "image_id,label\n7,2\n8,0\n9,2\n")
        .text("sample_submission.csv", "image_id,label\n1,0\n");
    let task = dir.open().expect("it opens");
    assert_eq!(task.provenance.format, Format::Csv);
    assert_eq!(
        ids(&task),
        [
            "train_images/7.png",
            "train_images/8.JPG",
            "train_images/9.jpeg"
        ]
    );
    assert_eq!(task.classes, ["0", "2"]);
    noted(&task, "images lie in `train_images`");
    noted(&task, "sample_submission.csv was passed over");
}

#[test]
fn ids_are_found_anywhere_by_a_name_that_is_there_once() {
    let dir = images("HAM10000_images_part_1", &["ISIC_1.jpg", "ISIC_2.jpg"]);
    dir.image("HAM10000_images_part_2/ISIC_3.jpg", 9).text(
        "HAM10000_metadata.csv",
        "lesion_id,image_id,dx\na,ISIC_1,nv\nb,ISIC_2,mel\nc,ISIC_3,nv\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["mel", "nv"]);
    assert_eq!(ids(&task).len(), 3);
    noted(&task, "images are found by their names, in 2 folders");
    dir.image("images_3/ISIC_3.png", 10);
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("line 4: found `ISIC_3`, which fits `HAM10000_images_part_2/ISIC_3.jpg` and `images_3/ISIC_3.png`"),
        "{error}"
    );
}

#[test]
fn an_id_of_two_images_is_refused() {
    let dir = images("images", &["1.png", "1.jpg", "2.png"]);
    dir.text("labels.csv", "id,species\n2,x\n1,y\n");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("line 3: found `1`, which fits `images/1.jpg` and `images/1.png`"),
        "{error}"
    );
}

#[test]
fn a_table_of_other_names_beside_class_folders_leaves_them_the_set() {
    let dir = images("cat", &["1.png", "2.png"]);
    dir.image("dog/3.png", 5).text(
        "metadata.csv",
        "image_path,breed\ncat/1.png,x\ncat/2.png,x\ndog/3.png,y\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.provenance.format, Format::ClassFolders);
    noted(
        &task,
        "the manifest metadata.csv lists images too and was not used: `--format csv` reads it",
    );
    assert_eq!(
        dir.open_as(Format::Csv).expect("it opens").classes,
        ["x", "y"]
    );
}

#[test]
fn a_label_column_on_a_folder_is_that_of_its_table() {
    let dir = images("photos", &["0.png", "1.png", "2.png", "3.png"]);
    dir.text(
        "data.csv",
        "path,art\nphotos/0.png,a\nphotos/1.png,a\nphotos/2.png,b\nphotos/3.png,b\n",
    );
    let options = OpenOptions {
        label_column: Some("art".to_owned()),
        ..OpenOptions::default()
    };
    assert_eq!(
        dir.open_with(&options).expect("it opens").classes,
        ["a", "b"]
    );
    let error = dir.open().expect_err("a column that nobody knows");
    assert!(
        error
            .to_string()
            .contains("the table data.csv: columns `path`, `art` (between them `,`)"),
        "{error}"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some(
            "nearest is a table: name the columns of data.csv with `--image-column path --label-column art`, and the folder of its images with `--image-root FOLDER` where it is not found"
        )
    );
    let options = OpenOptions {
        label_column: Some("kind".to_owned()),
        ..OpenOptions::default()
    };
    assert_eq!(
        dir.error(&options),
        "DIR/data.csv: no label column `kind`; the file has path, art"
    );
}

#[test]
fn a_table_whose_images_are_nowhere_says_so() {
    let dir = Dir::new();
    dir.text("train.csv", "id,breed\n000b,boxer\n");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("train.csv: none of the images in its first rows is found, such as `000b`"),
        "{error}"
    );
}

#[test]
fn absolute_paths_of_another_machine_need_a_root_and_one_meaning() {
    let dir = images("photos/a", &["1.png", "2.png"]);
    dir.image("photos/b/1.png", 7).text(
        "m.csv",
        "path,label\n/home/x/set/a/1.png,p\nD:\\set\\b\\1.png,q\n/mnt/set/a/2.png,p\n",
    );
    let error = dir.open().expect_err("absolute paths");
    assert!(
        error
            .to_string()
            .contains("refused the path `/home/x/set/a/1.png`"),
        "{error}"
    );
    assert!(error.hint().expect("a way out").contains("`--image-root`"));
    let options = OpenOptions {
        image_root: Some("photos".into()),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert_eq!(ids(&task), ["a/1.png", "a/2.png", "b/1.png"]);
    dir.image("photos/1.png", 8);
    let error = dir.error(&options);
    assert!(
        error.contains("line 2: found `/home/x/set/a/1.png`, which fits `a/1.png` and `1.png`"),
        "{error}"
    );
}

#[test]
fn the_header_tells_the_delimiter() {
    for sign in [",", ";", "\t", "|"] {
        let dir = images("img", &["1.png", "2.png"]);
        let text = "path,label\nimg/1.png,a\nimg/2.png,b\n".replace(',', sign);
        dir.text("m.csv", &text);
        assert_eq!(dir.open().expect(sign).classes, ["a", "b"], "{sign}");
    }
    let dir = images("img", &["1.png", "2.png"]);
    dir.text("m.csv", "sep=;\npath;label\nimg/1.png;a\nimg/9.png;b\n");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("m.csv: line 4 names the image `img/9.png`"),
        "{error}"
    );
}

#[test]
fn utf_16_is_read_and_latin_1_is_told_by_byte_and_place() {
    let text = "path,label\r\nimg/1.png,café\r\nimg/2.png,b\r\n";
    for big in [false, true] {
        let dir = images("img", &["1.png", "2.png"]);
        let units = std::iter::once('\u{feff}')
            .chain(text.chars())
            .collect::<String>();
        let bytes: Vec<u8> = units
            .encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect();
        dir.bytes("m.csv", &bytes);
        assert_eq!(dir.open().expect("it opens").classes, ["b", "café"]);
    }
    let dir = images("img", &["1.png", "2.png"]);
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    dir.bytes("m.csv", &latin);
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("m.csv: line 2, byte 14: found the byte 0xE9, which is no UTF-8"),
        "{error}"
    );
}

#[test]
fn lines_are_numbered_right_with_any_line_ends_and_blank_lines() {
    for (text, line) in [
        ("path,label\r\nno\\1.jpg,a\r\nno\\2.jpg,b\r\n", 2),
        ("path,label\r\n\r\n\r\nno/1.jpg,a\r\n", 4),
        ("path,label\rno/1.jpg,a\r", 2),
        ("path,label\n\nno/1.jpg,a\n", 3),
    ] {
        let dir = Dir::new();
        dir.text("m.csv", text);
        let error = dir.error(&OpenOptions::default());
        assert!(
            error.contains(&format!("m.csv: line {line} names the image")),
            "{text:?}: {error}"
        );
    }
    let dir = images("img", &["1.png"]);
    dir.text("m.csv", "path,label\r\nimg/1.png,a\r\nimg/2.png\r\n");
    assert!(
        dir.error(&OpenOptions::default())
            .contains("m.csv: line 3: found")
    );
}

#[test]
fn a_table_without_a_header_is_recognised_and_numbered() {
    let dir = images("img", &["1.png", "2.png"]);
    dir.text("m.csv", "img/1.png,a\nimg/2.png,b\n");
    let task = dir.open().expect("it opens");
    assert_eq!(ids(&task).len(), 2);
    noted(
        &task,
        "the table has no header: images are column 1, labels column 2",
    );
    dir.text("m.csv", "7,img/1.png,a,x\n8,img/2.png,b,x\n");
    let error = dir.open().expect_err("which is the label?");
    assert!(
        error
            .to_string()
            .contains("no header, the first line is `7`, `img/1.png`, `a`, `x`"),
        "{error}"
    );
    assert!(
        error
            .hint()
            .expect("a way out")
            .contains("--image-column 2 --label-column COLUMN")
    );
    let options = OpenOptions {
        label_column: Some("3".to_owned()),
        ..OpenOptions::default()
    };
    assert_eq!(
        dir.open_with(&options).expect("it opens").classes,
        ["a", "b"]
    );
    // ids: only the images tell a row from a header
    dir.text("m.csv", "1,a\n2,b\n");
    let options = OpenOptions {
        image_column: Some("1".to_owned()),
        label_column: Some("2".to_owned()),
        ..OpenOptions::default()
    };
    assert_eq!(ids(&dir.open_with(&options).expect("it opens")).len(), 2);
}

#[test]
fn columns_of_folds_flags_and_sets_are_understood_or_noted() {
    let base = "path,label,X\nimg/1.png,a,1\nimg/2.png,a,0\nimg/3.png,b,0\nimg/4.png,b,0\n";
    let dir = images("img", &["1.png", "2.png", "3.png", "4.png"]);
    dir.text("m.csv", &base.replace('X', "fold"));
    noted(
        &dir.open().expect("it opens"),
        "the column `fold` numbers the parts of a cross-validation",
    );
    dir.text("m.csv", &base.replace('X', "is_valid"));
    let task = dir.open().expect("it opens");
    assert_eq!(
        (task.train.len(), singles(&task.test)),
        (3, vec![("img/1.png".to_owned(), 0)])
    );
    dir.text(
        "m.csv",
        &base
            .replace('X', "data set")
            .replace(",0", ",train")
            .replace(",1", ",test"),
    );
    let task = dir.open().expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (3, 1));
    dir.text("m.csv", &base.replace('X', "set"));
    let task = dir.open().expect("it opens");
    noted(
        &task,
        "the column `set` is not read as a split: `1` is no name of one",
    );
    assert!(task.provenance.made_split.is_some());
}

#[test]
fn rows_below_folders_of_splits_are_those_splits() {
    let dir = images("train", &["1.png", "2.png"]);
    dir.image("test/3.png", 9).text(
        "m.csv",
        "path,label\ntrain/1.png,a\ntrain/2.png,b\ntest/3.png,a\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (2, 1));
    noted(&task, "the splits are the folders that the images lie in");
}

#[test]
fn one_hot_rows_are_single_or_multi_label_as_they_are() {
    let dir = images("img", &["1.png", "2.png", "3.png"]);
    dir.text(
        "m.csv",
        "path,b,a,width\nimg/1.png,1,0,640\nimg/2.png,0,1,640\nimg/3.png,0,1,32\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["b", "a"], "in the order of the columns");
    assert!(!task.multi_label);
    dir.text(
        "m.csv",
        "path,b,a\nimg/1.png,1,1\nimg/2.png,0,1\nimg/3.png,0,0\n",
    );
    let task = dir.open().expect("it opens");
    assert!(task.multi_label);
    let mut all = rows(&task.train);
    all.extend(rows(&task.test));
    assert!(
        all.contains(&("img/1.png".to_owned(), vec![0, 1])),
        "{all:?}"
    );
    assert!(all.contains(&("img/3.png".to_owned(), vec![])), "{all:?}");
}

#[test]
fn several_labels_in_a_cell_need_a_separator_and_are_noted_without() {
    let dir = images("img", &["1.png", "2.png", "3.png"]);
    dir.text(
        "m.csv",
        "path,label\nimg/1.png,a\nimg/2.png,a|b\nimg/3.png,b\n",
    );
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["a", "a|b", "b"]);
    noted(
        &task,
        "1 labels hold `|`, such as `a|b` (line 3), and are read as one class each: `--label-separator pipe`",
    );
    for (text, separator) in [
        ("a|b", "|"),
        ("a b", "space"),
        ("a;b", ";"),
        ("\"a,b\"", "comma"),
    ] {
        dir.text(
            "m.csv",
            &format!("path,label\nimg/1.png,a\nimg/2.png,{text}\nimg/3.png,b\n"),
        );
        let options = OpenOptions {
            label_separator: Some(separator.parse().expect("a separator")),
            ..OpenOptions::default()
        };
        let task = dir.open_with(&options).expect("it opens");
        assert_eq!(task.classes, ["a", "b"], "{separator}");
        assert!(task.multi_label);
    }
}

#[test]
fn what_pandas_reads_as_missing_is_no_label() {
    let dir = images("img", &["1.png", "2.png", "3.png", "4.png"]);
    let text = "path,label\nimg/1.png,a\nimg/2.png,NaN\nimg/3.png,\nimg/4.png,b\n";
    dir.text("m.csv", text);
    let task = dir.open().expect("it opens");
    assert_eq!(task.classes, ["a", "b"]);
    noted(
        &task,
        "2 of 4 rows of m.csv have no label and were left out, such as `img/2.png` with `NaN` (line 3)",
    );
    dir.text("classes.txt", "a\nb\nNA\n").text(
        "m.csv",
        &text.replace("NaN", "NA").replace("3.png,\n", "3.png,b\n"),
    );
    let task = dir.open().expect("it opens");
    assert_eq!(
        task.train.len() + task.test.len() + task.val.map_or(0, |val| val.len()),
        4
    );
    let dir = images("img", &["1.png", "2.png"]);
    dir.text(
        "m.jsonl",
        "{\"path\": \"img/1.png\", \"label\": null}\n{\"path\": \"img/2.png\", \"label\": \"b\"}\n",
    );
    assert_eq!(ids(&dir.open().expect("it opens")), ["img/2.png"]);
}

#[test]
fn a_test_table_without_labels_is_noted() {
    let dir = images("img", &["1.png", "2.png", "3.png"]);
    dir.text("train.csv", "path,label\nimg/1.png,a\nimg/2.png,b\n")
        .text("test.csv", "path\nimg/3.png\n");
    let task = dir.open().expect("it opens");
    noted(
        &task,
        "test.csv has no column of labels: its images were passed over",
    );
    assert!(!ids(&task).contains(&"img/3.png".to_owned()));
}
