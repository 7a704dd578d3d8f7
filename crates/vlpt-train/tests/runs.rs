//! A run's folder has the same bytes however often the run was interrupted, and whatever the
//! number of threads.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use support::{
    Watch, assert_same_tree, copy, options, short_config, synthetic_data, tiny_clip, tiny_clip_as,
    tree, with_epochs,
};
use vlpt_adapter::{PrecisionSetting, PromptFolder};
use vlpt_clip::{Clip, Precision};
use vlpt_methods::{CoOpConfig, MethodConfig, VptConfig, method as spec};
use vlpt_train::{
    Event, OptimizerName, Run, RunConfig, ScheduleBy, Select, TrainError, Views, Warmup,
    read_events, read_resolved,
};

/// The method of that name with its built-in options.
fn tuned(name: &str) -> MethodConfig {
    MethodConfig::new(spec(name).unwrap())
}

/// Runs without interruption, then resumes from the copy of every checkpoint.
fn resumes_from_every_checkpoint(config: &RunConfig) {
    resumes_on(&tiny_clip(), config);
}

fn resumes_on(clip: &Clip, config: &RunConfig) {
    let home = tempfile::tempdir().unwrap();
    let data = synthetic_data(config);
    let whole = home.path().join("whole");
    let watch = Watch {
        snapshots: Some((whole.clone(), home.path().join("at"))),
        ..Watch::default()
    };
    Run::start_with(config, &options(&whole), clip, &data, &watch).unwrap();
    let taken = *watch.taken.lock().unwrap();
    assert!(taken > config.epochs(), "only {taken} checkpoints");
    for number in 0..taken {
        let dir = home.path().join("at").join(format!("{number:03}"));
        // A killed process may have written on after its checkpoint.
        let log = dir.join("events.jsonl");
        let mut text = fs_err::read(&log).unwrap();
        text.extend(b"{\"event\":\"epoch\",\"ep");
        fs_err::write(&log, text).unwrap();
        let finished = number + 1 == taken;
        let summary = Run::resume_with(Some(config), &options(&dir), clip, &data, &()).unwrap();
        assert_eq!(summary.already_finished, finished);
        if !finished {
            assert_same_tree(&dir, &whole, &format!("resumed at checkpoint {number}"));
        }
    }
}

#[test]
fn a_run_resumed_at_any_checkpoint_ends_with_the_same_bytes() {
    resumes_from_every_checkpoint(&short_config());
}

#[test]
fn so_does_one_in_bf16_with_visual_prompts() {
    let mut config = with_epochs(2);
    config.method = tuned("vlpt");
    config.method.options_mut::<VptConfig>().count = 2;
    resumes_on(&tiny_clip_as(Precision::Bf16), &config);
}

#[test]
fn so_does_one_with_adamw_best_epoch_and_a_bank_of_views() {
    let mut config = short_config();
    config.train.optimizer = OptimizerName::AdamW;
    config.train.select = Select::BestVal;
    config.views.mode = Views::Cached;
    config.views.count = 2;
    resumes_from_every_checkpoint(&config);
}

#[test]
fn so_does_one_with_fresh_views_and_class_specific_context() {
    let mut config = with_epochs(2);
    config.method.options_mut::<CoOpConfig>().class_specific = true;
    config.views.mode = Views::Online;
    resumes_from_every_checkpoint(&config);
}

/// Steps of 8 images out of 12, in epochs that the two stages cut short.
fn two_stages(views: Views) -> RunConfig {
    let mut config = short_config();
    config.method = tuned("2sfs");
    config.train.optimizer = OptimizerName::AdamW;
    config.train.batch_size = 8;
    config.train.drop_last = false;
    config.train.steps = Some(8);
    config.train.schedule_by = ScheduleBy::Step;
    config.train.lr_min = 1e-4;
    config.views.mode = views;
    config.views.count = 2;
    config
}

#[test]
fn so_does_one_of_two_stages_whatever_the_views() {
    for views in [Views::None, Views::Cached, Views::Online] {
        resumes_from_every_checkpoint(&two_stages(views));
    }
}

