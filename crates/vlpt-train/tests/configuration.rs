//! How a configuration is put together, and what is said when it cannot be.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use std::path::Path;

use vlpt_adapter::PrecisionSetting;
use vlpt_clip::Precision;
use vlpt_methods::{CoOpConfig, METHODS};
use vlpt_train::{
    Epochs, LEAST_MEMORY_MB, RECIPES, RunConfig, Select, TrainError, Views, all_keys,
    default_recipe, load, parse, read_resolved,
};

fn settings(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// The message and the hint of a file with this text.
fn complaint(text: &str) -> (String, String) {
    let error = parse(text, "run.toml").unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn later_layers_win_and_other_values_stay() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("my.toml");
    fs_err::write(&file, "seed = 7\n[train]\nlr = 0.5\nbatch_size = 8\n").unwrap();
    let over = settings(&["train.lr=0.25", "data.path=photos", "coop.position=front"]);
    let config = load(Some("coop-mvlpt"), Some(&file), &over).unwrap();
    assert_eq!(config.train.lr, 0.25);
    assert_eq!(config.train.batch_size, 8);
    assert_eq!(config.seed, 7);
    assert_eq!(config.train.select, Select::BestVal);
    assert_eq!(config.views.mode, Views::Online);
    assert_eq!(config.data.path, "photos");
    assert_eq!(config.train.momentum, 0.9);
}

#[test]
fn epochs_by_shots_are_those_of_the_published_experiments() {
    for (shots, epochs) in [("1", 50), ("2", 100), ("4", 100), ("8", 200), ("16", 200)] {
        let over = settings(&[&format!("few_shot.shots={shots}")]);
        let config = load(Some("coop-paper"), None, &over).unwrap();
        assert_eq!(config.train.epochs, Epochs::Count(epochs), "{shots} shots");
    }
    let config = load(Some("coop-paper"), None, &settings(&["few_shot.shots=all"])).unwrap();
    assert_eq!(config.train.epochs, Epochs::Count(50));
}

#[test]
fn a_length_in_steps_and_one_in_epochs_take_each_others_place() {
    let with = |list: &[&str]| load(Some("2sfs-paper"), None, &settings(list)).unwrap();
    assert_eq!(with(&[]).steps(), Some(300 * 16));
    assert_eq!(with(&["few_shot.shots=2"]).steps(), Some(300 * 2));
    assert_eq!(with(&["train.steps=7"]).steps(), Some(7));
    let config = with(&["train.epochs=9"]);
    assert_eq!((config.steps(), config.epochs()), (None, 9));
    let lora = load(
        Some("clip-lora-paper"),
        None,
        &settings(&["few_shot.shots=4"]),
    );
    assert_eq!(lora.unwrap().steps(), Some(500 * 4));
}

#[test]
fn a_number_of_steps_for_each_shot_needs_a_number_of_shots() {
    let all = settings(&["few_shot.shots=all"]);
    let error = load(Some("2sfs-paper"), None, &all)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("train.steps_per_shot = 300"), "{error}");
    let both = complaint("[train]\nsteps = 5\nsteps_per_shot = 5\n").0;
    assert!(both.contains("none beside train.steps"), "{both}");
}

#[test]
fn configurations_that_name_no_steps_are_written_as_they_were() {
    let text = load(None, None, &[]).unwrap().to_toml();
    for key in ["steps", "steps_per_shot", "schedule_by", "lr_min"] {
        assert!(!text.contains(&format!("\n{key} =")), "{text}");
    }
}

#[test]
fn every_recipe_is_whole_and_resolved_configurations_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    for recipe in RECIPES {
        assert!(
            recipe.text.starts_with("# "),
            "{} says nothing",
            recipe.name
        );
        for word in ["#   vlpt ", "Time:", "Result:"] {
            assert!(recipe.text.contains(word), "{} has no {word}", recipe.name);
        }
        let config = load(Some(recipe.name), None, &[]).unwrap();
        let file = dir.path().join("config.toml");
        fs_err::write(&file, config.to_toml()).unwrap();
        assert_eq!(read_resolved(&file).unwrap(), config, "{}", recipe.name);
    }
}

