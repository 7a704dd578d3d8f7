use super::*;

fn options(labels: RowLabels, scores: bool) -> RowOptions {
    RowOptions {
        classes: ["cat", "dog, big", "dog, big"].map(str::to_owned).to_vec(),
        top: 2,
        scores,
        labels,
        none_below: Some((0.5, "none".to_owned())),
    }
}

fn written(name: &str, options: RowOptions, rows: &[Row]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let mut writer = RowWriter::create(&path, options).unwrap();
    for row in rows {
        writer.push(row).unwrap();
    }
    assert!(!path.exists(), "nothing half is seen");
    assert_eq!(writer.finish().unwrap(), rows.len());
    let bytes = fs_err::read(&path).unwrap();
    assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 1);
    bytes
}

const ROWS: [Row; 3] = [
    Row {
        path: "a \"b\".png",
        labels: &[1],
        outcome: Ok(&[0.25, 0.75, 0.0]),
    },
    Row {
        path: "b.png",
        labels: &[0],
        outcome: Ok(&[0.4, 0.2, 0.4]),
    },
    Row {
        path: "c.png",
        labels: &[0],
        outcome: Ok(&[1e-7, 1.0, 0.0]),
    },
];
const BROKEN: Row = Row {
    path: "d.png",
    labels: &[],
    outcome: Err("not an image"),
};

#[test]
fn csv_has_a_column_for_each_thing() {
    let text = written("rows.csv", options(RowLabels::One, true), &ROWS);
    let expected = "\
path,label,predicted,probability,class_1,probability_1,class_2,probability_2,score:cat,\"score:dog, big\",\"score:dog, big (2)\"
\"a \"\"b\"\".png\",\"dog, big\",\"dog, big\",0.75,\"dog, big\",0.75,cat,0.25,0.25,0.75,0
b.png,cat,none,0.4,cat,0.4,\"dog, big\",0.4,0.4,0.2,0.4
c.png,cat,\"dog, big\",1,\"dog, big\",1,cat,1e-7,1e-7,1,0
";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn an_image_without_an_answer_keeps_its_row() {
    let rows = [ROWS[0], BROKEN];
    let text = written("rows.csv", options(RowLabels::Unknown, false), &rows);
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with(",probability_2,error"), "{text}");
    assert_eq!(lines[2], "d.png,,,,,,,not an image");
    let text = written("rows.jsonl", options(RowLabels::Unknown, true), &rows);
    let text = String::from_utf8(text).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"], "not an image");
    assert!(last["predicted"].is_null() && last.get("label").is_none());
}

#[test]
fn json_lines_hold_the_same() {
    let text = written("rows.jsonl", options(RowLabels::One, true), &ROWS);
    let text = String::from_utf8(text).unwrap();
    let second = text.lines().nth(1).unwrap();
    assert_eq!(
        second,
        "{\"path\":\"b.png\",\"label\":\"cat\",\"predicted\":\"none\",\"probability\":0.4,\
         \"top\":[{\"class\":\"cat\",\"probability\":0.4},{\"class\":\"dog, big\",\"probability\":0.4}],\
         \"scores\":{\"cat\":0.4,\"dog, big\":0.2,\"dog, big (2)\":0.4}}"
    );
    let several = Row {
        labels: &[0, 1],
        ..ROWS[0]
    };
    let text = written("rows.jsonl", options(RowLabels::Many, false), &[several]);
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("\"label\":[\"cat\",\"dog, big\"]"), "{text}");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_reads_back_the_same_rows_in_several_groups() {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    // So many cells that two groups are needed.
    let many: Vec<Row> = ROWS.iter().copied().cycle().take(30_000).collect();
    let file = written("rows.parquet", options(RowLabels::One, true), &many);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    fs_err::write(&path, file).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.num_row_groups(), 2);
    let rows: Vec<String> = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| row.unwrap().to_string())
        .collect();
    assert_eq!(rows.len(), 30_000);
    assert!(rows[1].starts_with(
        "{path: \"b.png\", label: \"cat\", predicted: \"none\", probability: 0.4, class_1: \"cat\""
    ));
    let empty = written("rows.parquet", options(RowLabels::Unknown, false), &[]);
    assert_eq!(&empty[..4], b"PAR1");
    let broken = written("rows.parquet", options(RowLabels::Unknown, true), &[BROKEN]);
    fs_err::write(&path, broken).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
    let row = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
    assert!(row.to_string().contains("predicted: null"), "{row}");
    assert!(
        row.to_string().ends_with("error: \"not an image\"}"),
        "{row}"
    );
}

#[test]
fn another_ending_lists_those_that_are_known() {
    for name in ["rows.tsv", "rows"] {
        let error = RowFormat::of(Path::new(name)).unwrap_err();
        assert!(
            error.hint().unwrap().contains(".csv, .jsonl or .parquet"),
            "{error}"
        );
    }
    assert_eq!(RowFormat::of(Path::new("A.CSV")).unwrap(), RowFormat::Csv);
}

#[test]
fn the_word_for_none_is_no_class() {
    let mut options = options(RowLabels::One, false);
    options.none_below = Some((0.5, "cat".to_owned()));
    let error = options.check().unwrap_err();
    assert!(error.hint().unwrap().contains("--none"), "{error}");
    options.none_below = Some((1.5, "none".to_owned()));
    assert!(options.check().is_err());
}

#[test]
fn a_file_that_grows_has_one_header_and_every_row_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["rows.csv", "rows.jsonl"] {
        let path = dir.path().join(name);
        let all = written(name, options(RowLabels::Unknown, false), &ROWS);
        let read = || fs_err::read(&path).unwrap();
        for row in &ROWS {
            let mut writer = RowWriter::append(&path, options(RowLabels::Unknown, false)).unwrap();
            writer.push(row).unwrap();
            let length = read().len() as u64;
            assert_eq!(writer.sync().unwrap(), length, "a row is there at once");
        }
        assert!(read() == all, "{name}");
        // What was torn off in the middle of a row is a row of its own.
        fs_err::write(&path, b"half a r").unwrap();
        RowWriter::append(&path, options(RowLabels::Unknown, false)).unwrap();
        assert_eq!(read(), b"half a r\n");
    }
    let refused = RowWriter::append(
        &dir.path().join("rows.parquet"),
        options(RowLabels::Unknown, false),
    );
    let Err(error) = refused else {
        panic!("Parquet grows")
    };
    assert!(error.hint().unwrap().contains(".jsonl"), "{error}");
}
