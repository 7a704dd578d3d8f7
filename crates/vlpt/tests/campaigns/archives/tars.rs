//! Tars.

use super::{Ends, Hostile};

const BLOCK: usize = 512;

/// A header of one member with its checksum set, before `change` where that is about the checksum.
fn header(name: &str, kind: u8, size: u64, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar  \0");
    change(&mut block);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A member with its padding.
fn member(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut all = header(name, kind, bytes.len() as u64, |_| ());
    all.extend(bytes);
    all.resize(all.len().next_multiple_of(BLOCK), 0);
    all
}

fn end() -> Vec<u8> {
    vec![0; 2 * BLOCK]
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(4, 3, image::Rgb([9, 200, 70]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// Two images of two classes.
pub(super) fn good() -> Vec<u8> {
    [
        member("0.png", b'0', &png()),
        member("0.cls", b'0', b"0"),
        member("1.png", b'0', &png()),
        member("1.cls", b'0', b"1"),
        end(),
    ]
    .concat()
}

/// What is whole, with something before it.
fn before(first: Vec<u8>) -> Vec<u8> {
    [first, good()].concat()
}

/// A header that announces so many bytes, which are a hole of the file.
fn hole(name: &'static str, kind: u8, size: u64) -> Hostile {
    let bytes = header("./@LongLink", kind, size, |_| ());
    Hostile {
        name,
        length: Some(bytes.len() as u64 + size),
        bytes,
        ends: Ends::Refused,
    }
}

fn either(hostile: Hostile) -> Hostile {
    Hostile {
        ends: Ends::Either,
        ..hostile
    }
}

pub(super) fn list() -> Vec<Hostile> {
    let png = png();
    let link = |kind, to: &str| {
        header("2.png", kind, 0, |block| {
            block[157..157 + to.len()].copy_from_slice(to.as_bytes());
        })
    };
    let mut wrong_sum = good();
    wrong_sum[150] ^= 1;
    let negative = header("2.png", b'0', 0, |block| block[124..136].fill(0xff));
    let huge = header("2.png", b'0', 0, |block| {
        block[124..136].copy_from_slice(&[
            0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ]);
    });
    let twice = [member("0.png", b'0', &png), good()].concat();
    let cut = good()[..BLOCK + png.len() / 2].to_vec();
    let whole = Hostile {
        name: "one that is whole",
        bytes: good(),
        length: None,
        ends: Ends::Accepted,
    };
    vec![
        whole,
        Hostile::refused("a path that climbs", before(member("../2.png", b'0', &png))),
        Hostile::refused("an absolute path", before(member("/tmp/2.png", b'0', &png))),
        Hostile::refused(
            "a path that climbs inside",
            before(member("a/../../2.png", b'0', &png)),
        ),
        Hostile::refused("a symbolic link", before(link(b'2', "/etc/hostname"))),
        Hostile::refused("a hard link", before(link(b'1', "/etc/hostname"))),
        Hostile::refused("a device", before(link(b'3', ""))),
        Hostile::refused("a pipe", before(link(b'6', ""))),
        Hostile::refused("a wrong checksum", wrong_sum),
        Hostile::refused("a negative size", before(negative)),
        Hostile::refused("a size beyond every file", before(huge)),
        Hostile::refused(
            "a member that claims 1 TiB",
            header("2.png", b'0', (1 << 33) - 1, |_| ()),
        ),
        Hostile::refused("a member that is cut", cut),
        Hostile::refused("an image twice", twice),
        Hostile::refused("no tar at all", vec![0x5a; 4096]),
        // an archive without a member: the split is said to have no images
        Hostile {
            ends: Ends::Either,
            ..Hostile::refused("nothing", Vec::new())
        },
        Hostile::refused(
            "a class that is no number",
            before([member("2.png", b'0', &png), member("2.cls", b'0', b"x")].concat()),
        ),
        Hostile::refused(
            "a class out of range",
            before([member("2.png", b'0', &png), member("2.cls", b'0', b"7")].concat()),
        ),
        hole("a long name of 1 GiB", b'L', 1 << 30),
        // Passed over unread: no member needs it.
        either(hole("a long link name of 1 GiB", b'K', 1 << 30)),
        hole("a pax header of 1 GiB", b'x', 1 << 30),
        either(hole("a global pax header of 1 GiB", b'g', 1 << 30)),
    ]
}
