//! Files as torchvision's data sets leave them: pixels, labels, splits and names of classes.

use std::collections::BTreeMap;
use std::path::Path;

use vlpt_base::hash::sha256;
use vlpt_data::image::Limits;
use vlpt_data::{Format, OpenOptions, Split, open};

use crate::fixtures::{Dir, singles};

/// A file that `make_torchvision.py` wrote.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torchvision");
    fs_err::read(folder.join(name)).expect("a golden file")
}

/// Hashes of the pixels that `make_torchvision.py` wrote, reshaped as torchvision does.
fn expected(set: &str) -> Vec<String> {
    let index: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&golden("index.json")).expect("hashes");
    index[set].clone()
}

fn hashes(split: &Split) -> Vec<String> {
    let load = |sample: &vlpt_data::Sample| sample.load(&Limits::default()).expect("an image");
    let images = split.samples.iter().map(load);
    images.map(|image| sha256(&image.data)).collect()
}

/// CIFAR-100 whose parts are both this golden batch.
pub(crate) fn cifar_100(batch: &[u8]) -> Dir {
    let dir = Dir::new();
    dir.bytes("meta", &golden("meta"));
    dir.bytes("train", batch).bytes("test", batch);
    dir
}

#[test]
fn pickled_batches_give_the_pixels_that_were_written() {
    for name in [
        "batch-python-2",
        "batch-protocol-2",
        "batch-protocol-3",
        "batch-protocol-4",
        "batch-columns",
    ] {
        let dir = cifar_100(&golden(name));
        let task = dir.open().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(task.provenance.format, Format::Cifar);
        assert_eq!(task.classes, ["apple", "aquarium_fish", "baby"], "{name}");
        assert_eq!(hashes(&task.train), expected("cifar"), "{name}");
        let rows = [("test#0".to_owned(), 2), ("test#1".to_owned(), 0)];
        assert_eq!(singles(&task.test), rows, "{name}");
        assert!(task.val.is_none() && task.provenance.made_split.is_none());
        assert_eq!(task.name, "cifar-100");
    }
}

#[test]
fn an_image_has_the_same_hash_however_it_is_stored() {
    let of = |name: &str| {
        let task = cifar_100(&golden(name)).open().expect("a set");
        // read at once: files go away with their folder, open ones do not
        sha256(&task.train.samples[1].read().expect("bytes"))
    };
    let first = of("batch-python-2");
    for name in ["batch-protocol-2", "batch-protocol-4", "batch-columns"] {
        assert_eq!(of(name), first, "{name}");
    }
}

#[test]
fn cifar_10_takes_its_batches_in_order_and_needs_them_all() {
    let dir = Dir::new();
    let batch = |label: u8| [&[label][..], &[label; 3072]].concat();
    dir.text("root/cifar-10-batches-bin/batches.meta.txt", "cat\ndog\n\n");
    for number in 1..=5_u8 {
        let name = format!("root/cifar-10-batches-bin/data_batch_{number}.bin");
        dir.bytes(&name, &batch(number % 2));
    }
    let test = "root/cifar-10-batches-bin/test_batch.bin";
    dir.bytes(test, &batch(1));
    // torchvision leaves the archive beside the folder
    dir.bytes("root/cifar-10-binary.tar.gz", b"");
    let options = OpenOptions {
        name: Some("elevater/cifar-10".to_owned()),
        ..OpenOptions::default()
    };
    let task = open(&dir.path("root"), &options).expect("a set inside");
    assert_eq!(task.name, "cifar-10");
    let labels: Vec<u32> = singles(&task.train).into_iter().map(|row| row.1).collect();
    assert_eq!(labels, [1, 0, 1, 0, 1]);
    let first = task.train.samples[0].load(&Limits::default()).expect("one");
    assert!((first.width, first.height) == (32, 32) && first.data.iter().all(|&v| v == 1));
    fs_err::remove_file(dir.path("root/cifar-10-batches-bin/data_batch_3.bin")).expect("gone");
    let error = open(
        &dir.path("root/cifar-10-batches-bin"),
        &OpenOptions::default(),
    );
    let error = dir.told(&error.expect_err("incomplete"));
    assert!(
        error.contains("data_batch_3.bin, which does not exist"),
        "{error}"
    );
}