#[test]
fn stages_have_epochs_and_rates_of_their_own_and_the_last_one_chooses() {
    let home = tempfile::tempdir().unwrap();
    let mut config = two_stages(Views::Online);
    config.train.select = Select::BestVal;
    config.train.warmup = Warmup::None;
    let data = synthetic_data(&config);
    let dir = home.path().join("run");
    let watch = Watch::default();
    Run::start_with(&config, &options(&dir), &tiny_clip(), &data, &watch).unwrap();
    let per_epoch = data.train.samples.len().div_ceil(8);
    let steps = watch.steps.lock().unwrap();
    assert_eq!(steps.len(), 8);
    // int(0.6 * 8) steps, then the rest
    let (first, second) = steps.split_at(4);
    assert_eq!(
        (first[0].lr, second[0].lr),
        (config.train.lr, config.train.lr)
    );
    assert!(first[3].lr < first[0].lr && second[3].lr < second[0].lr);
    assert_eq!(
        (second[0].epoch, second[0].step),
        (4_usize.div_ceil(per_epoch), 0)
    );
    let phases = watch.phases.lock().unwrap();
    assert!(
        phases.iter().any(|phase| phase == "training, stage 2 of 2"),
        "{phases:?}"
    );
    for event in watch.events.lock().unwrap().iter() {
        if let Event::Epoch(epoch) = event {
            assert_eq!(
                epoch.val.is_some(),
                epoch.epoch > second[0].epoch,
                "{epoch:?}"
            );
        }
    }
}

#[test]
fn a_run_of_steps_ends_where_they_end_and_becomes_no_longer() {
    let home = tempfile::tempdir().unwrap();
    let mut config = short_config();
    config.train.steps = Some(5);
    let (clip, data, dir) = (
        tiny_clip(),
        synthetic_data(&config),
        home.path().join("run"),
    );
    let watch = Watch::default();
    Run::start_with(&config, &options(&dir), &clip, &data, &watch).unwrap();
    assert_eq!(watch.steps.lock().unwrap().len(), 5);
    let again = Run::resume_with(None, &options(&dir), &clip, &data, &()).unwrap();
    assert!(again.already_finished);
    let mut longer = config.clone();
    longer.train.steps = Some(6);
    let error = Run::resume_with(Some(&longer), &options(&dir), &clip, &data, &()).unwrap_err();
    assert!(
        error.to_string().contains("train.steps = 5, now it is 6"),
        "{error}"
    );
}

#[test]
fn too_few_epochs_for_the_stages_are_refused_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let mut config = with_epochs(1);
    config.method = tuned("2sfs");
    let dir = home.path().join("run");
    let data = synthetic_data(&config);
    let error = Run::start_with(&config, &options(&dir), &tiny_clip(), &data, &()).unwrap_err();
    assert!(
        error.to_string().contains("too few for the 2 stages"),
        "{error}"
    );
    assert!(!dir.exists());
}

#[test]
fn a_run_that_was_killed_before_its_first_checkpoint_starts_again() {
    let home = tempfile::tempdir().unwrap();
    let config = short_config();
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let whole = home.path().join("whole");
    Run::start_with(&config, &options(&whole), &clip, &data, &()).unwrap();
    let cut = home.path().join("cut");
    copy(&whole, &cut);
    fs_err::remove_dir_all(cut.join("checkpoint")).unwrap();
    fs_err::remove_dir_all(cut.join("prompt")).unwrap();
    fs_err::create_dir(cut.join("prompt.new")).unwrap();
    fs_err::write(cut.join("prompt.new").join("half"), "half").unwrap();
    Run::resume_with(None, &options(&cut), &clip, &data, &()).unwrap();
    assert_same_tree(&cut, &whole, "started again");
}

#[test]
fn a_run_stops_on_request_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let mut config = short_config();
    config.compute.checkpoint_seconds = 3600;
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let (whole, cut) = (home.path().join("whole"), home.path().join("cut"));
    Run::start_with(&config, &options(&whole), &clip, &data, &()).unwrap();
    let watch = Watch {
        stop_after: Some(4),
        ..Watch::default()
    };
    let error = Run::start_with(&config, &options(&cut), &clip, &data, &watch).unwrap_err();
    assert!(matches!(error, TrainError::Stopped { .. }), "{error}");
    assert_eq!(watch.steps.lock().unwrap().len(), 4);
    assert!(!cut.join("prompt").exists());
    Run::resume_with(None, &options(&cut), &clip, &data, &()).unwrap();
    assert_same_tree(&cut, &whole, "stopped and resumed");
}

