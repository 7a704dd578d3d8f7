//! Files of pixels: batches of CIFAR and idx files.

use std::io::Write;

use crate::parts::join;

/// Bytes as Python 2 pickles its `str`.
fn old(bytes: &[u8]) -> Vec<u8> {
    [b"T", &(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

/// Bytes as Python 3 pickles them for Python 2: a text of Latin-1.
fn latin1(bytes: &[u8]) -> Vec<u8> {
    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    let length = (text.len() as u32).to_le_bytes();
    let encode = b"c_codecs\nencode\nX";
    [
        &encode[..],
        &length,
        text.as_bytes(),
        b"X\x06\0\0\0latin1\x86R",
    ]
    .concat()
}

/// Bytes of protocol 3.
fn plain(bytes: &[u8]) -> Vec<u8> {
    [b"B", &(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

fn batch(text: fn(&[u8]) -> Vec<u8>, protocol: u8, order: u8) -> Vec<u8> {
    let pixels: Vec<u8> = (0..2 * 3072_u32).map(|at| (at * 7) as u8).collect();
    [
        &[0x80, protocol][..],
        b"}(",
        &text(b"label_names"),
        b"](X\x03\0\0\0catX\x03\0\0\0doge",
        &text(b"labels"),
        b"](K\0K\x01e",
        &text(b"data"),
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85",
        &text(b"b"),
        b"\x87R(K\x01K\x02M\0\x0c\x86cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNK\0K\0K\0tb",
        &[order],
        &text(&pixels),
        b"tbu.",
    ]
    .concat()
}

/// Batches that bring the names of their classes, as three generations of Python write them, by rows and
/// by columns; and a call, as attackers write it: refused.
pub(crate) fn cifar_batches() -> Vec<Vec<u8>> {
    vec![
        batch(old, 2, 0x89),
        batch(latin1, 2, 0x89),
        batch(plain, 3, 0x88),
        b"\x80\x02cposix\nsystem\n(X\x04\0\0\0truetR.".to_vec(),
    ]
}

/// Images and labels, both plain or both packed.
pub(crate) fn idx_files() -> Vec<Vec<u8>> {
    let images = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03abcdefghijkl";
    let labels = b"\0\0\x08\x01\0\0\0\x02\x07\x0b";
    let packed = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes)
            .and_then(|()| gzip.finish())
            .expect("memory takes every byte")
    };
    vec![
        join(&[images, labels]),
        join(&[&packed(images), &packed(labels)]),
    ]
}