/// Dassl's loader leaves an incomplete last batch out, that of ELEVATER tasks and of CLIP-LoRA keep it.
#[test]
fn recipes_drop_the_last_batch_where_the_published_loader_does() {
    let keeping = [
        "coop-mvlpt-elevater",
        "vpt-mvlpt-elevater",
        "upt-mvlpt-elevater",
        "source-mvlpt-elevater",
        "clip-lora-paper",
        "2sfs-paper",
    ];
    // Fits on features have no batches of images that could be dropped.
    let fit = |recipe: &str| {
        let config = load(Some(recipe), None, &[]).unwrap();
        config.method.spec().is_baseline()
    };
    let of_this_program = |name: &str| name.contains("quick");
    let mut published = 0;
    for recipe in RECIPES {
        if fit(recipe.name) || of_this_program(recipe.name) {
            continue;
        }
        let train = load(Some(recipe.name), None, &[]).unwrap().train;
        let kept = keeping.contains(&recipe.name);
        assert_eq!(train.drop_last, !kept, "{}", recipe.name);
        assert_eq!(
            train.shuffle,
            recipe.name != "source-mvlpt-elevater",
            "{}",
            recipe.name
        );
        assert!(
            recipe.text.contains("\ndrop_last = "),
            "{} leaves it open",
            recipe.name
        );
        published += 1;
    }
    assert!(published > 18, "{published}");
}

#[test]
fn memory_is_a_number_or_left_to_the_machine() {
    let with = |memory_mb| {
        let mut config = RunConfig::default();
        config.compute.memory_mb = memory_mb;
        config
    };
    assert_eq!(RunConfig::default(), with(0));
    assert!(with(0).compute.resolved_memory_mb() >= LEAST_MEMORY_MB);
    assert_eq!(with(7).compute.resolved_memory_mb(), 7);
    // a number may be too small for a chunk, which what is left open never is
    let (key, ..) = with(7).difference(&with(0)).unwrap();
    assert_eq!(key, "compute.memory_mb");
}

#[test]
fn a_number_format_is_named_or_left_to_the_machine() {
    use PrecisionSetting::{Auto, Bf16, F32};
    assert_eq!(RunConfig::default().compute.precision, Auto);
    assert_eq!(Auto.resolve(), Precision::fastest());
    for (name, setting) in [("auto", Auto), ("f32", F32), ("bf16", Bf16)] {
        let over = settings(&[&format!("compute.precision={name}")]);
        let config = load(None, None, &over).unwrap();
        assert_eq!(config.compute.precision, setting);
        let text = config.to_toml();
        assert!(text.contains(&format!("precision = \"{name}\"")), "{text}");
        assert_eq!(parse(&text, "run.toml").unwrap(), config);
        if let Some(named) = setting.named() {
            assert_eq!(
                (setting.resolve(), named.to_string()),
                (named, name.to_owned())
            );
        }
    }
    let (message, _) = complaint("[compute]\nprecision = \"fp16\"\n");
    for part in ["run.toml:2:", "fp16", "auto", "f32", "bf16"] {
        assert!(message.contains(part), "{message}");
    }
    let with = |setting| {
        let mut config = RunConfig::default();
        config.compute.precision = setting;
        config
    };
    assert_eq!(with(Bf16).difference(&with(Auto)), None);
    let (key, ..) = with(Bf16).difference(&with(F32)).unwrap();
    assert_eq!(key, "compute.precision");
}

#[test]
fn the_recipe_for_everyone_is_the_default() {
    let plain = load(None, None, &[]).unwrap();
    assert_eq!(
        load(Some(vlpt_train::DEFAULT_RECIPE), None, &[]).unwrap(),
        plain
    );
    let built_in = parse("", "nothing").unwrap();
    assert_eq!(plain, built_in, "but for settings of some models");
}