#[test]
fn the_number_of_threads_does_not_change_a_byte_of_the_prompt() {
    let mut context = short_config();
    context.views.mode = Views::Online;
    for (precision, config) in [
        (Precision::F32, context.clone()),
        (Precision::Bf16, context),
        (Precision::F32, two_stages(Views::Cached)),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut config = config;
        let (clip, data) = (tiny_clip_as(precision), synthetic_data(&config));
        for threads in [1, 2, 5] {
            config.compute.threads = threads;
            let dir = home.path().join(threads.to_string());
            Run::start_with(&config, &options(&dir), &clip, &data, &()).unwrap();
            for part in ["prompt", "checkpoint"] {
                let one = home.path().join("1").join(part);
                let what = format!("{precision}, {threads} threads, {part}");
                assert_same_tree(&dir.join(part), &one, &what);
            }
        }
    }
}

#[test]
fn a_run_writes_down_its_number_format_and_goes_on_in_no_other() {
    let home = tempfile::tempdir().unwrap();
    let open = with_epochs(1);
    assert_eq!(open.compute.precision, PrecisionSetting::Auto);
    let data = synthetic_data(&open);
    for (precision, other) in [
        (Precision::F32, Precision::Bf16),
        (Precision::Bf16, Precision::F32),
    ] {
        let dir = home.path().join(precision.to_string());
        let (clip, named) = (tiny_clip_as(precision), |precision: Precision| {
            let mut config = open.clone();
            config.compute.precision = precision.into();
            config
        });
        Run::start_with(&open, &options(&dir), &clip, &data, &()).unwrap();
        let written = read_resolved(&dir.join("config.toml")).unwrap();
        assert_eq!(written, named(precision));
        let folder = PromptFolder::open(&dir).unwrap();
        assert_eq!(folder.adapter.precision, Some(precision));
        assert_eq!(Run::precision(&open, [dir.clone()]).unwrap(), precision);
        assert_eq!(Run::precision(&named(other), [dir.clone()]).unwrap(), other);

        for given in [&open, &named(precision)] {
            Run::resume_with(Some(given), &options(&dir), &clip, &data, &()).unwrap();
            assert_eq!(read_resolved(&dir.join("config.toml")).unwrap(), written);
        }
        let wrong = named(other);
        let error = Run::resume_with(Some(&wrong), &options(&dir), &clip, &data, &()).unwrap_err();
        assert!(
            matches!(&error, TrainError::ConfigChanged { key, .. } if key == "compute.precision"),
            "{error}"
        );
        let unlike = tiny_clip_as(other);
        let error = Run::resume_with(None, &options(&dir), &unlike, &data, &()).unwrap_err();
        let hint = error.hint().unwrap();
        assert!(hint.contains(&format!("--precision {precision}")), "{hint}");
    }
}

#[test]
fn seeds_give_different_prompts_and_zero_is_one() {
    let home = tempfile::tempdir().unwrap();
    let clip = tiny_clip();
    let prompt = |seed: u64, name: &str| {
        let mut config = with_epochs(1);
        config.seed = seed;
        let dir = home.path().join(name);
        Run::start_with(
            &config,
            &options(&dir),
            &clip,
            &synthetic_data(&config),
            &(),
        )
        .unwrap();
        tree(&dir.join("prompt"))
    };
    assert!(prompt(0, "a") == prompt(0, "b"));
    assert!(prompt(0, "c") != prompt(1, "d"));
}

#[test]
fn other_settings_data_or_models_are_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let config = short_config();
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let dir = home.path().join("run");
    let watch = Watch {
        stop_after: Some(1),
        ..Watch::default()
    };
    let stopped = Run::start_with(&config, &options(&dir), &clip, &data, &watch);
    assert!(matches!(stopped, Err(TrainError::Stopped { .. })));

    let mut other = config.clone();
    other.train.lr = 0.5;
    let error = Run::resume_with(Some(&other), &options(&dir), &clip, &data, &()).unwrap_err();
    assert!(
        matches!(&error, TrainError::ConfigChanged { key, .. } if key == "train.lr"),
        "{error}"
    );
    let error = Run::start_with(&config, &options(&dir), &clip, &data, &()).unwrap_err();
    assert!(matches!(error, TrainError::RunExists { .. }));

    let mut other = data.clone();
    other.train.samples[0] = data.train.samples[1].clone();
    let error = Run::resume_with(None, &options(&dir), &clip, &other, &()).unwrap_err();
    assert!(
        matches!(error, TrainError::InputChanged { what: "data", .. }),
        "{error}"
    );

    let model = vlpt_clip::Clip::random(&clip.config, 6);
    let error = Run::resume_with(None, &options(&dir), &model, &data, &()).unwrap_err();
    assert!(
        matches!(error, TrainError::InputChanged { what: "model", .. }),
        "{error}"
    );

    let mut threads = config.clone();
    threads.compute.threads = 1;
    Run::resume_with(Some(&threads), &options(&dir), &clip, &data, &()).unwrap();
}

