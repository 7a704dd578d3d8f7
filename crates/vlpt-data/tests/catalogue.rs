//! The catalogue against the figures that are published of it, and the page made from it.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use std::path::Path;

use vlpt_data::Metric;
use vlpt_data::catalogue::{Suite, entries, find, find_in, markdown, suggest, template_set};

/// ELEVATER's table: name, classes, train, val, test, metric, templates, first template.
type Row = (
    &'static str,
    usize,
    u64,
    u64,
    u64,
    Metric,
    usize,
    &'static str,
);
#[rustfmt::skip]
const ELEVATER: [Row; 20] = [
    ("hateful-memes", 2, 8500, 0, 500, Metric::RocAuc, 1, "a {}."),
    ("cifar-10", 10, 50000, 0, 10000, Metric::Accuracy, 18, "a photo of a {}."),
    ("mnist", 10, 60000, 0, 10000, Metric::Accuracy, 1, "a photo of the number: \"{}\"."),
    ("oxford-flower-102", 102, 1020, 1020, 6149, Metric::MeanPerClass, 1, "a photo of a {}, a type of flower."),
    ("oxford-iiit-pets", 37, 3680, 0, 3669, Metric::MeanPerClass, 1, "a photo of a {}, a type of pet."),
    ("resisc45_clip", 45, 3150, 3150, 25200, Metric::Accuracy, 18, "satellite imagery of {}."),
    ("country211", 211, 31650, 10550, 21100, Metric::Accuracy, 5, "a photo i took in {}."),
    ("food-101", 101, 75750, 0, 25250, Metric::Accuracy, 1, "a photo of {}, a type of food."),
    ("stanford-cars", 196, 8144, 0, 8041, Metric::Accuracy, 8, "a photo of a {}."),
    ("fgvc-aircraft-2013b-variants102", 100, 3334, 3333, 3333, Metric::MeanPerClass, 2, "a photo of a {}, a type of aircraft."),
    ("caltech-101", 102, 3060, 0, 6084, Metric::MeanPerClass, 34, "a photo of a {}."),
    ("dtd", 47, 1880, 1880, 1880, Metric::Accuracy, 8, "a photo of a {} texture."),
    ("voc-2007-classification", 20, 2501, 2510, 4952, Metric::ElevenPointMap, 1, "a photo of a {}."),
    ("cifar-100", 100, 50000, 0, 10000, Metric::Accuracy, 18, "a photo of a {}."),
    ("patch-camelyon", 2, 262144, 32768, 32768, Metric::Accuracy, 1, "this is a photo of {}"),
    ("rendered-sst2", 2, 6920, 827, 1821, Metric::Accuracy, 1, "a {} review of a movie."),
    ("gtsrb", 43, 26640, 12569, 12630, Metric::Accuracy, 3, "a zoomed in photo of a \"{}\" traffic sign."),
    ("eurosat_clip", 10, 5000, 5000, 5000, Metric::Accuracy, 3, "a centered satellite photo of {}."),
    ("fer-2013", 7, 28709, 3589, 3589, Metric::Accuracy, 6, "a photo of a {} looking face."),
    ("kitti-distance", 4, 6347, 423, 711, Metric::Accuracy, 1, "{}"),
];

/// CoOp's table: name, classes, train, val, test, template.
#[rustfmt::skip]
const COOP: [(&str, usize, u64, u64, u64, &str); 11] = [
    ("ImageNet", 1000, 1281167, 0, 50000, "a photo of a {}."),
    ("Caltech101", 100, 4128, 1649, 2465, "a photo of a {}."),
    ("OxfordPets", 37, 2944, 736, 3669, "a photo of a {}, a type of pet."),
    ("StanfordCars", 196, 6509, 1635, 8041, "a photo of a {}."),
    ("OxfordFlowers", 102, 4093, 1633, 2463, "a photo of a {}, a type of flower."),
    ("Food101", 101, 50500, 20200, 30300, "a photo of {}, a type of food."),
    ("FGVCAircraft", 100, 3334, 3333, 3333, "a photo of a {}, a type of aircraft."),
    ("SUN397", 397, 15880, 3970, 19850, "a photo of a {}."),
    ("DescribableTextures", 47, 2820, 1128, 1692, "{} texture."),
    ("EuroSAT", 10, 13500, 5400, 8100, "a centered satellite photo of {}."),
    ("UCF101", 101, 7639, 1898, 3783, "a photo of a person doing {}."),
];

#[test]
fn elevaters_tasks_are_as_published() {
    for (name, classes, train, val, test, metric, templates, first) in ELEVATER {
        let entry = find_in(Suite::Elevater, name).unwrap();
        assert_eq!(entry.name, name);
        assert_eq!(entry.class_count, classes, "{name}");
        assert_eq!(entry.metric, metric, "{name}");
        assert_eq!(entry.templates.len(), templates, "{name}");
        assert_eq!(entry.templates[0], first, "{name}");
        let images = [&entry.train, &entry.val, &entry.test]
            .map(|split| split.as_ref().map_or(0, |split| split.images));
        assert_eq!(images, [train, val, test], "{name}");
        assert_eq!(entry.multi_label, name == "voc-2007-classification");
        assert_eq!(entry.center_crop, name != "kitti-distance");
        assert!(
            entry.splits().all(|(_, split)| split.index.is_some()),
            "{name}"
        );
    }
    let total: usize = ELEVATER
        .iter()
        .map(|row| find(row.0).unwrap().class_count)
        .sum();
    assert_eq!(total, 1151);
}

