//! Few-shot lists of others: what is read, what is written, what is refused, and hostile pickles.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use vlpt_data::archive::Root;
use vlpt_data::{
    ClassSubset, DataError, FewShotList, FewShotRule, ListError, OpenOptions, Shots, Subset, Task,
    few_shot, open, write_list,
};

/// 40 training, 12 validation and 8 test images of 4 classes below `small`.
fn small(folder: &Path) -> Task {
    let set = folder.join("small");
    std::fs::create_dir_all(&set).unwrap();
    let root = Root::open(&set).unwrap();
    let labels = |n: u32| -> Vec<[u32; 1]> { (0..n).map(|i| [i % 4]).collect() };
    let train = common::split(&root, "train/", &labels(40));
    let val = common::split(&root, "val/", &labels(12));
    let test = common::split(&root, "test/", &labels(8));
    common::task(&set, "small", 4, (train, Some(val), test))
}

fn golden(name: &str) -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/few_shot_lists"
    ))
    .join(name)
}

/// Writes a list of training images as JSON Lines: path, label, class.
fn jsonl(folder: &Path, images: &[(&str, u32, &str)]) -> PathBuf {
    let path = folder.join("list.jsonl");
    let line = |(path, label, class): &(&str, u32, &str)| {
        format!(
            "{{\"_impath\": \"{path}\", \"_label\": {label}, \"_domain\": -1, \"_classname\": \"{class}\"}}\n"
        )
    };
    std::fs::write(&path, images.iter().map(line).collect::<String>()).unwrap();
    path
}

fn refused(path: &Path, task: &Task) -> (String, String) {
    let error = Subset::of_file(path, task, Shots::All).unwrap_err();
    (
        error.to_string().replace(&*path.to_string_lossy(), "FILE"),
        error.hint().unwrap_or_default(),
    )
}

#[test]
fn pickles_of_every_protocol_are_the_same_list() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    for protocol in 2..=5 {
        let path = golden(&format!("protocol-{protocol}.pkl"));
        let subset = FewShotList::open(&path)
            .unwrap()
            .subset(&task, Shots::Count(2))
            .unwrap();
        let ids = ["train/0", "train/4", "train/1", "train/5"];
        assert_eq!(subset.train[..4], ids);
        // one image is listed twice, as drawing with replacement does
        assert_eq!(
            subset.train[4..],
            ["train/2", "train/2", "train/3", "train/7"]
        );
        assert_eq!(subset.val, ["val/0", "val/1", "val/2", "val/3"]);
        assert_eq!(
            (subset.rule, subset.shots),
            (FewShotRule::List, Shots::Count(2))
        );
        let origin = subset.list.as_ref().unwrap();
        assert_eq!(origin.file, format!("protocol-{protocol}.pkl"));
        let (train, val) = subset.splits(&task).unwrap();
        assert_eq!(train.class_counts(4), [2; 4]);
        assert_eq!(val.class_counts(4), [1; 4]);
    }
    let subset = Subset::of_file(&golden("no-val.pkl"), &task, Shots::All).unwrap();
    assert_eq!((subset.train.len(), subset.val.len()), (8, 0));
}

#[test]
fn hostile_pickles_are_refused_and_nothing_runs() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    for (name, what) in [
        ("hostile-call-2.pkl", "global posix.system"),
        ("hostile-call-5.pkl", "global posix.system"),
        ("hostile-label.pkl", "global builtins.eval"),
    ] {
        let (message, hint) = refused(&golden(name), &task);
        assert!(
            message.starts_with("FILE: pickle refused at byte "),
            "{message}"
        );
        assert!(message.ends_with(what), "{message}");
        assert!(hint.contains("nothing in them is ever run"), "{hint}");
    }
    let record = b"cdassl.data.datasets.base_dataset\nDatum\n";
    let attacks: [(&[&[u8]], &str); 13] = [
        // the class is never called, nor made with arguments
        (&[record, b")R."], "a call of Datum with such arguments"),
        (
            &[record, b"K\x01\x85\x81."],
            "an object that is no plain Datum record",
        ),
        (
            &[b"cdassl.data.datasets\nDatumX\n."],
            "global dassl.data.datasets.DatumX",
        ),
        (&[b"cdassl data\nDatum\n."], "global dassl data.Datum"),
        (
            &[b"X\x02\0\0\0osX\x06\0\0\0system\x93."],
            "global os.system",
        ),
        (&[b"NN\x93."], "a class or function whose name is no text"),
        (&[b"X\0\0\0\0Q."], "a persistent id"),
        (&[record, b")\x81K\x01b."], "a state that is no dict"),
        (
            &[b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff."],
            "at most 1048576 are read",
        ),
        (&[b"\x95\x01\0\0\0\0\0\0\0"], "cut off at byte 9"),
        (&[b"\x94."], "nothing to remember"),
        (&[b"C\x01a."], "instruction SHORT_BINBYTES"),
        (&[b"\x80\x06."], "protocol 6, only 5 and older are read"),
    ];
    let path = folder.path().join("attack.pkl");
    for (parts, what) in attacks {
        std::fs::write(&path, parts.concat()).unwrap();
        let (message, _) = refused(&path, &task);
        assert!(message.contains(what), "{message} has no {what}");
    }
}