#[test]
fn two_processes_cannot_work_in_one_folder() {
    let home = tempfile::tempdir().unwrap();
    let config = short_config();
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let dir = home.path().join("run");
    fs_err::create_dir(&dir).unwrap();
    let file = std::fs::File::create(dir.join("run.lock")).unwrap();
    file.lock().unwrap();
    let error = Run::start_with(&config, &options(&dir), &clip, &data, &()).unwrap_err();
    assert!(matches!(error, TrainError::Locked { .. }));
    assert!(!dir.join("config.toml").exists());
    drop(file);
    Run::start_with(&config, &options(&dir), &clip, &data, &()).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_or_holds_no_run_is_named() {
    let home = tempfile::tempdir().unwrap();
    let config = short_config();
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    fs_err::write(home.path().join("file"), "x").unwrap();
    let dir = home.path().join("file").join("run");
    let error = Run::start_with(&config, &options(&dir), &clip, &data, &()).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    let absent = home.path().join("absent");
    let error = Run::resume_with(None, &options(&absent), &clip, &data, &()).unwrap_err();
    assert!(matches!(error, TrainError::NoRun { .. }));
}

#[test]
fn a_full_disk_is_an_error_and_the_run_can_go_on() {
    let full = std::path::Path::new("/dev/full");
    if !full.exists() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: there is no /dev/full here\n"),
        );
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let config = short_config();
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let dir = home.path().join("run");
    let watch = Watch {
        stop_after: Some(4),
        ..Watch::default()
    };
    let _ = Run::start_with(&config, &options(&dir), &clip, &data, &watch);
    let kept = home.path().join("kept");
    copy(&dir, &kept);
    let state = dir.join("checkpoint").join("state.safetensors.new");
    std::os::unix::fs::symlink(full, &state).unwrap();
    let error = Run::resume_with(None, &options(&dir), &clip, &data, &()).unwrap_err();
    assert!(
        error.to_string().contains("state.safetensors.new"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("free some space"));
    assert!(
        state.symlink_metadata().is_err(),
        "nothing half-written is left"
    );
    for run in [&dir, &kept] {
        Run::resume_with(None, &options(run), &clip, &data, &()).unwrap();
    }
    assert_same_tree(&dir, &kept, "after the disk was full");
}

#[test]
fn events_tell_the_learning_curve() {
    let home = tempfile::tempdir().unwrap();
    let mut config = short_config();
    config.train.select = Select::BestVal;
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let watch = Watch::default();
    let summary = Run::start_with(&config, &options(home.path()), &clip, &data, &watch).unwrap();
    let events = read_events(&home.path().join("events.jsonl")).unwrap();
    assert_eq!(events, *watch.events.lock().unwrap());
    let curve: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Epoch(end) => Some(end),
            _ => None,
        })
        .collect();
    assert_eq!(
        curve.iter().map(|end| end.epoch).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(curve[0].lr, 1e-5);
    assert_eq!(curve[1].lr, 0.002);
    let best = curve
        .iter()
        .map(|end| end.val.unwrap())
        .fold(f64::MIN, f64::max);
    assert_eq!(summary.val, Some(best));
    let first = curve.iter().find(|end| end.val == Some(best)).unwrap();
    assert_eq!(summary.selected_epoch, first.epoch);
}

#[test]
fn best_validation_without_validation_images_is_refused_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let mut config = short_config();
    config.train.select = Select::BestVal;
    let (clip, mut data) = (tiny_clip(), synthetic_data(&config));
    data.val.samples.clear();
    let dir = home.path().join("run");
    let error = Run::start_with(&config, &options(&dir), &clip, &data, &()).unwrap_err();
    assert!(
        error.to_string().contains("brings no validation images"),
        "{error}"
    );
    assert!(!dir.exists());
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let mut config = short_config();
    config.train.lr = 1e30;
    config.train.warmup_lr = 1e30;
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let result = Run::start_with(&config, &options(home.path()), &clip, &data, &());
    let error = result.unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::Diverged { .. } | TrainError::ParameterDiverged { .. }
        ),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--lr"));
}
