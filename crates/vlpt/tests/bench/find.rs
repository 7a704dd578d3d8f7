//! What is found, in which layout, and what is said of what is missing or broken.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::common::{ok, run, transcript, write_png};
use crate::{bench, class_folders, colour, rows, two_sets, write_jpg};

#[test]
fn what_is_missing_or_broken_is_a_line_and_stops_nothing() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    two_sets(root);
    // a task whose list names an image that is not there, and one whose archive is cut off
    std::fs::remove_file(root.join("sets/dtd/images/woven/3.png")).unwrap();
    let cut = root.join("sets/classification/mnist_20211008");
    std::fs::create_dir_all(&cut).unwrap();
    std::fs::write(cut.join("labels.txt"), "0\n1\n").unwrap();
    for list in ["train.txt", "test.txt"] {
        std::fs::write(cut.join(list), "train.zip@0.png 0\ntrain.zip@1.png 1\n").unwrap();
    }
    let mut zip = std::fs::File::create(cut.join("train.zip")).unwrap();
    zip.write_all(b"PK\x03\x04 half of an archive").unwrap();
    let nowhere = [["--data", "set"], ["--task", "EuroSAT=set"]];
    for place in nowhere {
        let output = run(root, &[&["bench", "coop", "--list"], &place[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with("error: set: nothing is there"), "{said}");
        assert_eq!(output.status.code(), Some(2));
    }
    let listed = ok(root, &["bench", "coop", "--data", "sets", "--list"]);
    let line = |name: &str| {
        let own = listed.lines().find(|line| line.starts_with(name));
        own.unwrap_or_else(|| panic!("{listed}")).to_owned()
    };
    assert!(line("EuroSAT ").contains("4 of 10"), "{listed}");
    assert!(
        line("DescribableTextures ").contains("unusable"),
        "{listed}"
    );
    assert!(
        line("DescribableTextures:").contains("woven/3.png"),
        "{listed}"
    );
    assert!(line("SUN397 ").contains("missing"), "{listed}");
    assert!(listed.contains("split_zhou_SUN397.json"), "{listed}");
    // a label map that lacks a class of the lists
    let wrong = root.join("sets/classification/gtsrb_20210923");
    std::fs::create_dir_all(&wrong).unwrap();
    std::fs::write(wrong.join("labelmap.txt"), "stop\nyield\n").unwrap();
    let zip = std::fs::File::create(wrong.join("train.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(zip);
    for name in ["0.png", "1.png"] {
        let image = root.join(name);
        write_png(&image, colour(0, 0));
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&std::fs::read(image).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    for list in ["train.txt", "test.txt"] {
        std::fs::write(wrong.join(list), "train.zip@0.png 0\ntrain.zip@1.png 7\n").unwrap();
    }
    let elevater = ok(root, &["bench", "elevater", "--data", "sets", "--list"]);
    let of = |name: &str| {
        let own = elevater.lines().find(|line| line.starts_with(name));
        own.unwrap_or_else(|| panic!("{elevater}"))
    };
    assert!(of("mnist:").contains("train.zip"), "{elevater}");
    assert!(of("gtsrb:").contains("label 7"), "{elevater}");
    // what a download is compared with: the hash of the split file, where it is known
    assert!(
        listed.contains("check: SHA-256 of split_zhou_UCF101.json is 875b6350"),
        "{listed}"
    );
    assert!(listed.contains("check: by the counts above"), "{listed}");
    assert!(
        line("EuroSAT:").contains("is not the published file"),
        "{listed}"
    );
    // the one that is whole is run
    let args = ["coop", "--data", "sets", "--out", "out"];
    let printed = bench(root, &args, &[]);
    assert!(
        printed.contains("note: without ImageNet, Caltech101"),
        "{printed}"
    );
    let table = rows(&root.join("out/results.csv"));
    assert!(table.iter().all(|row| row["task"] == "EuroSAT"));
    // a plan for others, and nothing at hand
    let planned = ok(
        root,
        &[
            "bench",
            "coop",
            "--data",
            "sets",
            "--out",
            "planned",
            "--plan-only",
            "--json",
        ],
    );
    let planned: Value = serde_json::from_str(&planned).unwrap();
    assert_eq!(planned["jobs"], 1 + 5 * 3);
    let none = transcript(
        root,
        &["bench", "domain", "--data", "sets", "--out", "none"],
    );
    assert!(none.starts_with("exit code: 2"), "{none}");
    assert!(none.contains("hint: name the folders"), "{none}");
    let refused = transcript(
        root,
        &[
            "bench",
            "base-to-new",
            "--data",
            "sets",
            "--methods",
            "linear-probe",
            "--out",
            "no",
        ],
    );
    assert!(
        refused.contains("knows the classes it was trained on"),
        "{refused}"
    );
}

/// What torchvision's `download=True` leaves: the authors' archives, unpacked under its names.
#[test]
fn sets_as_torchvision_unpacks_them_are_found() {
    let root = tempfile::tempdir().unwrap();
    let sets = root.path().join("sets");
    let classes = |folder: &str, classes: [(&str, usize); 2]| {
        class_folders(&sets.join(folder), &classes, 8);
    };
    classes(
        "caltech101/101_ObjectCategories",
        [("accordion", 0), ("airplanes", 1)],
    );
    classes("dtd/dtd/images", [("banded", 0), ("woven", 1)]);
    classes("food-101/images", [("apple_pie", 0), ("waffles", 1)]);
    classes("eurosat/2750", [("Forest", 0), ("River", 1)]);
    let (mut own, mut test) = (String::new(), String::new());
    for (number, breed) in [(1, "Abyssinian"), (2, "beagle")] {
        for image in 0..8 {
            let name = format!("{breed}_{image}");
            let file = sets
                .join("oxford-iiit-pet/images")
                .join(format!("{name}.jpg"));
            write_jpg(&file, colour(number, image));
            let list = if image < 6 { &mut own } else { &mut test };
            *list += &format!("{name} {number} 1 1\n");
        }
    }
    let annotations = sets.join("oxford-iiit-pet/annotations");
    std::fs::create_dir_all(&annotations).unwrap();
    std::fs::write(annotations.join("trainval.txt"), own).unwrap();
    std::fs::write(annotations.join("test.txt"), test).unwrap();
    let aircraft = sets.join("fgvc-aircraft-2013b/data");
    for (part, ids) in [
        ("train", ["1", "2"]),
        ("val", ["3", "4"]),
        ("test", ["5", "6"]),
    ] {
        for (class, id) in ids.into_iter().enumerate() {
            write_jpg(
                &aircraft.join("images").join(format!("{id}.jpg")),
                colour(class, 0),
            );
        }
        let list = format!("{} 707-320\n{} A300B4\n", ids[0], ids[1]);
        std::fs::write(aircraft.join(format!("images_variant_{part}.txt")), list).unwrap();
    }
    std::fs::write(aircraft.join("variants.txt"), "707-320\nA300B4\n").unwrap();
    let listed = ok(
        root.path(),
        &["bench", "coop", "--data", "sets", "--list", "--json"],
    );
    let listed: Value = serde_json::from_str(&listed).unwrap();
    for name in [
        "Caltech101",
        "DescribableTextures",
        "Food101",
        "EuroSAT",
        "OxfordPets",
        "FGVCAircraft",
    ] {
        let mut tasks = listed["tasks"].as_array().unwrap().iter();
        let task = tasks.find(|task| task["name"] == name).unwrap();
        assert_eq!(task["state"], "found", "{task}");
        assert_eq!(task["layout"], "coop", "{task}");
        assert_eq!(task["counts"][0], 2, "{task}");
    }
}

/// ELEVATER's and CoOp's own files, at small size: figures are committed under `docs/results`.
#[test]
fn real_sets_are_found_in_their_layouts() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !shared.is_dir() {
        eprintln!("SKIPPED: no ../shared/data beside the checkout");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let data = shared.display().to_string();
    let listed = |name: &str| -> BTreeMap<String, String> {
        let text = ok(
            root.path(),
            &["bench", name, "--data", &data, "--list", "--json"],
        );
        let listed: Value = serde_json::from_str(&text).unwrap();
        let tasks = listed["tasks"].as_array().unwrap().iter();
        let found = tasks.filter(|task| task["state"] == "found");
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        found
            .map(|task| (word(&task["name"]), word(&task["layout"])))
            .collect()
    };
    let coop = listed("coop");
    for name in ["EuroSAT", "Caltech101", "DescribableTextures"] {
        assert_eq!(coop[name], "coop");
    }
    let elevater = listed("elevater");
    assert_eq!(elevater["mnist"], "elevater");
    assert_eq!(elevater["gtsrb"], "elevater");
    assert_eq!(elevater["cifar-10"], "webdataset");
    assert_eq!(elevater["cifar-100"], "parquet");
}

#[test]
fn sets_as_torchvision_leaves_them_are_found_for_elevater() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let write = |path: &str, bytes: &[u8]| {
        let path = root.join("sets").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for part in ["train", "t10k"] {
        let images = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x00\x40\x80\xff";
        write(&format!("MNIST/raw/{part}-images-idx3-ubyte"), images);
        let labels = b"\0\0\x08\x01\0\0\0\x02\x07\x09";
        write(&format!("MNIST/raw/{part}-labels-idx1-ubyte"), labels);
    }
    let cifar = "cifar-10-batches-bin";
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n";
    write(&format!("{cifar}/batches.meta.txt"), names.as_bytes());
    let names = (1..=5).map(|number| format!("data_batch_{number}"));
    for name in names.chain(["test_batch".to_owned()]) {
        write(&format!("{cifar}/{name}.bin"), &[3; 3073]);
    }
    write("cifar-10-binary.tar.gz", b"");
    let face = vec!["9"; 48 * 48].join(" ");
    let table = format!("emotion,pixels,Usage\n3,{face},Training\n6,{face},PrivateTest\n");
    write("fer2013/fer2013.csv", table.as_bytes());
    let listed = ok(root, &["bench", "elevater", "--data", "sets", "--list"]);
    for (task, layout) in [
        ("mnist ", "idx"),
        ("cifar-10 ", "cifar"),
        ("fer-2013 ", "fer2013"),
    ] {
        let line = listed.lines().find(|line| line.starts_with(task));
        let line = line.unwrap_or_else(|| panic!("{listed}"));
        assert!(line.contains("found") && line.contains(layout), "{listed}");
    }
}