#[test]
fn pickles_of_other_content_are_refused_by_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let path = folder.path().join("other.pkl");
    let train = |items: &[u8]| [b"}X\x05\0\0\0train](", items, b"es."].concat();
    let record = |state: &[u8]| train(&[b"cdatasets.utils\nDatum\n)\x81}(", state, b"ub"].concat());
    for (bytes, what) in [
        (b"].".to_vec(), "no dict"),
        (b"}.".to_vec(), "no key `train`"),
        (b"}X\x05\0\0\0trainNs.".to_vec(), "`train` that is no list"),
        (b"}X\x04\0\0\0test]s.".to_vec(), "the key `test`"),
        (b"}K\x01]s.".to_vec(), "a key that is no text"),
        (train(b"K\x01"), "entry 1 of `train`: found no such record"),
        (
            train(b"cdatasets.utils\nDatum\n)\x81"),
            "found no such record",
        ),
        (record(b""), "a record without _impath"),
        (
            record(b"X\x07\0\0\0_impathK\x01"),
            "an attribute `_impath` of such a value",
        ),
        (
            record(b"X\x06\0\0\0_labelJ\xff\xff\xff\xff"),
            "the label -1",
        ),
        (
            record(b"X\x01\0\0\0xX\0\0\0\0"),
            "an attribute `x` of such a value",
        ),
        (train(b""), "it lists no training image"),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let (message, _) = refused(&path, &task);
        assert!(message.contains(what), "{message} has no {what}");
    }
    // a list of a record that is in itself, and one that is shared, end
    let cycle = b"}X\x05\0\0\0train](cdatasets.utils\nDatum\n)\x81q\0}(X\x07\0\0\0_impathh\0ubes.";
    std::fs::write(&path, cycle).unwrap();
    assert!(refused(&path, &task).0.contains("of such a value"));
}

#[test]
fn a_cut_pickle_is_refused_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pkl");
    for name in ["protocol-2.pkl", "protocol-5.pkl"] {
        let whole = std::fs::read(golden(name)).unwrap();
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let error = FewShotList::open(&path).unwrap_err();
            let cut = matches!(error, DataError::List(ListError::Pickle { .. }));
            assert!(cut, "{end}: {error}");
        }
    }
}

#[test]
fn what_is_written_is_read_again_in_both_layouts() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let drawn = few_shot(&task, FewShotRule::Coop, 3, 1).unwrap();
    let pickle = folder.path().join("shot_3-seed_1.pkl");
    let files = write_list(&pickle, &task, &drawn, None).unwrap();
    assert_eq!(files, [pickle]);
    let lines = folder.path().join("shot_3-seed_1.jsonl");
    let files = write_list(&lines, &task, &drawn, None).unwrap();
    let names = ["shot_3-seed_1_train.jsonl", "shot_3-seed_1_val.jsonl"];
    assert_eq!(files, names.map(|name| folder.path().join(name)));
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let first = text.lines().next().unwrap();
    let expected = format!(
        "{{\"_impath\":\"small/{}\",\"_label\":0,\"_domain\":-1,\"_classname\":\"class 0\"}}",
        drawn.train[0]
    );
    assert_eq!(first, expected);
    for path in [&folder.path().join("shot_3-seed_1.pkl"), &files[0]] {
        let again = Subset::of_file(path, &task, Shots::Count(3)).unwrap();
        assert_eq!((&again.train, &again.val), (&drawn.train, &drawn.val));
        // stored beside a run and read back, it names the same images
        let stored = folder.path().join("subset.json");
        again.save(&stored).unwrap();
        let stored = Subset::of_file(&stored, &task, Shots::Count(3)).unwrap();
        assert_eq!(stored, again);
        assert_eq!(stored.splits(&task).unwrap().0.len(), 12);
    }
    // validation images that were parted from the training images are found there
    let parted = few_shot(&task, FewShotRule::Elevater, 5, 1).unwrap();
    write_list(&lines, &task, &parted, Some("")).unwrap();
    let again = Subset::of_file(&files[0], &task, Shots::Count(4)).unwrap();
    assert_eq!((&again.train, &again.val), (&parted.train, &parted.val));
    let (train, val) = again.splits(&task).unwrap();
    assert_eq!((train.len(), val.len()), (16, 4));
}

#[test]
fn images_are_found_wherever_the_author_had_the_set() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let list = jsonl(
        folder.path(),
        &[
            ("train/0", 0, "class 0"),
            ("./data/small/train/1", 1, "class 1"),
            ("C:\\\\sets\\\\small\\\\train\\\\2", 2, "class 2"),
            ("/a/b/c/small/train/3", 3, "another name of class 3"),
        ],
    );
    let subset = Subset::of_file(&list, &task, Shots::Count(1)).unwrap();
    assert_eq!(subset.train, ["train/0", "train/1", "train/2", "train/3"]);
}

