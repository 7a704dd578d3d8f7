//! Files of pixels that are cut off, lie about their sizes, or want something run.

use vlpt_data::OpenOptions;

use crate::fixtures::Dir;
use crate::torchvision::{cifar_100, golden};

fn error(dir: &Dir) -> String {
    dir.error(&OpenOptions::default())
}

/// A batch with something in the place of something else of the same golden file.
fn changed(from: &[u8], to: &[u8]) -> Dir {
    let batch = golden("batch-python-2");
    let at = batch.windows(from.len()).position(|window| window == from);
    let at = at.expect("it is there");
    let batch = [&batch[..at], to, &batch[at + from.len()..]].concat();
    cifar_100(&batch)
}

#[test]
fn a_batch_that_is_cut_anywhere_is_told_by_its_name() {
    let batch = golden("batch-python-2");
    for length in (0..batch.len()).step_by(97).chain([batch.len() - 1]) {
        let dir = cifar_100(&batch[..length]);
        let told = error(&dir);
        assert!(told.starts_with("DIR/train: byte "), "{length}: {told}");
        assert!(told.contains("cut off"), "{length}: {told}");
    }
}

#[test]
fn a_pickle_runs_nothing_and_says_what_it_wanted() {
    let dir = cifar_100(b"\x80\x02cposix\nsystem\nU\x04true\x85R.");
    assert_eq!(
        error(&dir),
        "DIR/train: byte 2: found global posix.system, expected a pickled dict of arrays of uint8, lists and texts (nothing in it is run)"
    );
    let dir = changed(b"cnumpy\ndtype\n", b"cnumpy\nload\n");
    assert!(error(&dir).contains("found global numpy.load,"));
    let dir = changed(b"U\x02u1", b"U\x02f4");
    assert!(error(&dir).contains("an array of `f4`, only uint8 is read"));
}

#[test]
fn a_pickle_of_many_small_values_is_refused_before_it_fills_the_memory() {
    let many = [&b"\x80\x02]("[..], &b"N".repeat(5 << 20), b"e."].concat();
    let told = error(&cifar_100(&many));
    assert!(told.contains("more than 4194304 instructions"), "{told}");
    // one long name, ten thousand times and one
    let name = [b"U\xffname".as_slice(), &[b'x'; 251]].concat();
    let meta = [
        b"\x80\x02}U\x10fine_label_names](",
        &name[..],
        b"q\0",
        &b"h\0".repeat(10_000),
        b"es.",
    ];
    let dir = cifar_100(&golden("batch-python-2"));
    dir.bytes("meta", &meta.concat());
    let told = error(&dir);
    assert!(
        told.contains("found 10001 names, expected at most 10000"),
        "{told}"
    );
}

#[test]
fn sizes_and_labels_that_do_not_fit_are_refused() {
    // shape (2, 3072), then another number of images, then another width
    let dir = changed(b"K\x02M\x00\x0c\x86", b"K\x03M\x00\x0c\x86");
    assert!(error(&dir).contains("2 labels for 3 images"));
    let dir = changed(b"K\x02M\x00\x0c\x86", b"K\x02M\x00\x0b\x86");
    let told = error(&dir);
    assert!(
        told.contains("shape [2, 2816], expected shape [images, 3072]"),
        "{told}"
    );
    let dir = changed(b"fine_labels", b"fine_labelz");
    assert!(error(&dir).contains("no list `fine_labels`"));
    let batch = golden("batch-python-2");
    let at = batch
        .windows(11)
        .position(|w| w == b"fine_labels")
        .expect("a key");
    let label = at
        + batch[at..]
            .iter()
            .position(|&b| b == b'K')
            .expect("a label");
    let mut batch = batch;
    batch[label + 1] = 200;
    let told = error(&cifar_100(&batch));
    assert!(
        told.contains("label of image 0: found 200, expected 0 to 2"),
        "{told}"
    );
}

