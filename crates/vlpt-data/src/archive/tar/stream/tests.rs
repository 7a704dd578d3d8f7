//! Tars that come through a pipe: whole, cut, with what is no file, with records without end.

use std::io::Write;

use super::*;

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn names(stream: TarStream) -> Vec<(String, usize)> {
    stream
        .map(|member| member.unwrap())
        .map(|(name, bytes)| (name, bytes.unwrap().len()))
        .collect()
}

#[test]
fn images_come_in_the_order_of_the_tar_plain_or_packed() {
    let long = format!("{}/deep.png", "folder-of-a-long-name/".repeat(8));
    let bytes = tar(&[
        ("b.jpg", &[1; 700]),
        ("notes.txt", b"no image"),
        ("__MACOSX/._b.jpg", b"junk"),
        (&long, &[2; 512]),
        ("a.png", &[]),
    ]);
    assert!(TarStream::begins(&bytes));
    let expected = [("b.jpg".to_owned(), 700), (long, 512), ("a.png".into(), 0)];
    let (head, rest) = bytes.split_at(100);
    let stream = TarStream::new(head.to_vec(), io::Cursor::new(rest.to_vec()), "-");
    assert_eq!(names(stream), expected);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&bytes).unwrap();
    let packed = packed.finish().unwrap();
    assert!(TarStream::begins(&packed[..2]));
    assert_eq!(names(TarStream::new(packed, io::empty(), "-")), expected);
}

#[test]
fn a_tar_that_is_cut_gives_what_came_before() {
    let bytes = tar(&[("a.jpg", &[1; 700]), ("b.jpg", &[2; 700])]);
    let cut = bytes[..bytes.len() - 1024 - 600].to_vec();
    let mut stream = TarStream::new(cut, io::empty(), "standard input");
    assert_eq!(stream.next().unwrap().unwrap().0, "a.jpg");
    let error = stream.next().unwrap().unwrap_err().to_string();
    assert!(
        error.contains("b.jpg") && error.contains("missing"),
        "{error}"
    );
    assert!(stream.next().is_none());
}

#[test]
fn what_is_no_plain_file_is_an_error_of_its_own() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "l.jpg", "a.jpg").unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    builder
        .append_data(&mut header, "a.jpg", &b"abc"[..])
        .unwrap();
    let bytes = builder.into_inner().unwrap();
    let all: Vec<_> = TarStream::new(bytes, io::empty(), "-")
        .map(|m| m.unwrap())
        .collect();
    assert!(all[0].0 == "l.jpg" && all[0].1.is_err());
    assert!(all[1].0 == "a.jpg" && all[1].1.is_ok());
}

/// A long name or pax record, and behind it an image.
fn with_record(kind: tar::EntryType, record: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(record.len() as u64);
    header.set_cksum();
    let mut bytes = [header.as_bytes(), record].concat();
    bytes.resize(bytes.len().next_multiple_of(BLOCK as usize), 0);
    [bytes, tar(&[("a.jpg", &[1; 700])])].concat()
}

#[test]
fn a_name_or_record_above_the_limit_is_refused() {
    let limit = MAX_RECORD_BYTES as usize;
    let name = format!("{}.jpg", "n".repeat(limit - 4));
    let longest = with_record(tar::EntryType::GNULongName, name.as_bytes());
    let found = names(TarStream::new(longest, io::empty(), "-"));
    assert_eq!(found, [(name.clone(), 700)]);
    let path = format!("{} path={name}\n", limit + 12);
    let longer = format!("n{name}");
    for (kind, record) in [
        (tar::EntryType::GNULongName, longer.as_bytes()),
        (tar::EntryType::XHeader, path.as_bytes()),
    ] {
        let bytes = with_record(kind, record);
        let mut stream = TarStream::new(bytes, io::empty(), "standard input");
        let error = stream.next().unwrap().unwrap_err().to_string();
        let told = format!(
            "standard input: cannot be read as tar: a name or record of {} bytes, more than the limit of {limit}",
            record.len()
        );
        assert_eq!(error, told);
        assert!(stream.next().is_none());
    }
}
