//! A run that starts from another prompt: the values are those, what does not fit is refused, and
//! the other folder is not needed any more.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::{
    Watch, assert_same_tree, options, short_config, synthetic_data, tiny_clip, with_epochs,
};
use vlpt_adapter::PromptFolder;
use vlpt_clip::Clip;
use vlpt_methods::{CoOpConfig, MethodConfig, VptConfig, method as spec};
use vlpt_train::{Event, Layers, Run, RunConfig, TrainError, read_events};

/// The method of that name with its built-in options.
fn tuned(name: &str) -> MethodConfig {
    MethodConfig::new(spec(name).unwrap())
}

/// A prompt tuned on one synthetic task, and a configuration that starts from it on another.
fn source(dir: &Path, clip: &Clip, change: impl Fn(&mut RunConfig)) -> RunConfig {
    let mut config = with_epochs(1);
    change(&mut config);
    Run::start_with(&config, &options(dir), clip, &synthetic_data(&config), &()).unwrap();
    config.init_from = dir.display().to_string();
    "synthetic:stripes".clone_into(&mut config.data.path);
    config.seed = 9;
    config
}

fn values(prompt: &Path) -> Vec<u8> {
    // The metadata tells prompts apart, the tensors are at the end.
    let bytes = fs_err::read(prompt.join("adapter_model.safetensors")).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

#[test]
fn a_run_at_a_learning_rate_of_nothing_ends_with_the_prompt_it_started_from() {
    let clip = tiny_clip();
    for method in ["coop", "vpt", "upt", "cocoop"] {
        let home = tempfile::tempdir().unwrap();
        let first = home.path().join("first");
        let mut config = source(&first, &clip, |config| config.method = tuned(method));
        config.train.warmup_lr = 0.0;
        let dir = home.path().join("second");
        let watch = Watch::default();
        let data = synthetic_data(&config);
        let done = Run::start_with(&config, &options(&dir), &clip, &data, &watch).unwrap();
        assert!(
            values(&done.prompt) == values(&first.join("prompt")),
            "{method}"
        );
        let notes = watch.notes.lock().unwrap();
        assert!(
            notes[0].contains("tuned on shapes with seed 1"),
            "{notes:?}"
        );
        let adapter = PromptFolder::open(&done.prompt).unwrap().adapter;
        let named = adapter.init_from.unwrap();
        assert_eq!((named.task.as_str(), named.seed), ("shapes", 1));
        let events = read_events(&dir.join("events.jsonl")).unwrap();
        let Event::Start(start) = &events[0] else {
            panic!("no start")
        };
        assert_eq!(start.init_from.as_ref(), Some(&named));
    }
}

#[test]
fn features_of_classes_are_made_anew_and_all_else_is_taken_over() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let first = home.path().join("first");
    let mut config = source(&first, &clip, |config| {
        config.method = tuned("2sfs");
        config.train.epochs = vlpt_train::Epochs::Count(2);
        config.few_shot.shots = vlpt_data::Shots::Count(2);
    });
    // each stage is one epoch, at a rate of nothing
    config.train.warmup_lr = 0.0;
    let data = synthetic_data(&config);
    let dir = home.path().join("second");
    Run::start_with(&config, &options(&dir), &clip, &data, &()).unwrap();
    let [before, after] = [&first, &dir].map(|dir| PromptFolder::open(dir).unwrap());
    let classes = after.classes.len();
    assert_ne!(before.classes, after.classes);
    for (name, tensor) in &after.parameters {
        if name == "class_features" {
            assert_eq!(tensor.shape, [classes, clip.config.embed_dim]);
            assert_ne!(*tensor, before.parameters[name]);
        } else {
            assert!(*tensor == before.parameters[name], "{name}");
        }
    }
}

