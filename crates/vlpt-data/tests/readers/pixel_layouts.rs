//! The layouts of files of pixels, of two classes each: `ant` and `bee` where classes can be named, else the
//! first one and the first of the second half.

use vlpt_data::Format;

use crate::fixtures::Dir;

/// The second class of each layout, whose label begins the second half of the classes.
pub(crate) fn second(format: Format) -> &'static str {
    match format {
        Format::Idx => "5",
        Format::Fer2013 => "sad",
        _ => "bee",
    }
}

/// Whether a layout has its classes whatever its files say.
pub(crate) fn fixed_classes(format: Format) -> bool {
    matches!(format, Format::Idx | Format::Fer2013)
}

/// Two images in each batch, one of each class.
pub(crate) fn cifar(dir: &Dir) {
    dir.text("batches.meta.txt", "ant\nbee\n");
    let names = (1..=5).map(|n| format!("data_batch_{n}.bin"));
    for (number, name) in (0_u8..).zip(names.chain(["test_batch.bin".to_owned()])) {
        let record = |label: u8| [&[label][..], &[2 * number + label; 3072]].concat();
        dir.bytes(&name, &[record(0), record(1)].concat());
    }
}

pub(crate) fn idx(dir: &Dir, images: &[(&str, u8, usize)]) {
    for (part, name) in [("train", "train"), ("test", "t10k")] {
        let own: Vec<_> = images.iter().filter(|(of, ..)| *of == part).collect();
        if own.is_empty() {
            continue;
        }
        let count = [0, 0, 0, own.len() as u8];
        let mut pixels = [&[0, 0, 8, 3][..], &count, &[0, 0, 0, 1, 0, 0, 0, 2]].concat();
        let mut labels = [&[0, 0, 8, 1][..], &count].concat();
        for (_, number, label) in own {
            pixels.extend([*number, 255 - number]);
            labels.push(*label as u8 * 5);
        }
        dir.bytes(&format!("raw/{name}-images-idx3-ubyte"), &pixels);
        dir.bytes(&format!("raw/{name}-labels-idx1-ubyte"), &labels);
    }
}

pub(crate) fn fer(dir: &Dir, images: &[(&str, u8, usize)]) {
    let mut lines = vec!["emotion,pixels,Usage".to_owned()];
    for (part, number, label) in images {
        let pixels = vec![number.to_string(); 48 * 48].join(" ");
        let usage = match *part {
            "train" => "Training",
            _ => "PrivateTest",
        };
        lines.push(format!("{},{pixels},{usage}", label * 4));
    }
    dir.text("fer2013.csv", &lines.join("\n"));
}