#[test]
fn coops_data_sets_are_as_published() {
    for (name, classes, train, val, test, template) in COOP {
        let entry = find_in(Suite::Coop, name).unwrap();
        assert_eq!((&entry.name[..], entry.class_count), (name, classes));
        assert_eq!(entry.templates, [template]);
        let images = [&entry.train, &entry.val, &entry.test]
            .map(|split| split.as_ref().map_or(0, |split| split.images));
        assert_eq!(images, [train, val, test], "{name}");
    }
    let total: usize = COOP.iter().map(|row| row.1).sum();
    assert_eq!(total, 2191);
}

#[test]
fn the_suites_have_20_and_11_and_5_entries_with_names_of_their_own() {
    let of = |suite| {
        entries()
            .iter()
            .filter(|entry| entry.suite == suite)
            .count()
    };
    assert_eq!(Suite::ALL.map(of), [20, 11, 5]);
    for entry in entries() {
        for name in [entry.name.clone(), entry.full_name()] {
            assert_eq!(find(&name).unwrap().name, entry.name);
        }
    }
}

#[test]
fn lists_have_the_length_they_claim_and_templates_have_one_place() {
    for entry in entries() {
        let name = &entry.name;
        if let Some(classes) = &entry.classes {
            assert_eq!(classes.len(), entry.class_count, "{name}");
            assert!(
                classes
                    .iter()
                    .all(|class| !class.is_empty() && !class.contains('_')),
                "{name}"
            );
        }
        if !entry.synonyms.is_empty() {
            let firsts: Vec<_> = entry
                .synonyms
                .iter()
                .map(|names| names[0].clone())
                .collect();
            assert_eq!(Some(&firsts), entry.classes.as_ref(), "{name}");
        }
        for template in &entry.templates {
            assert_eq!(template.matches("{}").count(), 1, "{name}: {template}");
        }
    }
    let unknown: Vec<&str> = entries()
        .iter()
        .filter(|e| e.classes.is_none())
        .map(|e| &e.name[..])
        .collect();
    assert_eq!(unknown, ["ImageNet", "SUN397", "ImageNet-A", "ImageNet-R"]);
    assert_eq!(template_set("imagenet-80").unwrap().templates.len(), 80);
}

#[test]
fn classes_of_note_are_kept_whole() {
    let classes = |name: &str| find(name).unwrap().classes.clone().unwrap();
    assert_eq!(find("fer-2013").unwrap().synonyms[3], ["happy", "smiling"]);
    assert_eq!(classes("kitti-distance")[3], "a photo i took with no car.");
    assert_eq!(classes("Caltech101")[..3], ["face", "leopard", "motorbike"]);
    assert_eq!(classes("EuroSAT")[0], "Annual Crop Land");
    assert_eq!(classes("OxfordPets")[1], "american bulldog");
    assert_eq!(classes("Food101")[16..18], ["cheese plate", "cheesecake"]);
    assert_eq!(classes("food-101")[16..18], ["cheesecake", "cheese plate"]);
    assert_eq!(classes("FGVCAircraft")[34..36], ["ATR-42", "ATR-72"]);
    assert_eq!(classes("ImageNet-Sketch"), classes("imagenet-1k"));
}

#[test]
fn names_are_found_as_users_write_them() {
    let cases = [
        ("caltech-101", "caltech-101"),
        ("caltech101", "Caltech101"),
        ("coop/caltech-101", "Caltech101"),
        ("elevater:CALTECH_101", "caltech-101"),
        ("caltech_101_20211007", "caltech-101"),
        ("wds_cifar10", "cifar-10"),
        ("wds/vtab/caltech101", "caltech-101"),
        ("Cifar_100", "cifar-100"),
        ("mnist_20211008", "mnist"),
        ("eurosat", "EuroSAT"),
        ("dtd", "dtd"),
        ("coop/dtd", "DescribableTextures"),
        ("VOC2007", "voc-2007-classification"),
        ("imagenet", "ImageNet"),
        ("ImageNet1k", "imagenet-1k"),
        ("imagenet-adversarial", "ImageNet-A"),
        (" oxford_pets ", "OxfordPets"),
    ];
    for (asked, expected) in cases {
        assert_eq!(
            find(asked).map(|entry| &entry.name[..]),
            Some(expected),
            "{asked}"
        );
    }
    for absent in ["", "my-photos", "coop/mnist", "/"] {
        assert!(find(absent).is_none(), "{absent}");
    }
}

#[test]
fn near_names_are_suggested() {
    let names = |name: &str| -> Vec<&str> { suggest(name).iter().map(|e| &e.name[..]).collect() };
    assert_eq!(names("minst"), ["mnist"]);
    assert_eq!(names("eurosatt"), ["EuroSAT"]);
    assert!(names("my holiday photos").is_empty());
    assert!(names("").is_empty());
}

#[test]
fn the_page_in_the_documentation_is_current() {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/catalogue.md"
    ));
    if std::env::var_os("VLPT_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, markdown()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == markdown(),
        "docs/reference/catalogue.md is not what the catalogue gives; write it again with \
         VLPT_BLESS=1 cargo test -p vlpt-data --test catalogue"
    );
}
