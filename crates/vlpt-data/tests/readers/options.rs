//! Every option of data over every layout: it acts, or it is refused by its flag.

use vlpt_data::{
    ClassSubset, DataError, DataSetting, Format, LabelFromName, LayoutError, OpenOptions, Task,
};

use crate::fixtures::{Dir, rows};
use crate::layouts::{Flaw, layout};
use crate::pixel_layouts::{fixed_classes, second};

/// What is refused because it can change nothing. All else has to act.
fn is_refused(setting: DataSetting, format: Format, flaw: Flaw) -> bool {
    use DataSetting as S;
    let table = matches!(
        format,
        Format::Csv | Format::Jsonl | Format::Parquet | Format::Arrow
    );
    match setting {
        S::Format | S::Name | S::ClassFile | S::ClassSubset => false,
        // Coop's split files need a test split, and CIFAR's batches are all there or the set is not
        S::SplitSeed | S::SplitRatios => {
            format != Format::ClassFolders
                && (flaw != Flaw::OneList || matches!(format, Format::Coop | Format::Cifar))
        }
        S::ImageColumn => !table,
        S::LabelColumn => !table && format != Format::WebDataset,
        S::DropEmptyClasses => match format {
            Format::ClassFolders | Format::ImageFolder => false,
            // of the suite only ImageNet has class folders
            Format::Coop => flaw != Flaw::EmptyClass,
            _ => true,
        },
        S::SkipMissingImages => match format {
            Format::Csv | Format::Jsonl | Format::Elevater | Format::FiftyOne | Format::Cub => {
                false
            }
            // only where rows name files
            Format::Parquet | Format::Arrow => flaw != Flaw::MissingImage,
            Format::Coop => flaw == Flaw::EmptyClass,
            _ => true,
        },
        S::ImageRoot | S::LabelSeparator => !matches!(format, Format::Csv | Format::Jsonl),
        S::LabelFromName => format != Format::FileNames,
    }
}

/// The flaw that shows what a setting does.
fn flaw(setting: DataSetting) -> Flaw {
    match setting {
        DataSetting::SplitSeed | DataSetting::SplitRatios => Flaw::OneList,
        DataSetting::DropEmptyClasses => Flaw::EmptyClass,
        DataSetting::SkipMissingImages => Flaw::MissingImage,
        DataSetting::Format
        | DataSetting::Name
        | DataSetting::ImageColumn
        | DataSetting::LabelColumn
        | DataSetting::ClassFile
        | DataSetting::ClassSubset
        | DataSetting::ImageRoot
        | DataSetting::LabelFromName => Flaw::None,
        DataSetting::LabelSeparator => Flaw::JoinedLabels,
    }
}

/// Options without which a layout is never recognised.
fn usual(format: Format) -> OpenOptions {
    let rule = (format == Format::FileNames).then_some(LabelFromName::Prefix);
    OpenOptions {
        label_from_name: rule,
        ..OpenOptions::default()
    }
}

/// Options with one setting.
fn given(setting: DataSetting, format: Format, class_file: &Dir) -> OpenOptions {
    let mut options = usual(format);
    match setting {
        DataSetting::Format => options.format = Some(format),
        DataSetting::Name => options.name = Some("renamed".to_owned()),
        DataSetting::SplitSeed => options.split_seed = 7,
        DataSetting::SplitRatios => options.split_ratios = [0.8, 0.0, 0.2],
        DataSetting::ImageColumn => options.image_column = Some("nowhere".to_owned()),
        DataSetting::LabelColumn => {
            let other = if matches!(format, Format::Parquet | Format::Arrow) {
                "coarse"
            } else {
                "kind"
            };
            options.label_column = Some(other.to_owned());
        }
        DataSetting::ClassFile => options.class_file = Some(class_file.path("names.txt")),
        DataSetting::DropEmptyClasses => options.drop_empty_classes = true,
        DataSetting::SkipMissingImages => options.skip_missing_images = true,
        DataSetting::ClassSubset => options.class_subset = ClassSubset::New,
        DataSetting::ImageRoot => options.image_root = Some("nowhere".into()),
        DataSetting::LabelSeparator => {
            options.label_separator = Some("|".parse().expect("a separator"));
        }
        DataSetting::LabelFromName => options.label_from_name = Some(LabelFromName::Prefix),
    }
    options
}

