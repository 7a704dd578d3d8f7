//! `vlpt demo` by its binary: offline, tuned beats zero-shot, and the same bytes again.

use std::path::Path;

use assert_cmd::Command;

fn demo(arguments: &[&str], out: &Path) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("vlpt").expect("the binary is built with its tests");
    command
        .arg("demo")
        .args(arguments)
        .arg("--out")
        .arg(out)
        .assert()
}

#[test]
fn the_demo_gains_over_zero_shot_and_repeats_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--tasks", "stripes", "--shots", "8", "--json", "--quiet"];
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    let output = demo(&arguments, &first)
        .success()
        .get_output()
        .stdout
        .clone();
    let measured: serde_json::Value = serde_json::from_slice(&output).unwrap();
    let share = |key: &str| measured[key].as_f64().unwrap();
    assert!(
        share("mean_tuned") > share("mean_zero_shot") + 0.2,
        "{measured}"
    );

    demo(&arguments, &second).success();
    let page = |out: &Path| {
        let text = fs_err::read_to_string(out.join("report.html")).unwrap();
        text.replace(&out.display().to_string(), "OUT")
    };
    assert_eq!(page(&first), page(&second));
    assert!(
        page(&first).contains("falling diagonal stripes taken for"),
        "no confusion matrix"
    );

    // a finished run is taken as it is
    let before = page(&first);
    demo(&arguments, &first).success();
    assert_eq!(page(&first), before);
}

#[test]
fn an_unknown_task_is_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let failed = demo(&["--tasks", "shapes,digts"], &out).failure();
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(
        said.contains("digts") && said.contains("did you mean `digits`"),
        "{said}"
    );
    assert!(!out.exists());
}