#[test]
fn without_a_recipe_a_method_is_trained_by_its_own_quick_one() {
    for spec in METHODS {
        let recipe = default_recipe(spec.name);
        let own = recipe.name.contains("quick") && recipe.is_for(spec.name);
        let plain = recipe.name == vlpt_train::DEFAULT_RECIPE;
        assert!(
            if spec.is_baseline() { plain } else { own },
            "{}: {}",
            spec.name,
            recipe.name
        );
        for model in ["ViT-B-16/openai", "mini-clip"] {
            let given = settings(&[
                &format!("method={}", spec.name),
                &format!("model={model}"),
                "train.epochs=3",
            ]);
            let implied = load(None, None, &given).unwrap();
            assert_eq!(implied, load(Some(recipe.name), None, &given).unwrap());
            assert_eq!(implied.epochs(), 3);
        }
    }
    let visual = load(None, None, &settings(&["method=upt"])).unwrap();
    assert_ne!(visual.train, RunConfig::default().train);
    // a method that a file names is one too
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("upt.toml");
    fs_err::write(&file, "method = \"upt\"\n").unwrap();
    assert_eq!(load(None, Some(&file), &[]).unwrap(), visual);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_key() {
    let (message, hint) = complaint("seed = 1\n\n[train]\nepoch = 5\n");
    assert_eq!(message, "run.toml:4:1: unknown key `epoch`");
    assert_eq!(hint, "did you mean `epochs`?");
    let (message, hint) = complaint("epochs = 5\n");
    assert_eq!(message, "run.toml:1:1: unknown key `epochs`");
    assert_eq!(hint, "did you mean `train.epochs`?");
    let (message, hint) = complaint("[trian]\nlr = 1\n");
    assert_eq!(message, "run.toml:1:2: unknown key `trian`");
    assert_eq!(hint, "did you mean `train`?");
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_line() {
    let (message, _) = complaint("[train]\nbatch_size = \"many\"\n");
    assert!(
        message.starts_with("run.toml:2:14: invalid type: string \"many\""),
        "{message}"
    );
    let (message, hint) = complaint("[train]\noptimizer = \"sdg\"\n");
    assert!(
        message.starts_with("run.toml:2:13: unknown variant `sdg`"),
        "{message}"
    );
    assert_eq!(hint, "did you mean `sgd`?");
    let (message, _) = complaint("[train]\nepochs = \"some\"\n");
    assert!(message.contains("by-shots"), "{message}");
    let (message, _) = complaint("[few_shot]\nshots = \"some\"\n");
    assert!(message.starts_with("run.toml:2:"), "{message}");
    let (message, _) = complaint("seed = \n");
    assert!(message.starts_with("run.toml:1:"), "{message}");
}

#[test]
fn overrides_are_checked_like_files() {
    let fails = |setting: &str| load(None, None, &settings(&[setting])).unwrap_err();
    let error = fails("train.epoch=5");
    assert_eq!(error.to_string(), "setting: unknown key `train.epoch`");
    assert_eq!(error.hint().unwrap(), "did you mean `train.epochs`?");
    assert!(matches!(
        fails("train.epochs"),
        TrainError::BadSetting { .. }
    ));
    let error = fails("train.batch_size=many").to_string();
    assert!(error.starts_with("setting train.batch_size: "), "{error}");
    let error = load(Some("quik"), None, &[]).unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean `quick`?");
}

#[test]
fn an_override_needs_no_quotes_for_text() {
    let over = settings(&[
        "model=ViT-B-16/openai",
        "data.path=2024",
        "coop.init=a photo of a",
        "data.templates=[\"a {}.\", \"the {}.\"]",
        "few_shot.seed=0",
    ]);
    let config = load(None, None, &over).unwrap();
    assert_eq!(config.model, "ViT-B-16/openai");
    assert_eq!(config.data.path, "2024");
    assert_eq!(config.method.options::<CoOpConfig>().init, "a photo of a");
    assert_eq!(config.data.templates.len(), 2);
    assert_eq!(config.few_shot_seed(), 0);
}

#[test]
fn values_that_make_no_sense_are_refused_by_key() {
    for (setting, key) in [
        ("train.lr=0", "train.lr"),
        ("train.lr=nan", "train.lr"),
        ("train.epochs=0", "train.epochs"),
        ("train.batch_size=0", "train.batch_size"),
        ("train.momentum=1", "train.momentum"),
        ("train.warmup_epochs=50", "train.warmup_epochs"),
        ("train.schedule=steps", "train.milestones"),
        ("views.scale=[0.5, 0.1]", "views.scale"),
        ("few_shot.shots=0", "few_shot.shots"),
        ("train.lr_min=1", "train.lr_min"),
        ("train.lr_min=-1e-6", "train.lr_min"),
        ("train.steps=0", "train.steps"),
        ("train.steps_per_shot=0", "train.steps_per_shot"),
    ] {
        let error = load(None, None, &settings(&[setting])).unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with(key) || message.contains("shots"),
            "{setting}: {message}"
        );
    }
}

#[test]
fn the_first_difference_of_two_configurations_is_named() {
    let config = load(None, None, &[]).unwrap();
    let mut other = config.clone();
    other.compute.threads = 3;
    other.compute.checkpoint_seconds = 0;
    assert_eq!(config.difference(&other), None);
    other.few_shot.seed = Some(4);
    let expected = (
        "few_shot.seed".to_owned(),
        "nothing".to_owned(),
        "4".to_owned(),
    );
    assert_eq!(config.difference(&other), Some(expected));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = load(None, Some(Path::new(env!("CARGO_MANIFEST_DIR"))), &[]).unwrap_err();
    assert!(folder.to_string().contains("no pipe or folder"), "{folder}");
    let error = load(None, Some(Path::new("absent.toml")), &[]).unwrap_err();
    assert!(error.to_string().contains("absent.toml"), "{error}");
}

#[test]
fn every_key_can_be_set() {
    for key in all_keys() {
        let table = toml::Table::try_from(RunConfig::default()).unwrap();
        let value = match key.split_once('.') {
            Some((section, name)) => table[section].get(name).cloned(),
            None => table.get(&key).cloned(),
        };
        if let Some(value) = value
            && key != "data.path"
        {
            load(None, None, &[format!("{key}={value}")]).unwrap();
        }
    }
}
