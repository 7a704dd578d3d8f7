//! Published checkpoints become prompt folders that evaluate; bad ones are refused with the way out.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{ok, photos, transcript};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

macro_rules! says {
    ($name:literal, $folder:expr, $args:expr) => {
        settings().bind(|| insta::assert_snapshot!($name, transcript($folder, $args)));
    };
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\(os error \d+\)", "(os error)");
    settings.add_filter("storage \"[0-9]+\"", "storage \"[number]\"");
    settings.set_prepend_module_to_snapshot(false);
    settings
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder with the golden checkpoints, two classes of photos and a list of three names.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let golden = crates().join("vlpt-adapter/tests/golden/checkpoints");
    for entry in fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, home.path().join(path.file_name().unwrap())).unwrap();
    }
    photos(home.path());
    fs::write(home.path().join("shapes.txt"), "circle\nsquare\ntriangle\n").unwrap();
    home
}

fn import<'a>(checkpoint: &'a str, out: &'a str) -> [&'a str; 6] {
    ["import", checkpoint, "--data", "photos", "--out", out]
}

#[test]
fn an_import_says_what_was_used_left_missing_and_assumed() {
    let home = home();
    let args = [
        "import",
        "coop-legacy.pth.tar",
        "--classes",
        "shapes.txt",
        "--out",
        "a",
    ];
    says!("import_coop", home.path(), &args);
    says!(
        "import_upt",
        home.path(),
        &import("upt-legacy.pth.tar", "b")
    );
    let mut args = import("cocoop.pth.tar", "c").to_vec();
    args.push("--json");
    let result: serde_json::Value = serde_json::from_str(&ok(home.path(), &args)).unwrap();
    assert_eq!(result["method"], "cocoop");
    assert_eq!(result["used"].as_array().unwrap().len(), 5);
    assert_eq!(result["task"], "photos");
}

#[test]
fn imported_prompts_of_every_kind_are_evaluated() {
    let home = home();
    for file in ["coop-legacy", "cocoop", "vpt-projected", "joint", "upt"] {
        let checkpoint = format!("{file}.pth.tar");
        ok(home.path(), &import(&checkpoint, file));
        let text = ok(home.path(), &["eval", file, "photos", "--json"]);
        let result: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(result["images"].as_u64().unwrap() > 0, "{file}");
        assert!(result["value"].is_number(), "{file}");
    }
}