#[test]
fn it_goes_on_without_the_folder_it_started_from() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let first = home.path().join("first");
    let mut config = source(&first, &clip, |_| {});
    config.compute.checkpoint_seconds = 3600;
    let data = synthetic_data(&config);
    let (whole, cut) = (home.path().join("whole"), home.path().join("cut"));
    Run::start_with(&config, &options(&whole), &clip, &data, &()).unwrap();
    let watch = Watch {
        stop_after: Some(2),
        ..Watch::default()
    };
    let stopped = Run::start_with(&config, &options(&cut), &clip, &data, &watch);
    assert!(matches!(stopped, Err(TrainError::Stopped { .. })));
    let killed = home.path().join("killed");
    support::copy(&cut, &killed);
    fs_err::remove_dir_all(killed.join("checkpoint")).unwrap();
    fs_err::remove_dir_all(&first).unwrap();
    for dir in [&cut, &killed] {
        Run::resume_with(Some(&config), &options(dir), &clip, &data, &()).unwrap();
        assert_same_tree(dir, &whole, "resumed");
    }
    let file = killed.join("init.safetensors");
    let mut bytes = fs_err::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs_err::write(&file, bytes).unwrap();
    fs_err::remove_dir_all(killed.join("checkpoint")).unwrap();
    let error = Run::resume_with(None, &options(&killed), &clip, &data, &()).unwrap_err();
    assert!(error.to_string().contains("init.safetensors"), "{error}");
}

#[test]
fn everything_that_does_not_fit_is_listed_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let first = home.path().join("first");
    let config = source(&first, &clip, |_| {});
    let dir = home.path().join("second");
    let refused = |config: &RunConfig, clip: &Clip| {
        let data = synthetic_data(config);
        let error = Run::start_with(config, &options(&dir), clip, &data, &()).unwrap_err();
        assert!(!dir.exists(), "{error}");
        error.to_string()
    };
    let mut longer = config.clone();
    longer.method.options_mut::<CoOpConfig>().context = Some(8);
    let other = Clip::random(&clip.config, 6);
    let said = refused(&longer, &other);
    assert!(
        said.contains("`ctx` has the shape [4, 32]: expected [8, 32]"),
        "{said}"
    );
    assert!(said.contains("it was tuned for the model"), "{said}");
    let mut vpt = config.clone();
    vpt.method = tuned("vpt");
    assert!(refused(&vpt, &clip).contains("it is a prompt of coop"));
    let mut absent = config.clone();
    absent.init_from = home.path().join("absent").display().to_string();
    assert!(refused(&absent, &clip).contains("absent"));
}

#[test]
fn a_class_specific_prompt_starts_only_a_run_on_its_own_classes() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let config = source(&home.path().join("first"), &clip, |config| {
        config.method.options_mut::<CoOpConfig>().class_specific = true;
    });
    let dir = home.path().join("second");
    let data = synthetic_data(&config);
    let error = Run::start_with(&config, &options(&dir), &clip, &data, &()).unwrap_err();
    assert!(error.to_string().contains("class-specific"), "{error}");
    let mut same = config.clone();
    same.data.path = "synthetic:shapes".to_owned();
    Run::start_with(&same, &options(&dir), &clip, &synthetic_data(&same), &()).unwrap();
}

#[test]
fn an_option_that_changes_no_shape_is_noted() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let mut config = source(&home.path().join("first"), &clip, |_| {});
    config.method.options_mut::<CoOpConfig>().position = vlpt_methods::Position::Middle;
    let watch = Watch::default();
    let dir = home.path().join("second");
    Run::start_with(
        &config,
        &options(&dir),
        &clip,
        &synthetic_data(&config),
        &watch,
    )
    .unwrap();
    let notes = watch.notes.lock().unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("its position is \"end\", here it is \"middle\"")),
        "{notes:?}"
    );
}

#[test]
fn settings_can_follow_a_prompt() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    source(home.path(), &clip, |config| {
        config.method = tuned("vpt");
        config.method.options_mut::<VptConfig>().count = 3;
    });
    let adapter = PromptFolder::open(home.path()).unwrap().adapter;
    let overrides = ["train.lr=0.5".to_owned()];
    let followed = Layers {
        follow: Some(&adapter),
        overrides: &overrides,
        ..Layers::default()
    };
    let config = followed.load().unwrap();
    // what a recipe says of methods and their options is not the prompt's
    for recipe in ["quick", "quick-visual", "upt-release"] {
        let named = Layers {
            recipe: Some(recipe),
            ..followed
        };
        assert_eq!(named.load().unwrap().method, config.method, "{recipe}");
    }
    assert_eq!(
        (
            config.method.name(),
            config.method.options::<VptConfig>().count
        ),
        ("vpt", 3)
    );
    assert_eq!((config.model.as_str(), config.train.lr), ("tiny", 0.5));
    assert_eq!(config.seed, short_config().seed);
}
