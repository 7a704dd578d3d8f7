//! Headers of tars: long names, records, and what claims too much.

use std::sync::Arc;

use vlpt_data::archive::{Root, Spool, TarArchive};

use crate::fixtures::{Dir, png};

fn header(kind: tar::EntryType, name: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_cksum();
    header
}

fn member(bytes: &mut Vec<u8>, kind: tar::EntryType, name: &str, data: &[u8]) {
    bytes.extend(header(kind, name, data.len() as u64).as_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
}

fn opened(bytes: &[u8], spool: Spool) -> Result<TarArchive, String> {
    let dir = Dir::new();
    dir.bytes("t.tar", bytes);
    let root = Root::open(&dir.path("")).expect("it exists");
    TarArchive::open(&root, "t.tar", &Arc::new(spool)).map_err(|error| error.to_string())
}

#[test]
fn long_names_of_both_kinds_are_read() {
    let long = format!("{}/1.png", "folder".repeat(40));
    let mut gnu = Vec::new();
    member(
        &mut gnu,
        tar::EntryType::GNULongName,
        "././@LongLink",
        format!("{long}\0").as_bytes(),
    );
    member(&mut gnu, tar::EntryType::Regular, "cut", &png(1));
    let mut pax = Vec::new();
    let line = format!(" path={long}\n");
    let length = line.len() + 3;
    let record = format!("{length}{line}19 mtime=12345.678\n");
    member(
        &mut pax,
        tar::EntryType::XGlobalHeader,
        "g",
        b"13 comment=x\n",
    );
    member(&mut pax, tar::EntryType::XHeader, "x", record.as_bytes());
    member(&mut pax, tar::EntryType::Regular, "cut", &png(1));
    for mut bytes in [gnu, pax] {
        member(&mut bytes, tar::EntryType::Directory, "folder/", b"");
        member(&mut bytes, tar::EntryType::Regular, "2.png", &png(2));
        bytes.extend([0; 1024]);
        let tar = opened(&bytes, Spool::default()).expect("it opens");
        let names: Vec<&str> = tar.members().iter().map(|member| &*member.name).collect();
        assert_eq!(names, [&*long, "2.png"]);
        assert!(
            tar.members()
                .iter()
                .all(|member| member.size == png(1).len() as u64)
        );
    }
}

/// A record of this kind that claims so many bytes, in a file with a hole behind it.
#[cfg(unix)]
fn hole(kind: tar::EntryType, claim: u64) -> Result<TarArchive, String> {
    let dir = Dir::new();
    dir.bytes("t.tar", header(kind, "x", claim).as_bytes());
    let file = fs_err::OpenOptions::new()
        .write(true)
        .open(dir.path("t.tar"))
        .expect("the file");
    file.set_len(claim + 4096).expect("a hole");
    let root = Root::open(&dir.path("")).expect("it exists");
    TarArchive::open(&root, "t.tar", &Arc::default()).map_err(|error| error.to_string())
}

#[cfg(unix)]
#[test]
fn records_that_claim_much_are_refused_before_they_are_read() {
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
        for claim in [65 << 10, 100 << 20, 6 << 30] {
            let error = hole(kind, claim).expect_err("it is too long");
            let told = format!(
                "t.tar: cannot be read as tar: a name or record of {claim} bytes at byte 512, more than the limit of 65536"
            );
            assert_eq!(error, told);
        }
    }
    // a long link and a record about the archive are passed over without being read
    for kind in [tar::EntryType::GNULongLink, tar::EntryType::XGlobalHeader] {
        let tar = hole(kind, 6 << 30).expect("nothing follows");
        assert!(tar.members().is_empty());
    }
}

#[test]
fn sparse_files_are_refused_by_their_name() {
    let mut gnu = Vec::new();
    member(&mut gnu, tar::EntryType::GNUSparse, "1.png", b"");
    let mut pax = Vec::new();
    member(
        &mut pax,
        tar::EntryType::XHeader,
        "x",
        b"22 GNU.sparse.major=1\n",
    );
    member(&mut pax, tar::EntryType::Regular, "1.png", &png(1));
    for bytes in [gnu, pax] {
        let error = opened(&bytes, Spool::default()).expect_err("it is sparse");
        assert_eq!(
            error,
            "t.tar: cannot be read as tar: member `1.png` is a GNUSparse, not a plain file"
        );
    }
}

#[test]
fn a_tar_that_ends_anywhere_is_told_or_read() {
    let mut bytes = Vec::new();
    member(
        &mut bytes,
        tar::EntryType::GNULongName,
        "x",
        b"folder/1.png\0",
    );
    member(&mut bytes, tar::EntryType::Regular, "cut", &png(1));
    let mut told = 0;
    for end in 0..bytes.len() {
        told += usize::from(opened(&bytes[..end], Spool::default()).is_err());
    }
    assert!(told > 1024, "{told}");
    // one wrong bit of a header is noticed by its sum
    bytes[3] ^= 1;
    let error = opened(&bytes, Spool::default()).expect_err("another sum");
    assert!(
        error.contains("header at byte 0: its checksum is "),
        "{error}"
    );
}

#[test]
fn a_packed_tar_that_grows_too_much_is_refused() {
    let dir = Dir::new();
    dir.tar("t.tar.gz", &[("1.png", vec![0; 1 << 20])]);
    let bytes = fs_err::read(dir.path("t.tar.gz")).expect("the tar");
    let error = opened(&bytes, Spool::with_limit(1 << 20)).expect_err("it is too much");
    assert_eq!(
        error,
        "t.tar: cannot be read as tar: the set unpacks to more than 1048576 bytes, the most that is unpacked from gzip: unpack its tars with `gunzip` first"
    );
    let tar = opened(&bytes, Spool::default()).expect("it opens");
    assert_eq!(tar.read(0).expect("it reads"), vec![0; 1 << 20]);
    for end in [0, 3, 20, bytes.len() / 2, bytes.len() - 1] {
        assert!(
            opened(&bytes[..end], Spool::default()).is_err() || end == 0,
            "{end}"
        );
    }
}