#[test]
fn seeds_are_averaged_and_the_average_evaluated() {
    let home = home();
    for seed in ["1", "2", "3"] {
        let (checkpoint, out) = (format!("seed{seed}.pth.tar"), format!("run{seed}"));
        let mut args = import(&checkpoint, &out).to_vec();
        args.extend(["--seed", seed]);
        ok(home.path(), &args);
    }
    says!(
        "average",
        home.path(),
        &["average", "run1", "run2", "run3", "--out", "mean"]
    );
    ok(home.path(), &["eval", "mean", "photos"]);
    let metrics = fs::read_to_string(home.path().join("mean/metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!(metrics["averaged"][2]["seed"], 3);
}

#[test]
fn what_cannot_be_averaged_is_refused() {
    let home = home();
    ok(home.path(), &import("coop-legacy.pth.tar", "coop"));
    ok(home.path(), &import("cocoop.pth.tar", "cocoop"));
    let mut front = import("seed1.pth.tar", "front").to_vec();
    front.extend(["--position", "front"]);
    ok(home.path(), &front);
    for seed in ["1", "2"] {
        let out = format!("probe{seed}");
        let probe = [
            "train",
            "photos",
            "--method",
            "linear-probe",
            "--shots",
            "2",
            "--seed",
            seed,
            "--out",
            &out,
        ];
        ok(home.path(), &probe);
    }
    says!(
        "average_of_baselines",
        home.path(),
        &["average", "probe1", "probe2", "--out", "mean"]
    );
    says!(
        "average_of_one",
        home.path(),
        &["average", "coop", "--out", "mean"]
    );
    says!(
        "average_twice_the_same",
        home.path(),
        &["average", "coop", "cocoop/../coop", "--out", "mean"]
    );
    says!(
        "average_of_two_methods",
        home.path(),
        &["average", "coop", "cocoop", "--out", "mean"]
    );
    says!(
        "average_of_other_options",
        home.path(),
        &["average", "coop", "front", "--out", "mean"]
    );
    assert!(!home.path().join("mean").exists());
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let home = home();
    says!(
        "import_absent",
        home.path(),
        &import("absent.pth.tar", "out")
    );
    says!(
        "import_no_checkpoint",
        home.path(),
        &import("shapes.txt", "out")
    );
    // a pickle that would run a program
    let mut attack = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    attack.extend(b"\x80\x02}X\x0d\0\0\0little_endian\x88s.\x80\x02cposix\nsystem\nX\x05\0\0\0touchX\x05\0\0\0proof\x86R.");
    fs::write(home.path().join("attack.pth.tar"), attack).unwrap();
    says!(
        "import_attack",
        home.path(),
        &import("attack.pth.tar", "out")
    );
    let whole = fs::read(home.path().join("vpt-legacy.pth.tar")).unwrap();
    fs::write(home.path().join("cut.pth.tar"), &whole[..whole.len() - 100]).unwrap();
    says!("import_cut", home.path(), &import("cut.pth.tar", "out"));
    assert!(!home.path().join("out").exists());
    assert!(!home.path().join("proof").exists());
}

#[test]
fn a_checkpoint_for_another_model_or_method_is_refused() {
    let home = home();
    let model = home.path().join("small");
    fs::create_dir(&model).unwrap();
    for folder in ["hf", "tokenizer"] {
        let folder = crates().join("vlpt-clip/tests/golden/formats").join(folder);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, model.join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut args = import("joint.pth.tar", "out").to_vec();
    args.extend(["--model", "./small"]);
    says!("import_other_model", home.path(), &args);
    let mut args = import("coop-legacy.pth.tar", "out").to_vec();
    args.extend(["--method", "cocoop"]);
    says!("import_missing_parameter", home.path(), &args);
    let mut args = import("coop-legacy.pth.tar", "out").to_vec();
    args.extend(["--place", "before-ln-pre"]);
    says!("import_option_of_another_method", home.path(), &args);
    says!(
        "import_other_classes",
        home.path(),
        &import("coop-class-specific.pth.tar", "out")
    );
    says!(
        "import_over_a_folder",
        home.path(),
        &import("coop-legacy.pth.tar", "small")
    );
    assert!(home.path().join("small/config.json").exists());
}

/// CoCoOp's parameters for the built-in model, and so many tensors beside them.
fn parameters_and_others(path: &Path, others: usize) {
    let bytes = [0; 4 * 16 * 256];
    let view = |shape: &[usize]| {
        let size = 4 * shape.iter().product::<usize>();
        TensorView::new(Dtype::F32, shape.to_vec(), &bytes[..size]).unwrap()
    };
    let parameters: [(&str, &[usize]); 5] = [
        ("ctx", &[4, 192]),
        ("meta_net.linear1.bias", &[16]),
        ("meta_net.linear1.weight", &[16, 256]),
        ("meta_net.linear2.bias", &[192]),
        ("meta_net.linear2.weight", &[192, 16]),
    ];
    let parameters = parameters.map(|(name, shape)| (name.to_owned(), view(shape)));
    let mut tensors = parameters.to_vec();
    tensors.extend((0..others).map(|i| (format!("other.{i:04}"), view(&[1]))));
    fs::write(path, safetensors::serialize(tensors, None).unwrap()).unwrap();
}

#[test]
fn thousands_of_other_tensors_are_counted_and_not_all_printed() {
    let home = home();
    parameters_and_others(&home.path().join("large.safetensors"), 3000);
    let refused = transcript(home.path(), &import("large.safetensors", "out"));
    assert!(refused.starts_with("exit code: 1"), "{refused}");
    assert!(
        refused.contains("`other.0019`, and 2980 more\n") && !refused.contains("other.0020"),
        "{refused}"
    );
    let mut args = import("large.safetensors", "out").to_vec();
    args.extend(["--method", "cocoop"]);
    let said = transcript(home.path(), &args);
    assert!(said.starts_with("exit code: 0"), "{said}");
    assert!(
        said.contains("left: other.0019: no parameter of cocoop\nleft: and 2980 more\n"),
        "{said}"
    );
    assert!(!said.contains("other.0020"), "{said}");
    // for a program they are all there
    let mut args = import("large.safetensors", "again").to_vec();
    args.extend(["--method", "cocoop", "--json"]);
    let result: serde_json::Value = serde_json::from_str(&ok(home.path(), &args)).unwrap();
    assert_eq!(result["left"].as_array().unwrap().len(), 3000);
}
