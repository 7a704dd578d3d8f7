//! Zips, made byte by byte: a writer would refuse most of this.

use std::io::Write;

use super::{Ends, Hostile};

/// A member as the two headers tell it.
#[derive(Clone)]
struct Member {
    name: &'static str,
    method: u16,
    flags: u16,
    bytes: Vec<u8>,
    /// Length when unpacked, as it is told.
    length: u32,
    crc: u32,
    /// Where its local header is said to lie, where that is not true.
    offset: Option<u32>,
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(4, 3, image::Rgb([9, 200, 70]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn stored(name: &'static str, bytes: &[u8]) -> Member {
    Member {
        name,
        method: 0,
        flags: 0,
        bytes: bytes.to_vec(),
        length: bytes.len() as u32,
        crc: crc(bytes),
        offset: None,
    }
}

/// A member that unpacks to so many zeros.
fn zeros(name: &'static str, length: usize) -> Member {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    let (mut sum, piece) = (flate2::Crc::new(), vec![0; 1 << 20]);
    for _ in 0..length >> 20 {
        packer.write_all(&piece).unwrap();
        sum.update(&piece);
    }
    Member {
        method: 8,
        bytes: packer.finish().unwrap(),
        length: length as u32,
        crc: sum.sum(),
        ..stored(name, b"")
    }
}

fn common(member: &Member) -> Vec<u8> {
    let mut head = Vec::new();
    for value in [20, member.flags, member.method, 0, 0x21] {
        head.extend(value.to_le_bytes());
    }
    for value in [member.crc, member.bytes.len() as u32, member.length] {
        head.extend(value.to_le_bytes());
    }
    head.extend((member.name.len() as u16).to_le_bytes());
    head.extend(0u16.to_le_bytes());
    head
}

fn zip(members: &[Member]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let offset = member.offset.unwrap_or(file.len() as u32);
        file.extend(b"PK\x03\x04");
        file.extend(common(member));
        file.extend(member.name.as_bytes());
        file.extend(&member.bytes);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(common(member));
        directory.extend([0; 10]); // comment, disk, attributes
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name.as_bytes());
    }
    let (start, count) = (file.len() as u32, members.len() as u16);
    let length = directory.len() as u32;
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend(0u16.to_le_bytes());
    file
}

pub(super) fn good() -> Vec<u8> {
    zip(&[stored("0/a.png", &png()), stored("1/b.png", &png())])
}

pub(super) fn list() -> Vec<Hostile> {
    let png = png();
    let a = stored("0/a.png", &png);
    let b = stored("1/b.png", &png);
    let with = |change: &dyn Fn(&mut Member)| {
        let mut changed = a.clone();
        change(&mut changed);
        zip(&[changed, b.clone()])
    };
    let mut count = good();
    let at = count.len() - 12;
    count[at..at + 2].copy_from_slice(&9u16.to_le_bytes());
    let cut = good()[..good().len() / 2].to_vec();
    let whole = Hostile {
        name: "one that is whole",
        bytes: good(),
        length: None,
        ends: Ends::Accepted,
    };
    vec![
        whole,
        Hostile::refused(
            "a member of 512 MiB of zeros",
            zip(&[zeros("0/a.png", 512 << 20), b.clone()]),
        ),
        Hostile::refused(
            "a member of 2 GiB of zeros",
            zip(&[zeros("0/a.png", 2 << 30), b.clone()]),
        ),
        Hostile::refused("an encrypted member", with(&|m| m.flags = 1)),
        Hostile::refused("an unknown method", with(&|m| m.method = 99)),
        Hostile::refused("a wrong sum", with(&|m| m.crc ^= 1)),
        Hostile::refused(
            "a member that says it is longer",
            with(&|m| m.length = u32::MAX - 1),
        ),
        Hostile::refused(
            "a member outside of the file",
            with(&|m| m.offset = Some(u32::MAX - 1)),
        ),
        Hostile::refused(
            "a member without its local header",
            with(&|m| m.offset = Some(3)),
        ),
        Hostile::refused("a count that is not there", count),
        Hostile::refused("an archive that is cut", cut),
        Hostile::refused("no zip at all", vec![0x5a; 4096]),
        Hostile::refused("nothing", Vec::new()),
        Hostile::refused(
            "the image under another name",
            zip(&[stored("../a.png", &png), b.clone()]),
        ),
        Hostile::refused(
            "deflated nonsense",
            with(&|m| {
                m.method = 8;
                m.bytes = vec![0xff; 300];
            }),
        ),
    ]
}
