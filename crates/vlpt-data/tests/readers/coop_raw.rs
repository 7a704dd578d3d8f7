//! Sets of CoOp's suite as their authors publish them, without a split file.

use std::io::Write;

use vlpt_data::{OpenOptions, Task, open};

use crate::fixtures::{Dir, rows};

fn opened(dir: &Dir, folder: &str) -> Task {
    let task = open(&dir.path(folder), &OpenOptions::default()).expect("it opens");
    let note = task
        .provenance
        .notes
        .iter()
        .any(|n| n.contains("by CoOp's rule"));
    assert!(note, "{:?}", task.provenance.notes);
    task
}

fn sizes(task: &Task) -> [usize; 3] {
    let val = task.val.as_ref().map_or(0, vlpt_data::Split::len);
    [task.train.len(), val, task.test.len()]
}

#[test]
fn class_folders_are_split_by_halves_fifths_and_the_rest() {
    // 5 and 15: Python rounds 2.5 to 2 and 7.5 to 8
    for (folder, images, classes, names) in [
        (
            "caltech-101",
            "101_ObjectCategories",
            ["airplanes", "Faces"],
            ["face", "airplane"],
        ),
        ("dtd", "images", ["banded", "dotted"], ["banded", "dotted"]),
        (
            "eurosat",
            "2750",
            ["AnnualCrop", "SeaLake"],
            ["Annual Crop Land", "Sea or Lake"],
        ),
        (
            "food-101",
            "images",
            ["apple_pie", "baklava"],
            ["apple_pie", "baklava"],
        ),
    ] {
        let dir = Dir::new();
        for (class, count) in classes.into_iter().zip([5, 15]) {
            for i in 0..count {
                dir.image(&format!("{folder}/{images}/{class}/{i:02}.jpg"), i);
            }
        }
        if folder == "caltech-101" {
            dir.image(
                "caltech-101/101_ObjectCategories/BACKGROUND_Google/1.jpg",
                1,
            );
            dir.image("caltech-101/101_ObjectCategories/Faces_easy/1.jpg", 1);
        }
        let task = opened(&dir, folder);
        assert_eq!(task.classes, names);
        assert_eq!(sizes(&task), [2 + 8, 1 + 3, 2 + 4], "{folder}");
        let mut all: Vec<String> = [&task.train, &task.test]
            .into_iter()
            .chain(&task.val)
            .flat_map(rows)
            .map(|row| row.0)
            .collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 20);
        assert_eq!(rows(&opened(&dir, folder).train), rows(&task.train));
    }
}

#[test]
fn the_lists_of_pets_scenes_and_actions_are_followed() {
    let dir = Dir::new();
    let mut lists = [String::new(), String::new()];
    for (class, breed) in (1..).zip(["Abyssinian", "american_bulldog"]) {
        for i in 0..7 {
            let list = usize::from(i >= 5);
            lists[list].push_str(&format!("{breed}_{i} {class} 1 1\n"));
            dir.image(&format!("oxford_pets/images/{breed}_{i}.jpg"), i);
        }
    }
    dir.text(
        "oxford_pets/annotations/trainval.txt",
        &format!("# header\n{}", lists[0]),
    );
    dir.text("oxford_pets/annotations/test.txt", &lists[1]);
    let task = opened(&dir, "oxford_pets");
    assert_eq!(task.classes, ["abyssinian", "american_bulldog"]);
    assert_eq!(sizes(&task), [8, 2, 4]);

    let mut lists = [String::new(), String::new()];
    for class in ["/a/abbey", "/a/apartment_building/outdoor"] {
        for i in 0..7 {
            let list = usize::from(i >= 5);
            lists[list].push_str(&format!("{class}/sun_{i}.jpg\n"));
            dir.image(&format!("sun397/SUN397{class}/sun_{i}.jpg"), i);
        }
    }
    dir.text(
        "sun397/ClassName.txt",
        "/a/abbey\n/a/apartment_building/outdoor\n",
    );
    dir.text("sun397/Training_01.txt", &lists[0])
        .text("sun397/Testing_01.txt", &lists[1]);
    let task = opened(&dir, "sun397");
    assert_eq!(task.classes, ["abbey", "outdoor apartment_building"]);
    assert_eq!(sizes(&task), [8, 2, 4]);

    let mut lists = [String::new(), String::new()];
    for (class, apart) in [
        ("ApplyEyeMakeup", "Apply_Eye_Makeup"),
        ("Archery", "Archery"),
    ] {
        for i in 0..7 {
            let list = usize::from(i >= 5);
            lists[list].push_str(&format!("{class}/v_{class}_g0{i}_c01.avi\n"));
            dir.image(
                &format!("ucf101/UCF-101-midframes/{apart}/v_{class}_g0{i}_c01.jpg"),
                i,
            );
        }
    }
    dir.text(
        "ucf101/ucfTrainTestlist/classInd.txt",
        "1 ApplyEyeMakeup\n2 Archery\n",
    );
    dir.text(
        "ucf101/ucfTrainTestlist/trainlist01.txt",
        &lists[0].replace(".avi", ".avi 1"),
    );
    dir.text("ucf101/ucfTrainTestlist/testlist01.txt", &lists[1]);
    let task = opened(&dir, "ucf101");
    assert_eq!(task.classes, ["Apply_Eye_Makeup", "Archery"]);
    assert_eq!(sizes(&task), [8, 2, 4]);
}

fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// One row of `count` things of a class: 1 cells, 2 structs, 4 letters, 9 bytes.
fn array(class: u8, name: &str, count: usize, content: &[u8]) -> Vec<u8> {
    let sizes = [1_u32.to_le_bytes(), (count as u32).to_le_bytes()].concat();
    let parts = [
        element(6, &[class, 0, 0, 0, 0, 0, 0, 0]),
        element(5, &sizes),
        element(1, name.as_bytes()),
        content.to_vec(),
    ];
    element(14, &parts.concat())
}

fn text(letters: &str) -> Vec<u8> {
    let wide: Vec<u8> = letters.encode_utf16().flat_map(u16::to_le_bytes).collect();
    array(4, "", letters.len(), &element(4, &wide))
}

/// A MATLAB file of version 5 with one array, packed as MATLAB does.
fn matlab(array: &[u8], packed: bool) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(128, b' ');
    if packed {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(array).expect("it packs");
        let packed = zlib.finish().expect("a stream");
        bytes.extend([15_u32.to_le_bytes(), (packed.len() as u32).to_le_bytes()].concat());
        bytes.extend(packed);
    } else {
        bytes.extend(array);
    }
    bytes
}

/// One row of bytes.
fn mat(name: &str, numbers: &[u8], packed: bool) -> Vec<u8> {
    let row = array(9, name, numbers.len(), &element(2, numbers));
    matlab(&row, packed)
}

/// Annotations of Stanford Cars: images and classes from 1.
fn annotations(of: &[(String, u8)]) -> Vec<u8> {
    let mut content = element(5, &8_u32.to_le_bytes());
    content.extend(element(1, b"class\0\0\0fname\0\0\0"));
    for (image, class) in of {
        content.extend(array(9, "", 1, &element(2, &[*class])));
        content.extend(text(image));
    }
    matlab(&array(2, "annotations", of.len(), &content), true)
}

#[test]
fn cars_come_from_structs_of_matlab_files() {
    let dir = Dir::new();
    let names = [
        text("Tesla Model S Sedan 2012"),
        text("Audi TT RS Coupe 2011"),
    ];
    let names = array(1, "class_names", 2, &names.concat());
    dir.bytes("stanford_cars/devkit/cars_meta.mat", &matlab(&names, true));
    for (folder, file, count) in [
        ("cars_train", "devkit/cars_train_annos.mat", 10_u8),
        ("cars_test", "cars_test_annos_withlabels.mat", 4),
    ] {
        let all: Vec<(String, u8)> = (0..count)
            .map(|i| (format!("{:05}.jpg", i + 1), 1 + i % 2))
            .collect();
        for (image, class) in &all {
            dir.image(&format!("stanford_cars/{folder}/{image}"), *class);
        }
        dir.bytes(&format!("stanford_cars/{file}"), &annotations(&all));
    }
    let task = opened(&dir, "stanford_cars");
    assert_eq!(
        task.classes,
        ["2012 Tesla Model S Sedan", "2011 Audi TT RS Coupe"]
    );
    assert_eq!(sizes(&task), [8, 2, 4]);
    for (id, label) in rows(&task.test) {
        let number: u32 = id["cars_test/".len()..id.len() - 4]
            .parse()
            .expect("a number");
        assert_eq!(label, [(number + 1) % 2], "{id}");
    }
    // Cut anywhere, it is an error with the file's name, or the absence of the set.
    let whole = annotations(&[("00001.jpg".to_owned(), 1), ("00002.jpg".to_owned(), 2)]);
    for length in (0..whole.len()).step_by(7) {
        dir.bytes(
            "stanford_cars/devkit/cars_train_annos.mat",
            &whole[..length],
        );
        let error = open(&dir.path("stanford_cars"), &OpenOptions::default()).expect_err("cut");
        assert!(
            error.to_string().contains("cars_train_annos.mat"),
            "{error}"
        );
    }
}

#[test]
fn flowers_come_from_a_matlab_file() {
    for packed in [true, false] {
        let dir = Dir::new();
        let labels: Vec<u8> = (0..20).map(|i| 1 + i % 2).collect();
        for i in 1..=20_u8 {
            dir.image(&format!("oxford_flowers/jpg/image_{i:05}.jpg"), i);
        }
        dir.bytes(
            "oxford_flowers/imagelabels.mat",
            &mat("labels", &labels, packed),
        );
        dir.text(
            "oxford_flowers/cat_to_name.json",
            r#"{"2": "rose", "1": "pink primrose"}"#,
        );
        let task = opened(&dir, "oxford_flowers");
        assert_eq!(task.classes, ["pink primrose", "rose"]);
        assert_eq!(sizes(&task), [10, 4, 6]);
        for (id, label) in rows(&task.train) {
            let number: u32 = id[10..id.len() - 4].parse().expect("a number");
            assert_eq!(label, [(number + 1) % 2], "{id}");
        }
        dir.bytes(
            "oxford_flowers/imagelabels.mat",
            &mat("labels", &labels, packed)[..150],
        );
        let error =
            open(&dir.path("oxford_flowers"), &OpenOptions::default()).expect_err("it is cut");
        assert!(
            error
                .to_string()
                .contains("imagelabels.mat: content: found "),
            "{error}"
        );
    }
}

#[test]
fn too_few_images_are_told() {
    let dir = Dir::new();
    dir.image("eurosat/2750/Forest/1.jpg", 1)
        .image("eurosat/2750/River/1.jpg", 1);
    let error = open(&dir.path("eurosat"), &OpenOptions::default()).expect_err("too few");
    let told = "DIR/eurosat: train split: found no image of the class `Forest`, expected enough images of each class for CoOp's rule";
    assert!(dir.told(&error).starts_with(told), "{error}");
}