type Opened = Result<Task, DataError>;

/// Whether the setting did what it is documented to do.
fn acted(setting: DataSetting, before: &Opened, after: &Opened) -> bool {
    match (setting, before, after) {
        (DataSetting::Format, Ok(_), Ok(after)) => after.provenance.recognised_by == "it was named",
        (DataSetting::Name, Ok(_), Ok(after)) => after.name == "renamed",
        (DataSetting::SplitSeed | DataSetting::SplitRatios, Ok(before), Ok(after)) => {
            rows(&before.train) != rows(&after.train)
        }
        (DataSetting::ImageColumn, Ok(_), Err(error)) => error.to_string().contains("`nowhere`"),
        // numbers without names, or other names
        (DataSetting::LabelColumn, Ok(_), Err(error)) => {
            let error = error.to_string();
            error.contains("`coarse`") || error.contains("`insect`")
        }
        (DataSetting::LabelColumn, Ok(_), Ok(after)) => after.classes == ["insect"],
        (DataSetting::ClassFile, Ok(_), Ok(after)) => after.classes == ["bee", "ant"],
        // two names are too few there
        (DataSetting::ClassFile, Ok(before), Err(error)) => {
            fixed_classes(before.provenance.format) && error.to_string().contains("2 names")
        }
        (
            DataSetting::DropEmptyClasses,
            Err(DataError::Layout(LayoutError::EmptyClass { .. })),
            Ok(after),
        ) => after.classes == ["ant", "bee"],
        (
            DataSetting::SkipMissingImages,
            Err(DataError::Layout(LayoutError::MissingImages { .. })),
            Ok(after),
        ) => after
            .provenance
            .notes
            .iter()
            .any(|note| note.contains("do not exist")),
        (DataSetting::ClassSubset, Ok(before), Ok(after)) => {
            after.classes[0] == second(before.provenance.format)
                && (after.classes.len() == 1 || fixed_classes(before.provenance.format))
                && rows(&after.train).iter().all(|(_, labels)| labels == &[0])
                && before.train.len() == 2 * after.train.len()
        }
        (DataSetting::ImageRoot, Ok(_), Err(error)) => error.to_string().contains("nowhere"),
        (DataSetting::LabelSeparator, Ok(before), Ok(after)) => {
            before.classes == ["ant", "ant|bee", "bee"]
                && after.classes == ["ant", "bee"]
                && after.multi_label
        }
        (DataSetting::LabelFromName, Err(_), Ok(after)) => {
            after.provenance.format == Format::FileNames && after.classes == ["ant", "bee"]
        }
        _ => false,
    }
}

fn names() -> Dir {
    let dir = Dir::new();
    dir.text("names.txt", "bee\nant\n");
    dir
}

#[test]
fn every_option_acts_on_every_layout_or_is_refused_by_its_flag() {
    let names = names();
    for format in Format::READABLE {
        for setting in DataSetting::ALL {
            for flaw in [flaw(setting), Flaw::None] {
                let dir = layout(format, flaw);
                let before = match setting {
                    DataSetting::LabelFromName => dir.open(),
                    _ => dir.open_with(&usual(format)),
                };
                let after = dir.open_with(&given(setting, format, &names));
                let case = format!("{setting:?} on {format} ({flaw:?}): {after:?}");
                if is_refused(setting, format, flaw) {
                    let Err(error) = &after else { panic!("{case}") };
                    assert!(error.to_string().contains(&setting.flag()), "{case}");
                    let hint = error.hint().expect("a way out");
                    assert!(hint.contains(&setting.flag()), "{hint}");
                } else if flaw == self::flaw(setting) {
                    assert!(acted(setting, &before, &after), "{case}, before {before:?}");
                }
            }
        }
    }
}

#[test]
fn a_class_file_that_is_not_there_is_an_error_for_every_layout() {
    for format in Format::READABLE {
        let dir = layout(format, Flaw::None);
        let options = OpenOptions {
            class_file: Some("/nowhere/x.txt".into()),
            ..usual(format)
        };
        let error = dir.error(&options);
        assert!(error.contains("/nowhere/x.txt"), "{format}: {error}");
    }
}

