//! A method added with one file and one line of the list is in the command line, the configuration, a
//! report, the import and a study:
//!
//! ```text
//! cargo test --workspace --features vlpt/example-method --test added_method --test registry --test methods
//! ```
//!
//! The file is that of docs/guides/add-a-method.md. `registry.rs` and `methods.rs` go through the
//! whole list, and with the feature through the added method too; here is what they cannot know.

#![allow(clippy::unwrap_used)]

mod common;

use common::{ok, photos, transcript};
use vlpt_methods::{METHODS, method};

const NAME: &str = "shared-prompt";

#[test]
fn it_is_one_line_of_the_list() {
    assert!(method(NAME).is_some());
    assert_eq!(METHODS.iter().filter(|spec| spec.name == NAME).count(), 1);
}

#[test]
fn its_option_is_set_checked_and_explained() {
    let home = tempfile::tempdir().unwrap();
    let printed = ok(
        home.path(),
        &[
            "train",
            "photos",
            "--method",
            NAME,
            "--prompts",
            "3",
            "--print-config",
        ],
    );
    assert!(
        printed.contains("[method.shared_prompt]\ncount = 3\n"),
        "{printed}"
    );
    let said = transcript(
        home.path(),
        &[
            "train",
            "photos",
            "--method",
            NAME,
            "--set",
            "shared_prompt.count=0",
            "--print-config",
        ],
    );
    assert!(
        said.contains("shared_prompt.count = 0: expected at least 1"),
        "{said}"
    );
}

#[test]
fn its_checkpoint_is_imported_and_used() {
    let home = tempfile::tempdir().unwrap();
    photos(home.path());
    let checkpoint = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/shared-prompt.pth.tar"
    );
    let import = [
        "import", checkpoint, "--data", "photos", "--out", "imported",
    ];
    ok(home.path(), &import);
    let readme = fs_err::read_to_string(home.path().join("imported/README.md")).unwrap();
    assert!(readme.contains(&format!("| method | {NAME} |")), "{readme}");
    ok(home.path(), &["eval", "imported", "photos", "--json"]);
}