#[test]
fn binary_records_have_to_be_whole() {
    let dir = Dir::new();
    dir.text("fine_label_names.txt", "apple\nbaby\n");
    dir.bytes("train.bin", &[0; 3074])
        .bytes("test.bin", &[0; 3073]);
    let told = error(&dir);
    assert!(
        told.contains("test.bin: the whole: found 3073 bytes, expected records of 3074 bytes"),
        "{told}"
    );
}

/// MNIST whose training images are these bytes.
fn mnist(ending: &str, images: &[u8]) -> Dir {
    let dir = Dir::new();
    dir.bytes(&format!("train-images-idx3-ubyte{ending}"), images);
    dir.bytes("train-labels-idx1-ubyte", &golden("labels-idx1-ubyte"));
    dir
}

#[test]
fn idx_files_that_are_cut_or_lie_are_told_with_their_place() {
    for ending in ["", ".gz"] {
        let whole = golden(&format!("images-idx3-ubyte{ending}"));
        for length in 0..whole.len() {
            let told = error(&mnist(ending, &whole[..length]));
            let name = format!("DIR/train-images-idx3-ubyte{ending}: ");
            assert!(told.starts_with(&name), "{length}: {told}");
        }
        let longer = [&whole[..], &[0]].concat();
        let dir = mnist(ending, &longer);
        assert!(dir.open().is_err(), "{ending}");
    }
    let mut bytes = golden("images-idx3-ubyte");
    bytes[3] = 1;
    let told = error(&mnist("", &bytes));
    assert!(
        told.contains("the first 4 bytes: found 00 00 08 01, expected 00 00 08 03"),
        "{told}"
    );
    let gzip = golden("images-idx3-ubyte.gz");
    let told = error(&mnist("", &gzip));
    assert!(
        told.contains("this is gzip data, whose name ends in .gz"),
        "{told}"
    );
    // 4294967295 images of 65536 x 65536 pixels, and nothing allocated
    let huge = b"\0\0\x08\x03\xff\xff\xff\xff\0\x01\0\0\0\x01\0\0";
    let told = error(&mnist("", huge));
    assert!(
        told.contains("expected at most 1073741824 bytes in all"),
        "{told}"
    );
    // 4194305 images of one pixel, and not one sample made
    let many = b"\0\0\x08\x03\0\x40\0\x01\0\0\0\x01\0\0\0\x01";
    let told = error(&mnist("", many));
    assert!(
        told.contains("found 4194305 images, expected at most 4194304"),
        "{told}"
    );
}

#[test]
fn labels_have_to_be_there_one_for_each_image() {
    let dir = Dir::new();
    dir.bytes("t10k-images-idx3-ubyte", &golden("images-idx3-ubyte"));
    assert!(error(&dir).contains("t10k-labels-idx1-ubyte, which does not exist"));
    dir.bytes("t10k-labels-idx1-ubyte", b"\0\0\x08\x01\0\0\0\x02\x01\x02");
    let told = error(&dir);
    assert!(
        told.contains("found 2 labels, expected 3, one for each image"),
        "{told}"
    );
}

#[test]
fn a_table_of_faces_has_the_right_numbers() {
    let face = vec!["7"; 48 * 48].join(" ");
    for (row, expected) in [
        (format!("9,{face},Training"), "label of image 0: found 9"),
        (format!("x,{face},Training"), "row 1: found the emotion `x`"),
        (
            format!("3,{face},Holiday"),
            "row 1: found the usage `Holiday`",
        ),
        (format!("3,{face} 7,Training"), "row 1: found 2305 pixels"),
        (
            format!("3,{face} 256,Training"),
            "row 1: found the pixel `256`",
        ),
        ("3".to_owned(), "row 1: found"),
    ] {
        let dir = Dir::new();
        dir.text("fer2013.csv", &format!("emotion,pixels,Usage\n{row}\n"));
        let told = error(&dir);
        assert!(told.contains(expected), "{told}");
    }
}