#[test]
fn idx_files_give_the_pixels_that_were_written_packed_or_not() {
    for (ending, folder) in [
        ("", "MNIST/raw"),
        (".gz", "MNIST/raw"),
        ("", "MNIST"),
        (".gz", "MNIST"),
    ] {
        let dir = Dir::new();
        for part in ["train", "t10k"] {
            for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
                let bytes = golden(&format!("{kind}{ending}"));
                dir.bytes(&format!("{folder}/{part}-{kind}{ending}"), &bytes);
            }
        }
        for place in [folder, "MNIST"] {
            let task = open(&dir.path(place), &OpenOptions::default()).expect("a set");
            assert_eq!(task.provenance.format, Format::Idx);
            assert_eq!(task.name, "mnist");
            assert_eq!(task.classes[7], "7");
            assert_eq!(hashes(&task.train), expected("idx"), "{folder}{ending}");
            let labels: Vec<u32> = singles(&task.test).into_iter().map(|row| row.1).collect();
            assert_eq!(labels, [7, 0, 9]);
        }
    }
}

#[test]
fn sets_in_the_form_of_mnist_have_their_own_classes() {
    for (folder, name, class) in [
        ("FashionMNIST", None, "Ankle boot"),
        ("KMNIST", None, "wo"),
        ("figures", None, "9"),
        ("figures", Some("mnist"), "9"),
        ("figures", Some("FashionMNIST"), "Ankle boot"),
    ] {
        let options = OpenOptions {
            name: name.map(str::to_owned),
            ..OpenOptions::default()
        };
        let dir = Dir::new();
        for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
            dir.bytes(&format!("{folder}/raw/train-{kind}"), &golden(kind));
            dir.bytes(&format!("{folder}/raw/t10k-{kind}"), &golden(kind));
        }
        let task = open(&dir.path(folder), &options).expect("a set");
        assert_eq!(task.classes[9], class, "{folder}");
    }
}

#[test]
fn a_class_file_names_the_labels_of_idx_files() {
    let dir = Dir::new();
    for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        dir.bytes(&format!("set/train-{kind}"), &golden(kind));
        dir.bytes(&format!("set/t10k-{kind}"), &golden(kind));
    }
    let names: Vec<String> = (0..12).map(|label| format!("class {label}")).collect();
    dir.text("names.txt", &names.join("\n"));
    let options = OpenOptions {
        class_file: Some(dir.path("names.txt")),
        ..OpenOptions::default()
    };
    let task = open(&dir.path("set"), &options).expect("a set");
    assert_eq!(task.classes, names);
}

#[test]
fn fer2013_has_the_pixels_and_the_parts_of_its_table() {
    let dir = Dir::new();
    dir.bytes("fer2013/fer2013.csv", &golden("fer2013.csv"));
    for place in ["fer2013", "fer2013/fer2013.csv"] {
        let task = open(&dir.path(place), &OpenOptions::default()).expect("a set");
        assert_eq!(task.name, "fer-2013");
        assert_eq!(singles(&task.train), [("fer2013.csv#0".to_owned(), 3)]);
        assert_eq!(singles(&task.test), [("fer2013.csv#1".to_owned(), 6)]);
        assert_eq!(task.classes[3], "happy");
        assert_eq!(task.classes[6], "neutral");
        let found = [hashes(&task.train), hashes(&task.test)].concat();
        assert_eq!(found, expected("fer2013"));
    }
}

#[test]
fn dtd_takes_its_own_lists_unless_the_set_of_coop_is_named() {
    let dir = Dir::new();
    for class in ["banded", "woven"] {
        for number in 1..=6 {
            dir.image(&format!("dtd/images/{class}/{class}_{number}.jpg"), number);
        }
    }
    for (part, numbers) in [("train1", [1, 2]), ("val1", [3, 4]), ("test1", [5, 6])] {
        let lines = numbers.map(|n| format!("banded/banded_{n}.jpg\nwoven/woven_{n}.jpg\n"));
        dir.text(&format!("dtd/labels/{part}.txt"), &lines.concat());
    }
    let task = open(&dir.path("dtd"), &OpenOptions::default()).expect("a set");
    let val = task.val.as_ref().expect("it is listed");
    assert_eq!([task.train.len(), val.len(), task.test.len()], [4, 4, 4]);
    assert_eq!(
        task.test.samples[0].image.id(),
        "images/banded/banded_5.jpg"
    );
    assert!(task.provenance.made_split.is_none());
    let options = OpenOptions {
        name: Some("coop/DescribableTextures".to_owned()),
        ..OpenOptions::default()
    };
    let task = open(&dir.path("dtd"), &options).expect("CoOp's set");
    assert_eq!(task.train.len(), 6);
    assert!(task.provenance.made_split.is_some());
}
