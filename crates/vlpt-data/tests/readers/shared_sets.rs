//! The readers on real data: `../shared/data` beside the checkout.

use std::path::PathBuf;

use vlpt_data::image::Limits;
use vlpt_data::{Format, Metric, OpenOptions, Sample, Task, open};

fn read(path: &str, format: Format) -> Option<Task> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if !root.is_dir() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: {} does not exist\n", root.display()),
        );
        return None;
    }
    let task = open(&root.join(path), &OpenOptions::default()).expect("the set opens");
    assert_eq!(task.provenance.format, format, "{path}");
    some_decode(&task);
    Some(task)
}

/// Classes, and images in train, val and test.
fn counts(task: &Task) -> [usize; 4] {
    let val = task.val.as_ref().map_or(0, vlpt_data::Split::len);
    [task.classes.len(), task.train.len(), val, task.test.len()]
}

/// Decodes some images of every split, the first and the last among them.
fn some_decode(task: &Task) {
    for split in [Some(&task.train), task.val.as_ref(), Some(&task.test)] {
        let Some(split) = split else { continue };
        let step = (split.len() / 7).max(1);
        let some: Vec<&Sample> = split
            .samples
            .iter()
            .step_by(step)
            .chain(split.samples.last())
            .collect();
        for item in some {
            let image = item.load(&Limits::default()).expect("the image decodes");
            assert_eq!(
                image.data.len(),
                image.width as usize * image.height as usize * 3
            );
            assert!(!image.data.is_empty());
        }
    }
}

#[test]
fn coop_eurosat() {
    let Some(task) = read("coop/eurosat", Format::Coop) else {
        return;
    };
    assert_eq!(counts(&task), [10, 480, 120, 400]);
    assert_eq!(task.name, "EuroSAT");
    assert_eq!(task.classes[0], "Annual Crop Land");
    assert_eq!(task.templates, ["a centered satellite photo of {}."]);
    assert_eq!(task.test.class_counts(10), [40; 10]);
}

#[test]
fn coop_caltech() {
    let Some(task) = read("coop/caltech-101", Format::Coop) else {
        return;
    };
    assert_eq!(counts(&task), [100, 500, 100, 300]);
    assert_eq!(task.name, "Caltech101");
    assert_eq!(task.classes[..2], ["face", "leopard"]);
}

#[test]
fn coop_dtd() {
    let Some(task) = read("coop/dtd", Format::Coop) else {
        return;
    };
    assert_eq!(counts(&task), [10, 130, 30, 40]);
    assert_eq!(task.templates, ["{} texture."]);
    assert!(
        task.train.samples[0]
            .image
            .id()
            .starts_with("images/banded/")
    );
}

#[test]
fn elevater_gtsrb() {
    let Some(task) = read("elevater/classification/gtsrb_20210923", Format::Elevater) else {
        return;
    };
    assert_eq!(counts(&task), [43, 430, 0, 215]);
    assert_eq!(task.name, "gtsrb");
    assert_eq!(task.classes[0], "red and white circle 20 kph speed limit");
    assert_eq!(task.templates.len(), 3);
    assert_eq!(
        task.test.samples[0].image.id(),
        "final_test.zip@0/00004_00029.png"
    );
}

#[test]
fn elevater_mnist() {
    let Some(task) = read("elevater/classification/mnist_20211008", Format::Elevater) else {
        return;
    };
    assert_eq!(counts(&task), [10, 600, 0, 600]);
    assert_eq!(task.classes[9], "9");
    assert_eq!(task.templates, ["a photo of the number: \"{}\"."]);
    assert_eq!(task.metric, Metric::Accuracy);
}

#[test]
fn webdataset_cifar10() {
    let Some(task) = read("wds/wds_cifar10", Format::WebDataset) else {
        return;
    };
    assert_eq!(counts(&task), [10, 600, 0, 600]);
    assert_eq!(task.templates, ["a photo of a {}."]); // the set's own, not the catalogue's 18
    assert_eq!(task.train.samples[599].labels.len(), 1);
    assert!(
        task.train.samples[599]
            .image
            .id()
            .starts_with("train/1.tar@")
    );
}

#[test]
fn hugging_face_cifar100() {
    let Some(task) = read("hf/cifar100", Format::Parquet) else {
        return;
    };
    assert_eq!(counts(&task), [100, 1600, 0, 1000]);
    assert_eq!(task.classes[1], "aquarium fish");
    assert_eq!(task.test.class_counts(100), [10; 100]);
}

#[test]
fn image_folder_imagenet20() {
    let Some(task) = read("imagefolder/imagenet20", Format::ImageFolder) else {
        return;
    };
    assert_eq!(counts(&task), [20, 80, 0, 40]);
    assert!(task.classes.is_sorted());
    assert_eq!(task.train.class_counts(20), [4; 20]);
}
