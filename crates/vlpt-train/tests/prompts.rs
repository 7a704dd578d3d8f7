//! What a prompt folder holds, and what is said about one that was changed.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use support::{Watch, options, short_config, synthetic_data, tiny_clip, with_epochs};
use vlpt_adapter::{
    AdapterError, Annotations, Calibration, Classifier, EvalOptions, PredictOptions, Predictor,
    PromptFolder, TensorFile, annotate_prompt, evaluate, preprocess,
};
use vlpt_clip::Clip;
use vlpt_methods::{CoOpConfig, MethodConfig};
use vlpt_train::{Run, RunConfig};

struct Made {
    _home: tempfile::TempDir,
    run: PathBuf,
    clip: Clip,
    config: RunConfig,
}

fn made(change: impl FnOnce(&mut RunConfig)) -> Made {
    let home = tempfile::tempdir().unwrap();
    let mut config = with_epochs(1);
    change(&mut config);
    let clip = tiny_clip();
    let run = home.path().join("run");
    Run::start_with(
        &config,
        &options(&run),
        &clip,
        &synthetic_data(&config),
        &(),
    )
    .unwrap();
    Made {
        _home: home,
        run,
        clip,
        config,
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs_err::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs_err::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_prompt_folder_predicts_without_the_text_tower() {
    let made = made(|_| {});
    let folder = PromptFolder::open(&made.run).unwrap();
    assert_eq!(folder.report.used, ["ctx"]);
    let stored = folder.classifier(&made.clip).unwrap();
    let stored_features = stored.text_features().unwrap();
    // The same classifier comes out of the parameters and the text tower.
    let texts = folder.method(&made.clip).unwrap();
    let slots = texts.texts(&made.clip.tokenizer, &folder.classes).unwrap();
    let adaptation = texts.adapt(&vlpt_methods::Pass::EVAL).unwrap();
    let values = adaptation.text.values().unwrap();
    let updates = values.updates();
    let adaptation = values.for_tower(&updates);
    let features = made.clip.text.features(&slots, &adaptation);
    for (i, row) in features.chunks_exact(stored.embed).enumerate() {
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        for (j, value) in row.iter().enumerate() {
            assert!((value / length - stored_features[i * stored.embed + j]).abs() < 1e-5);
        }
    }
    let data = synthetic_data(&made.config);
    let images: Vec<_> = data.task.test.samples[..3]
        .iter()
        .map(|item| (item.image.id(), item.image.read().unwrap()))
        .chain([("broken.png".to_owned(), b"no image".to_vec())])
        .collect();
    let predictor =
        Predictor::of(&folder, Arc::new(tiny_clip()), &PredictOptions::default()).unwrap();
    let rows = predictor.predict(&images).unwrap();
    for row in &rows[..3] {
        let sum: f32 = row.as_ref().unwrap().iter().sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
    let error = rows[3].as_ref().unwrap_err().to_string();
    assert!(error.contains("broken.png"), "{error}");
}

#[test]
fn a_unified_context_works_with_other_class_names_and_a_specific_one_does_not() {
    let other = vec!["cat".to_owned(), "dog".to_owned()];
    let made = made(|_| {});
    let folder = PromptFolder::open(&made.run.join("prompt")).unwrap();
    let classifier = folder.classifier_for(&made.clip, &other).unwrap();
    assert_eq!(classifier.classes, other);
    assert_eq!(
        classifier.text_features().unwrap().len(),
        2 * classifier.embed
    );

    let made = self::made(|config| config.method.options_mut::<CoOpConfig>().class_specific = true);
    let folder = PromptFolder::open(&made.run).unwrap();
    let error = folder.classifier_for(&made.clip, &other).unwrap_err();
    assert!(error.hint().unwrap().contains("class_specific"), "{error}");
}

#[test]
fn tuned_features_stand_for_their_classes_and_texts_for_all_others() {
    let made = made(|config| {
        config.method = MethodConfig::new(vlpt_methods::method("2sfs").unwrap());
        config.train.epochs = vlpt_train::Epochs::Count(4);
    });
    let folder = PromptFolder::open(&made.run).unwrap();
    let embed = made.clip.config.embed_dim;
    let stored = folder.classifier(&made.clip).unwrap();
    let stored_rows = stored.text_features().unwrap();
    // What is stored are the parameters, of length one, and they are no longer the texts'.
    let tuned = &folder.parameters["class_features"].data;
    let method: Arc<dyn vlpt_methods::Method> = Arc::from(folder.method(&made.clip).unwrap());
    let none = Vec::new();
    let texts = Classifier::of_trained(&made.clip, method, &folder.classes, &none).unwrap();
    let texts = texts.text_features().unwrap();
    let mut moved = 0.0_f32;
    for ((row, own), text) in stored_rows
        .chunks_exact(embed)
        .zip(tuned.chunks_exact(embed))
        .zip(texts.chunks_exact(embed))
    {
        let length = own.iter().map(|v| v * v).sum::<f32>().sqrt();
        for ((row, own), text) in row.iter().zip(own).zip(text) {
            assert!((own / length - row).abs() < 1e-6);
            moved = moved.max((row - text).abs());
        }
    }
    assert!(moved > 1e-5, "{moved}");
    // One list may hold both kinds, in any order.
    let second = folder.classes[1].clone();
    let mixed = vec!["zebra".to_owned(), second.clone(), "lion".to_owned()];
    let found = folder.classifier_for(&made.clip, &mixed).unwrap();
    let found = found.text_features().unwrap();
    let row = |rows: &[f32], i: usize| rows[i * embed..(i + 1) * embed].to_vec();
    assert_eq!(row(found, 1), row(stored_rows, 1));
    let others = vec!["lion".to_owned(), "zebra".to_owned()];
    let others = folder.classifier_for(&made.clip, &others).unwrap();
    let others = others.text_features().unwrap();
    for (a, b) in [(0, 1), (2, 0)] {
        let pairs = row(found, a).into_iter().zip(row(others, b));
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

#[test]
fn a_calibration_is_kept_with_the_prompt_and_holds_for_its_own_classes() {
    let made = made(|_| {});
    let prompt = made.run.join("prompt");
    let before = PromptFolder::open(&prompt).unwrap();
    let calibration = Calibration {
        temperature: 4.0,
        threshold: Some(0.3),
        reject_rate: 0.05,
    };
    let annotations = Annotations {
        calibration: Some(calibration),
        metrics: [("expected".to_owned(), serde_json::json!(0.5))]
            .into_iter()
            .collect(),
        readme: "# mine\n".to_owned(),
    };
    annotate_prompt(&prompt, &annotations).unwrap();
    let after = PromptFolder::open(&prompt).unwrap();
    assert_eq!(after.adapter.calibration, Some(calibration));
    assert_eq!(
        fs_err::read_to_string(prompt.join("README.md")).unwrap(),
        "# mine\n"
    );
    let metrics = fs_err::read_to_string(prompt.join("metrics.json")).unwrap();
    assert!(
        metrics.contains("expected") && metrics.contains("train_loss"),
        "{metrics}"
    );
    let image = vec![0.5; made.clip.config.embed_dim];
    let logits = |folder: &PromptFolder| {
        let classifier = folder.classifier(&made.clip).unwrap();
        classifier.logits(&made.clip, &image).unwrap()
    };
    for (plain, warm) in logits(&before).iter().zip(logits(&after)) {
        assert_eq!(plain / 4.0, warm);
    }
    let clip = Arc::new(tiny_clip());
    let predictor = |classes: Option<Vec<String>>| {
        let options = PredictOptions {
            classes,
            ..PredictOptions::default()
        };
        Predictor::of(&after, Arc::clone(&clip), &options).unwrap()
    };
    assert_eq!(predictor(None).threshold(), Some(0.3));
    let others = vec!["apple".to_owned(), "pear".to_owned()];
    assert_eq!(predictor(Some(others)).threshold(), None);
    // A temperature that no program writes is refused with the place.
    fs_err::remove_file(prompt.join("checksums.sha256")).unwrap();
    edit(
        &prompt.join("adapter_config.json"),
        "\"temperature\": 4.0",
        "\"temperature\": 0.0",
    );
    let error = PromptFolder::open(&prompt).unwrap_err().to_string();
    assert!(
        error.contains("adapter_config.json") && error.contains("above 0"),
        "{error}"
    );
}

#[test]
fn another_model_is_refused_unless_forced() {
    let made = made(|_| {});
    let folder = PromptFolder::open(&made.run).unwrap();
    let other = Arc::new(Clip::random(&made.clip.config, 9));
    let refused = Predictor::of(&folder, other.clone(), &PredictOptions::default());
    assert!(matches!(
        refused.err().unwrap(),
        AdapterError::WrongModel { .. }
    ));
    let forced = PredictOptions {
        force: true,
        ..PredictOptions::default()
    };
    Predictor::of(&folder, other, &forced).unwrap();
}

#[test]
fn tensors_and_files_that_were_changed_are_named() {
    let made = made(|_| {});
    let prompt = made.run.join("prompt");
    let complaint = |file: &str, from: &str, to: &str| {
        let kept = fs_err::read(prompt.join(file)).unwrap();
        edit(&prompt.join(file), from, to);
        let error = PromptFolder::open(&prompt).map(|folder| folder.report);
        fs_err::write(prompt.join(file), kept).unwrap();
        error
    };
    let config = "adapter_config.json";
    let error = complaint(config, "\"ctx\"", "\"other\"")
        .unwrap_err()
        .to_string();
    assert!(error.contains("`other` is missing"), "{error}");
    let error = complaint(config, "      4,\n", "      5,\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("has shape [4, 32]: expected [5, 32]"),
        "{error}"
    );
    let error = complaint(config, "\"seed\"", "\"sede\"")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("adapter_config.json") && error.contains("sede"),
        "{error}"
    );
    let error = complaint(config, "\"format\": 1", "\"format\": 2")
        .unwrap_err()
        .to_string();
    assert!(error.contains("expected format 1"), "{error}");
    let error = complaint("class_names.txt", "\n", "s\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("class_names.txt"), "{error}");
    fs_err::remove_file(prompt.join("classifier.safetensors")).unwrap();
    let error = PromptFolder::open(&prompt).unwrap_err().to_string();
    assert!(error.contains("classifier.safetensors"), "{error}");
}

#[test]
fn numbers_that_would_spoil_every_answer_in_silence_are_refused() {
    let made = made(|_| {});
    let prompt = made.run.join("prompt");
    fs_err::remove_file(prompt.join("checksums.sha256")).unwrap();
    let complaint = || PromptFolder::open(&prompt).unwrap_err().to_string();
    let file = prompt.join("adapter_config.json");
    let good = fs_err::read_to_string(&file).unwrap();
    for (place, value, expected) in [
        ("/preprocess/std", "[0.3, 0.0, 0.3]", "preprocess.std"),
        ("/preprocess/std", "[0.3, 1e39, 0.3]", "preprocess.std"),
        ("/preprocess/std", "[0.3, -0.3, 0.3]", "preprocess.std"),
        ("/preprocess/mean", "[1e39, 0, 0]", "preprocess.mean"),
        ("/classes", "0", "0 classes"),
    ] {
        let mut adapter: serde_json::Value = serde_json::from_str(&good).unwrap();
        *adapter.pointer_mut(place).unwrap() = serde_json::from_str(value).unwrap();
        fs_err::write(&file, adapter.to_string()).unwrap();
        assert!(complaint().contains(expected), "{value}: {}", complaint());
    }
    let mut adapter: serde_json::Value = serde_json::from_str(&good).unwrap();
    adapter["calibration"] = serde_json::json!({ "temperature": 1e-50, "reject_rate": 0.05 });
    fs_err::write(&file, adapter.to_string()).unwrap();
    assert!(
        complaint().contains("a temperature above 0"),
        "{}",
        complaint()
    );
    fs_err::write(&file, good).unwrap();
    let file = prompt.join("adapter_model.safetensors");
    let mut tensors = TensorFile::read(&file).unwrap();
    tensors.tensors.get_mut("ctx").unwrap().data[3] = f32::NAN;
    tensors.write(&file).unwrap();
    let error = complaint();
    assert!(
        error.contains("a value of `ctx` became no number"),
        "{error}"
    );
}

#[test]
fn no_flipped_bit_of_a_prompt_folder_goes_unnoticed_and_older_folders_are_read() {
    let made = made(|_| {});
    let prompt = made.run.join("prompt");
    let mut tried = 0;
    for entry in fs_err::read_dir(&prompt).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        // for people: nothing is made of them
        if ["README.md", "metrics.json"].contains(&name.as_str()) {
            continue;
        }
        let good = fs_err::read(&file).unwrap();
        for bit in (0..good.len() * 8).step_by((good.len() * 8).div_ceil(50) | 1) {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs_err::write(&file, bad).unwrap();
            assert!(PromptFolder::open(&prompt).is_err(), "bit {bit} of {name}");
            tried += 1;
        }
        fs_err::write(&file, good).unwrap();
    }
    assert!(tried > 200, "{tried}");
    assert!(PromptFolder::open(&prompt).is_ok());
    // folders of versions without hashes, and those that were changed on purpose
    fs_err::remove_file(prompt.join("checksums.sha256")).unwrap();
    edit(
        &prompt.join("adapter_config.json"),
        "\"seed\": ",
        "\"seed\": 1",
    );
    assert!(PromptFolder::open(&prompt).is_ok());
}

#[test]
fn an_evaluation_holds_the_metric_its_interval_and_what_is_behind_it() {
    let made = made(|_| {});
    let data = synthetic_data(&made.config);
    let folder = PromptFolder::open(&made.run).unwrap();
    let classifier = folder.classifier(&made.clip).unwrap();
    let pre = preprocess(&made.clip, &made.config.image);
    let options = EvalOptions::default();
    let result = evaluate(&made.clip, &classifier, &data.task, &pre, &options, &()).unwrap();
    let items = &data.task.test.samples;
    assert_eq!(result.images, items.len());
    assert!(result.low <= result.value && result.value <= result.high);
    let right = items
        .iter()
        .zip(&result.predictions)
        .filter(|(item, p)| item.labels == [**p])
        .count();
    assert_eq!(result.value, right as f64 / items.len() as f64);
    let diagonal: u64 = (0..result.classes.len())
        .map(|i| result.confusion[i][i])
        .sum();
    assert_eq!(diagonal, right as u64);
    assert!(result.accuracy_top5.unwrap() >= result.value);
    let json = result.clip_benchmark("tiny", "random");
    assert_eq!(json["task"], "zeroshot_classification");
    assert_eq!(json["metrics"]["acc1"], result.value);
    assert_eq!(
        json["metrics"]["mean_per_class_recall"],
        result.mean_per_class.unwrap()
    );

    let mut other = data.task.clone();
    other.classes[1] = "something else".to_owned();
    let error = evaluate(&made.clip, &classifier, &other, &pre, &options, &()).unwrap_err();
    assert!(error.to_string().contains("something else"), "{error}");
}

#[test]
fn cached_features_are_used_checked_and_computed_again_when_damaged() {
    let home = tempfile::tempdir().unwrap();
    let config = short_config();
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let classifier =
        Classifier::zero_shot(&clip, &data.task.classes, &data.task.templates).unwrap();
    let pre = preprocess(&clip, &config.image);
    let options = EvalOptions {
        cache: Some(home.path().to_owned()),
        ..EvalOptions::default()
    };
    let run =
        |watch: &Watch| evaluate(&clip, &classifier, &data.task, &pre, &options, watch).unwrap();
    let computed = |watch: &Watch| {
        watch
            .phases
            .lock()
            .unwrap()
            .iter()
            .any(|phase| phase == "image features")
    };
    let (first, second, third) = (Watch::default(), Watch::default(), Watch::default());
    let expected = run(&first);
    assert!(computed(&first));
    assert_eq!(run(&second), expected);
    assert!(!computed(&second));

    let folder = home.path().join("features");
    let entry = fs_err::read_dir(&folder).unwrap().next().unwrap().unwrap();
    let mut bytes = fs_err::read(entry.path()).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs_err::write(entry.path(), bytes).unwrap();
    assert_eq!(run(&third), expected);
    assert!(computed(&third));
    let notes = third.notes.lock().unwrap();
    assert!(
        notes[0].contains("has changed since it was written"),
        "{notes:?}"
    );
}

#[test]
fn a_cache_that_cannot_be_written_is_noted_and_no_more() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs_err::write(&file, "x").unwrap();
    let config = with_epochs(1);
    let (clip, data) = (tiny_clip(), synthetic_data(&config));
    let watch = Watch::default();
    let mut options = options(&home.path().join("run"));
    options.cache = Some(file);
    Run::start_with(&config, &options, &clip, &data, &watch).unwrap();
    let notes = watch.notes.lock().unwrap();
    assert!(notes[0].contains("were not kept"), "{notes:?}");
}
