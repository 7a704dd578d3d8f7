//! Paths and archives that try to lead out of the data set, or to take all memory.

use vlpt_data::{OpenOptions, open};

use crate::fixtures::{Dir, png};

const CLIMBING: [&str; 4] = [
    "../outside.png",
    "/etc/hostname",
    "a/../../outside.png",
    "\\\\host\\share.png",
];

#[test]
fn a_manifest_may_not_name_a_path_outside() {
    for path in CLIMBING {
        let dir = Dir::new();
        dir.image("outside.png", 1);
        dir.image("set/in.png", 1)
            .text("set/m.csv", &format!("path,label\nin.png,a\n{path},b\n"));
        let error = open(&dir.path("set"), &OpenOptions::default()).expect_err("it climbs");
        assert_eq!(
            dir.told(&error),
            format!(
                "DIR/set/m.csv: line 3: refused the path `{path}`, which is absolute or leaves its root"
            )
        );
    }
}

#[test]
fn a_split_file_may_not_name_a_path_outside() {
    for path in CLIMBING {
        let dir = Dir::new();
        dir.image("2750/a.jpg", 1);
        let path = path.replace('\\', "\\\\");
        let json = format!(r#"{{"train": [["a.jpg", 0, "x"]], "test": [["{path}", 0, "x"]]}}"#);
        dir.text("split_zhou_EuroSAT.json", &json);
        let error = dir.error(&OpenOptions::default());
        assert!(
            error.contains("entry 0 of `test`: refused the path"),
            "{error}"
        );
    }
}

#[test]
fn an_index_may_not_name_a_zip_or_member_outside() {
    for line in [
        "../o.zip@1.png 0",
        "/o.zip@1.png 0",
        "t.zip@../1.png 0",
        "t.zip@/1.png 0",
    ] {
        let dir = Dir::new();
        dir.zip("o.zip", &[("1.png", 1)]);
        dir.zip("set/t.zip", &[("1.png", 1), ("../1.png", 2)])
            .text("set/labels.txt", "a\n");
        dir.text("set/train.txt", "t.zip@1.png 0\n")
            .text("set/test.txt", &format!("{line}\n"));
        let error = open(&dir.path("set"), &OpenOptions::default()).expect_err("it climbs");
        assert!(
            dir.told(&error)
                .contains("DIR/set/test.txt: line 1: refused the path"),
            "{error}"
        );
    }
}

#[test]
fn a_tar_may_not_hold_climbing_paths_or_links() {
    let mut climbing = tar::Header::new_gnu();
    climbing.as_old_mut().name[..8].copy_from_slice(b"../x.png");
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.as_old_mut().name[..5].copy_from_slice(b"x.png");
    link.set_link_name("/etc/hostname").expect("a link");
    for (mut header, message) in [
        (climbing, "test/0.tar: refused the path `../x.png`"),
        (
            link,
            "test/0.tar: cannot be read as tar: member `x.png` is a Symlink, not a plain file",
        ),
    ] {
        let dir = Dir::new();
        header.set_size(0);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend([0; 1024]);
        dir.bytes("test/0.tar", &bytes)
            .text("classnames.txt", "a\n");
        let error = dir.error(&OpenOptions::default());
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_tar_member_that_claims_more_than_the_file_has_is_refused() {
    let dir = Dir::new();
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..5].copy_from_slice(b"x.png");
    header.set_size(1 << 40);
    header.set_cksum();
    dir.bytes("test/0.tar", header.as_bytes())
        .text("classnames.txt", "a\n");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.starts_with("test/0.tar: cannot be read as tar:"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_out_of_the_set_are_refused_by_name() {
    use std::os::unix::fs::symlink;
    let folder_link = Dir::new();
    folder_link
        .image("out/1.png", 1)
        .image("set/train/a/1.png", 1)
        .image("set/test/a/1.png", 1);
    symlink(folder_link.path("out"), folder_link.path("set/train/b")).expect("a link");
    let file_link = Dir::new();
    file_link
        .image("out/1.png", 1)
        .image("set/train/a/1.png", 1)
        .folder("set/train/b")
        .image("set/test/a/1.png", 1);
    symlink(
        file_link.path("out/1.png"),
        file_link.path("set/train/b/1.png"),
    )
    .expect("a link");
    for (dir, path) in [(folder_link, "train/b"), (file_link, "train/b/1.png")] {
        let error = open(&dir.path("set"), &OpenOptions::default()).expect_err("it leads out");
        let start = format!("DIR/set: refused `{path}`, a link that leads out of the data set to ");
        assert!(dir.told(&error).starts_with(&start), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_made_after_opening_is_refused_at_reading() {
    let dir = Dir::new();
    dir.text("secret", "s")
        .image("set/train/a/1.png", 1)
        .image("set/test/a/1.png", 1);
    let task = open(&dir.path("set"), &OpenOptions::default()).expect("it opens");
    fs_err::remove_file(dir.path("set/train/a/1.png")).expect("removed");
    std::os::unix::fs::symlink(dir.path("secret"), dir.path("set/train/a/1.png")).expect("a link");
    let error = task.train.samples[0]
        .image
        .read()
        .expect_err("it leads out")
        .to_string();
    assert!(
        error.contains("refused `train/a/1.png`, a link that leads out"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_inside_the_set_are_followed_and_loops_are_refused() {
    use std::os::unix::fs::symlink;
    let dir = Dir::new();
    dir.image("train/a/1.png", 1).image("test/a/1.png", 1);
    symlink(dir.path("train/a"), dir.path("train/b")).expect("a link");
    assert_eq!(dir.open().expect("it opens").classes, ["a", "b"]);
    symlink(dir.path("train/a"), dir.path("train/a/again")).expect("a link");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("found a folder that holds itself"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_web_of_links_ends() {
    use std::os::unix::fs::symlink;
    // thirty folders with two links each to the next: 2^30 paths
    let web = |dir: &Dir, top: &str| {
        for i in 0..30 {
            let folder = format!("{top}/{i:02}");
            dir.folder(&folder);
            for name in ["x", "y"] {
                let next = format!("../{:02}", i + 1);
                symlink(next, dir.path(&format!("{folder}/{name}"))).expect("a link");
            }
        }
        dir.image(&format!("{top}/30/photo.png"), 1);
    };
    let dir = Dir::new();
    web(&dir, "train/a");
    dir.image("test/a/1.png", 1);
    let error = dir.error(&OpenOptions::default());
    assert!(error.contains("too many folders behind links"), "{error}");
    // class folders alone, of which it has to be found out whether they hold images
    let dir = Dir::new();
    web(&dir, ".");
    let error = dir.error(&OpenOptions::default());
    assert!(error.starts_with("DIR"), "{error}");
}

/// Links back to their own folder: 40^8 paths, eight folders deep, without any image.
#[cfg(unix)]
#[test]
fn a_folder_of_links_to_itself_is_looked_into_once() {
    let dir = Dir::new();
    for i in 0..40 {
        let link = dir.path(&format!("set/{i}"));
        dir.folder("set");
        std::os::unix::fs::symlink(".", link).expect("a link");
    }
    let error = open(&dir.path("set"), &OpenOptions::default()).expect_err("nothing is there");
    assert!(dir.told(&error).starts_with("DIR/set: "), "{error}");
}

#[test]
fn a_zip_member_that_lies_about_its_size_is_refused() {
    let dir = Dir::new();
    dir.zip("t.zip", &[("1.png", 1)]).text("labels.txt", "a\n");
    dir.text("train.txt", "t.zip@1.png 0\n")
        .text("test.txt", "t.zip@1.png 0\n");
    let mut bytes = fs_err::read(dir.path("t.zip")).expect("the zip");
    let central = bytes
        .windows(4)
        .position(|w| w == b"PK\x01\x02")
        .expect("a central directory");
    bytes[central + 24..central + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    dir.bytes("t.zip", &bytes);
    let task = dir.open().expect("the index is only a claim");
    let error = task.train.samples[0]
        .image
        .read()
        .expect_err("too large")
        .to_string();
    assert!(
        error.starts_with("t.zip@1.png: cannot be read as zip: 2147483647 bytes, more than"),
        "{error}"
    );
}

#[test]
fn a_truncated_image_is_named_when_it_is_loaded() {
    let dir = Dir::new();
    let whole = png(1);
    dir.bytes("train/a/cut.png", &whole[..whole.len() - 20])
        .image("test/a/1.png", 1);
    let task = dir.open().expect("it opens");
    let error = task.train.samples[0]
        .load(&vlpt_data::image::Limits::default())
        .expect_err("it is cut");
    assert!(
        error.to_string().starts_with("train/a/cut.png: "),
        "{error}"
    );
}