#[test]
fn a_class_file_names_and_orders_class_folders() {
    let dir = Dir::new();
    for (folder, seed) in [("1", 1), ("10", 2), ("2", 3)] {
        for i in 0..4 {
            dir.image(&format!("set/{folder}/{i}.png"), seed);
        }
    }
    let opened = |text: &str| {
        dir.text("names.txt", text);
        let options = OpenOptions {
            class_file: Some(dir.path("names.txt")),
            ..OpenOptions::default()
        };
        vlpt_data::open(&dir.path("set"), &options)
    };
    let folder_of = |task: &Task, class: &str| {
        let label = task
            .classes
            .iter()
            .position(|c| c == class)
            .expect("it is there") as u32;
        let all = rows(&task.train);
        let of: Vec<String> = all
            .into_iter()
            .filter(|(_, labels)| labels == &[label])
            .map(|(id, _)| id)
            .collect();
        of[0].split('/').next().expect("a folder").to_owned()
    };
    // names alone: in the order of the folders, as it is told
    let task = opened("circle\ntriangle\nsquare\n").expect("it opens");
    assert_eq!(task.classes, ["circle", "triangle", "square"]);
    assert_eq!(folder_of(&task, "triangle"), "10");
    let told = task.provenance.notes.join("\n");
    assert!(told.contains("`10` is `triangle`"), "{told}");
    // `folder name`: in the order of the file
    let task = opened("2 blue square\n10\ttriangle\n1 circle\n").expect("it opens");
    assert_eq!(task.classes, ["blue square", "triangle", "circle"]);
    assert_eq!(folder_of(&task, "blue square"), "2");
    assert_eq!(folder_of(&task, "circle"), "1");
    // a folder alone keeps its name; lines of other sets' folders are told
    let task = opened("2\n10\n1\n77 of another set\n").expect("it opens");
    assert_eq!(task.classes, ["2", "10", "1"]);
    assert!(
        task.provenance
            .notes
            .join("\n")
            .contains("77 of another set")
    );
    for (text, says) in [
        ("circle\ntriangle\n", "2 names"),
        ("1 circle\n10 triangle\n", "no line for `2`"),
        (
            "1 circle\n10 triangle\n3 square\n",
            "lines of no class: `3 square`",
        ),
        ("1 circle\n1 triangle\n2 square\n", "in the lines 1 and 2"),
        ("\n", "class names"),
    ] {
        let error = opened(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text:?}: {error}");
    }
}

#[test]
fn a_class_file_comes_before_the_sets_own_names() {
    let dir = layout(Format::ImageFolder, Flaw::None);
    dir.text("classnames.txt", "ant Formica\nbee Apis\n");
    assert_eq!(dir.open().expect("it opens").classes, ["Formica", "Apis"]);
    let names = names();
    let options = given(DataSetting::ClassFile, Format::ImageFolder, &names);
    let task = dir.open_with(&options).expect("it opens");
    assert_eq!(task.classes, ["bee", "ant"]);
}

#[test]
fn base_and_new_are_the_halves_that_coops_code_takes() {
    let dir = Dir::new();
    for class in ["a", "b", "c", "d", "e"] {
        for i in 0..5 {
            dir.image(&format!("{class}/{i}.png"), i);
        }
    }
    let classes = |class_subset| {
        let options = OpenOptions {
            class_subset,
            ..OpenOptions::default()
        };
        dir.open_with(&options).expect("it opens").classes
    };
    assert_eq!(classes(ClassSubset::Base), ["a", "b", "c"]);
    assert_eq!(classes(ClassSubset::New), ["d", "e"]);
    assert_eq!(classes(ClassSubset::All).len(), 5);
    let one = Dir::new();
    one.image("train/a/1.png", 1).image("test/a/2.png", 2);
    let options = OpenOptions {
        class_subset: ClassSubset::New,
        ..OpenOptions::default()
    };
    assert!(
        one.error(&options)
            .contains("--class-subset new: found 1 class")
    );
}

#[test]
fn the_page_of_options_names_each() {
    let page = include_str!("../../../../docs/reference/data-options.md");
    // shares of a made split are set in code alone
    for setting in DataSetting::ALL {
        let told = page.contains(&format!("| `{}` |", setting.flag()));
        assert!(told || setting == DataSetting::SplitRatios, "{setting:?}");
    }
}
