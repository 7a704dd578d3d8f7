//! The files of the documented examples: two images each, of nothing but black.

/// `{"label_names": ["cat", "dog"]}` as Python 2 pickles it.
pub(super) const META: &[u8] = b"\x80\x02}U\x0blabel_names](U\x03catU\x03doges.";

/// `{"data": <2 images>, "labels": [0, 1]}` as Python 2 and NumPy pickle it.
pub(super) const BATCH: &[u8] =
    &join::<{ HEAD.len() + BLACK.len() + TAIL.len() }>([HEAD, BLACK, TAIL]);

const HEAD: &[u8] = b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01K\x02M\0\x0c\x86cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T\0\x18\0\0";
const TAIL: &[u8] = b"tbU\x06labels](K\0K\x01eu.";
/// The pixels of two images.
const BLACK: &[u8] = &[0; 2 * 3072];

/// Records of a coarse and a fine label and an image.
pub(super) const RECORDS: &[u8] = &{
    let mut records = [0; 2 * 3074];
    records[3075] = 1;
    records
};

const fn join<const N: usize>(parts: [&[u8]; 3]) -> [u8; N] {
    let mut joined = [0; N];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            joined[at] = parts[part][index];
            at += 1;
            index += 1;
        }
        part += 1;
    }
    joined
}
