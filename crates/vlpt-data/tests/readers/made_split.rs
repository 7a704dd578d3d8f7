use std::collections::BTreeSet;

use vlpt_data::{Format, OpenOptions, Split};

use crate::fixtures::{Dir, singles};

fn bare(counts: &[usize]) -> Dir {
    let dir = Dir::new();
    for (class, count) in counts.iter().enumerate() {
        for i in 0..*count {
            dir.image(&format!("class{class}/{i}.png"), i as u8);
        }
    }
    dir
}

fn seeded(seed: u64) -> OpenOptions {
    OpenOptions {
        split_seed: seed,
        ..OpenOptions::default()
    }
}

#[test]
fn ten_images_a_class_become_six_two_and_two() {
    let task = bare(&[10, 10, 10]).open().expect("it opens");
    assert_eq!(task.provenance.format, Format::ClassFolders);
    assert_eq!(task.train.class_counts(3), [6, 6, 6]);
    assert_eq!(
        task.val.as_ref().expect("a val split").class_counts(3),
        [2, 2, 2]
    );
    assert_eq!(task.test.class_counts(3), [2, 2, 2]);
}

#[test]
fn each_image_is_in_one_split_and_splits_keep_the_order_of_the_source() {
    let task = bare(&[10, 7, 23]).open().expect("it opens");
    let val = task.val.clone().expect("a val split");
    let ids = |split: &Split| {
        singles(split)
            .into_iter()
            .map(|(id, _)| id)
            .collect::<Vec<_>>()
    };
    let all: BTreeSet<String> = [&task.train, &val, &task.test]
        .into_iter()
        .flat_map(&ids)
        .collect();
    assert_eq!(all.len(), 40);
    for split in [&task.train, &val, &task.test] {
        assert!(ids(split).is_sorted());
    }
}

#[test]
fn small_classes_have_a_test_image_from_two_and_always_one_to_learn_from() {
    let task = bare(&[1, 2, 3, 4, 5]).open().expect("it opens");
    assert_eq!(task.train.class_counts(5), [1, 1, 1, 2, 3]);
    assert_eq!(task.test.class_counts(5), [0, 1, 1, 1, 1]);
}

#[test]
fn the_seed_decides_and_zero_is_a_seed() {
    let dir = bare(&[20, 20]);
    let split = |seed| {
        let task = dir.open_with(&seeded(seed)).expect("it opens");
        (
            singles(&task.test),
            task.provenance.made_split.expect("a split was made"),
        )
    };
    assert_eq!(split(0), split(0));
    assert_ne!(split(0).0, split(1).0);
    assert_ne!(split(0).1.sha256, split(1).1.sha256);
    assert_eq!((split(7).1.seed, split(7).1.ratios), (7, [0.6, 0.2, 0.2]));
}

#[test]
fn the_split_stays_the_same_from_release_to_release() {
    let task = bare(&[10, 10]).open().expect("it opens");
    let test: Vec<String> = singles(&task.test).into_iter().map(|(id, _)| id).collect();
    // random.Random(0): shuffle(sorted ids of class 0), shuffle(those of class 1); the last two
    assert_eq!(
        test,
        [
            "class0/6.png",
            "class0/9.png",
            "class1/3.png",
            "class1/5.png"
        ]
    );
}

#[test]
fn other_ratios_are_kept_and_wrong_ones_refused() {
    let dir = bare(&[10, 10]);
    let with = |ratios| OpenOptions {
        split_ratios: ratios,
        ..OpenOptions::default()
    };
    let task = dir.open_with(&with([0.5, 0.0, 0.5])).expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (10, 10));
    assert!(task.val.is_none());
    for ratios in [
        [0.5, 0.5, 0.5],
        [0.0, 0.5, 0.5],
        [1.2, -0.1, -0.1],
        [f64::NAN, 0.5, 0.5],
    ] {
        let error = dir.error(&with(ratios));
        assert!(error.contains("expected three shares"), "{error}");
    }
}

#[test]
fn a_train_folder_alone_is_split_too() {
    let dir = Dir::new();
    for i in 0..10 {
        dir.image(&format!("train/a/{i}.png"), i)
            .image(&format!("train/b/{i}.png"), i);
    }
    let task = dir.open().expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (12, 4));
    assert!(task.provenance.made_split.is_some());
}

#[test]
fn an_image_of_several_classes_is_split_with_the_rarest() {
    let dir = Dir::new();
    let mut text = "path,labels\n".to_owned();
    for i in 0..20u8 {
        dir.image(&format!("{i}.png"), i);
        text.push_str(&format!(
            "{i}.png,{}\n",
            if i < 4 { "rare;common" } else { "common" }
        ));
    }
    dir.text("m.csv", &text);
    let task = dir.open().expect("it opens");
    assert!(task.multi_label);
    let rare = task
        .classes
        .iter()
        .position(|class| class == "rare")
        .expect("a class");
    assert_eq!(task.test.class_counts(2)[rare], 1);
    assert_eq!(task.train.class_counts(2)[rare], 2);
    assert_eq!(task.test.len(), 4);
}
