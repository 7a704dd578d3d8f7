//! Pages and lists say what is there.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use vlpt_fuzz::{TARGETS, Target};

/// The list here, libFuzzer's binaries and the page name the same targets.
#[test]
fn every_target_has_its_binary_and_its_line() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let page = std::fs::read_to_string(fuzz.join("README.md")).unwrap();
    let binaries = manifest.matches("[[bin]]").count();
    assert_eq!(binaries, TARGETS.len());
    for Target { name, summary, .. } in TARGETS {
        let main = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(main.contains(&format!("entry!(\"{name}\")")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(
            page.contains(&format!("| `{name}` | {summary} |")),
            "{name}"
        );
    }
}

/// The workspace of the binaries has a lock file of its own: a dependency that a crate gains and that is
/// not locked there would stop `fuzz/smoke.sh`.
#[test]
fn the_lock_file_of_the_binaries_knows_every_dependency() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lock = std::fs::read_to_string(root.join("fuzz/Cargo.lock")).unwrap();
    let mut crates = 0;
    for package in lock.split("[[package]]").skip(1) {
        let name = package.split('"').nth(1).unwrap();
        let manifest = root.join("crates").join(name).join("Cargo.toml");
        let Ok(manifest) = std::fs::read_to_string(manifest) else {
            continue; // from the registry
        };
        crates += 1;
        let after = manifest.split("\n[dependencies]\n").nth(1).unwrap_or("");
        let lines = after.lines().take_while(|line| !line.starts_with('['));
        // what is optional may be off there
        let lines = lines.filter(|line| !line.contains("optional = true"));
        let words = lines.filter_map(|line| line.split(['.', ' ', '=']).next());
        for word in words.filter(|word| !word.is_empty() && !word.starts_with('#')) {
            let locked = |form: &str| package.contains(&form.replace('@', word));
            assert!(
                locked(" \"@\",") || locked(" \"@ "),
                "{word} of {name} is not in fuzz/Cargo.lock: run `cargo metadata --manifest-path fuzz/Cargo.toml`"
            );
        }
    }
    assert!(crates > 8, "{crates}");
}

/// Every test and target that the page on threats names exists.
#[test]
fn the_page_on_threats_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/concepts/threats.md")).unwrap();
    let mut sources = String::new();
    let mut folders = vec![root.join("crates")];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                sources += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let words = page.split('`').skip(1).step_by(2);
    let tests: Vec<&str> = words
        .filter(|word| word.matches('_').count() >= 3)
        .collect();
    assert!(tests.len() > 10, "{tests:?}");
    for test in tests {
        assert!(
            sources.contains(&format!("fn {test}(")),
            "no test is called {test}"
        );
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("target"))
        .collect()
}