#[test]
fn what_does_not_fit_the_task_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let message = |images: &[(&str, u32, &str)]| refused(&jsonl(folder.path(), images), &task).0;
    assert_eq!(
        message(&[
            ("s/train/0", 0, "a"),
            ("s/train/99", 1, "b"),
            ("s/train/98", 1, "b")
        ]),
        "FILE, line 2: s/train/99 is no image of small; 2 of 3 training images cannot be used"
    );
    assert_eq!(
        message(&[
            ("s/train/0", 0, "a"),
            ("s/train/98", 1, "b"),
            ("s/test/1", 1, "b")
        ]),
        "FILE, line 3: s/test/1 is a test image of small; 2 of 3 training images cannot be used"
    );
    assert_eq!(
        message(&[("s/val/0", 0, "a")]),
        "FILE, line 1: s/val/0 is a validation image of small; 1 of 1 training images cannot be used"
    );
    assert_eq!(
        message(&[("pets/1.jpg", 0, "a"), ("pets/2.jpg", 1, "b")]),
        "FILE: none of its 2 training images is in small, the first is pets/1.jpg"
    );
    assert_eq!(
        message(&[("s/train/0", 0, "a"), ("s/train/1", 4, "b")]),
        "FILE, line 2: s/train/1 has label 4, but small has 4 classes"
    );
    assert_eq!(
        message(&[("s/train/0", 0, "a"), ("s/train/1", 3, "dog")]),
        "FILE, line 2: s/train/1 has label 3 (dog), but in small it is 1 (class 1)"
    );
    let list = jsonl(
        folder.path(),
        &[("s/train/0", 0, "a"), ("s/train/4", 0, "a")],
    );
    let error = Subset::of_file(&list, &task, Shots::Count(16)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("2 images of its largest class, but 16 shots were asked for")
    );
    assert_eq!(
        error.hint().unwrap(),
        "say --shots 2, or --shots all for any list"
    );
}

#[test]
fn files_that_are_no_lists_are_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        refused(&path, &task)
    };
    assert!(write("list.txt", "").1.contains(".jsonl"));
    let (message, hint) = write("a.jsonl", "\n{\"_impath\": 1}\n");
    assert!(
        message.starts_with("FILE, line 2: found `{\"_impath\": 1}`"),
        "{message}"
    );
    assert!(hint.contains("vlpt data sample"));
    assert!(write("a.jsonl", "[]").0.contains("line 1"));
    let extra = "{\"_impath\": \"a\", \"_label\": 0, \"x\": 1}";
    assert!(write("a.jsonl", extra).0.contains("unknown field"));
    assert_eq!(
        write("a.jsonl", "\n \n").0,
        "FILE: it lists no training image"
    );
    assert!(write("a.json", "{}").0.contains("not a few-shot subset"));
    let error = FewShotList::open(&folder.path().join("absent.jsonl")).unwrap_err();
    assert!(error.to_string().contains("absent.jsonl"), "{error}");
}

/// As published code: the list is of all classes, halved after it is read.
#[test]
fn a_list_of_all_classes_serves_both_halves() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let half = |subset| {
        let task = task.clone().with_class_subset(subset).unwrap();
        let subset = Subset::of_file(&golden("protocol-5.pkl"), &task, Shots::Count(2)).unwrap();
        (subset.train.join(" "), subset.val.join(" "))
    };
    let base = ("train/0 train/4 train/1 train/5", "val/0 val/1");
    assert_eq!(half(ClassSubset::Base), (base.0.into(), base.1.into()));
    let new = ("train/2 train/2 train/3 train/7", "val/2 val/3");
    assert_eq!(half(ClassSubset::New), (new.0.into(), new.1.into()));
    let base = task.clone().with_class_subset(ClassSubset::Base).unwrap();
    let list = jsonl(folder.path(), &[("train/0", 0, "a"), ("train/1", 0, "a")]);
    assert!(
        refused(&list, &base)
            .0
            .contains("in small it is 1 (class 1)")
    );
    let list = jsonl(folder.path(), &[("train/0", 0, "a"), ("train/2", 4, "a")]);
    assert!(refused(&list, &base).0.contains("has label 4"));
}

/// Published index files name the images that the rule draws; as a list they train on the same.
#[test]
fn a_published_subset_of_a_real_set_is_read_as_a_list() {
    let Some(path) = common::shared("data/coop/eurosat") else {
        return;
    };
    let task = open(&path, &OpenOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let drawn = few_shot(&task, FewShotRule::Coop, 4, 1).unwrap();
    for name in ["shot_4-seed_1.jsonl", "shot_4-seed_1.pkl"] {
        let files = write_list(&folder.path().join(name), &task, &drawn, None).unwrap();
        let again = Subset::of_file(&files[0], &task, Shots::Count(4)).unwrap();
        assert_eq!((&again.train, &again.val), (&drawn.train, &drawn.val));
    }
    let text = std::fs::read_to_string(folder.path().join("shot_4-seed_1_train.jsonl")).unwrap();
    assert!(
        text.starts_with("{\"_impath\":\"eurosat/2750/"),
        "{text:.60}"
    );
}
