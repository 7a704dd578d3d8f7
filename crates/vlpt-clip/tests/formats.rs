//! One model in every file format loads to one and the same model.
//!
//! `golden/make_formats.py` makes the files.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod support;

use support::{Folder, load_error};
use vlpt_clip::{Activation, Clip, Interpolation, ModelFiles, ResizeMode};

const SAME: [&str; 7] = [
    "hf",
    "hf-sharded",
    "hf-bf16",
    "hf-bin",
    "open-clip",
    "open-clip-bin",
    "openai",
];

#[test]
fn every_format_gives_the_same_model() {
    let models: Vec<Clip> = SAME
        .iter()
        .map(|format| Folder::golden(format).load().unwrap())
        .collect();
    for (clip, format) in models.iter().zip(SAME) {
        assert_eq!(clip.config, models[0].config, "{format}");
        assert_eq!(clip.fingerprint, models[0].fingerprint, "{format}");
        assert_eq!(clip.preprocess, models[0].preprocess, "{format}");
        assert_eq!(
            clip.report.parameters,
            models[0].config.parameters(),
            "{format}"
        );
        assert_eq!(clip.config.vision.heads, 3, "{format}");
        assert!((clip.logit_scale - 2.625f32.exp()).abs() < 1e-5, "{format}");
        assert_eq!(clip.tokenizer.bpe("cat"), [53], "{format}");
    }
}

#[test]
fn known_buffers_are_reported_and_nothing_else_is_skipped() {
    let ignored = |format| Folder::golden(format).load().unwrap().report.ignored;
    assert_eq!(ignored("hf"), [""; 0]);
    assert_eq!(ignored("hf-bin"), ["text_model.embeddings.position_ids"]);
    assert_eq!(
        ignored("openai"),
        ["context_length", "input_resolution", "vocab_size"]
    );
}

#[test]
fn a_sharded_model_names_all_its_files() {
    let report = Folder::golden("hf-sharded").load().unwrap().report;
    assert_eq!(report.files.len(), 2);
    assert!(report.files[1].ends_with("model-00002-of-00002.safetensors"));
}

#[test]
fn an_openai_archive_alone_shows_its_sizes_and_has_quick_gelu() {
    let clip = Folder::golden("openai-64").load().unwrap();
    assert_eq!((clip.config.text.heads, clip.config.vision.heads), (1, 1));
    assert_eq!(
        (clip.config.vision.image_size, clip.config.vision.patch_size),
        (8, 4)
    );
    assert_eq!(
        (clip.config.text.context_length, clip.config.embed_dim),
        (9, 6)
    );
    assert_eq!(clip.config.text.activation, Activation::QuickGelu);
    assert_eq!(clip.config.text.eot_token, 55);
    assert!(
        clip.report
            .notes
            .iter()
            .any(|note| note.contains("sizes read off the tensors"))
    );
}

#[test]
fn a_state_dict_alone_does_not_say_its_activation() {
    let folder = Folder::golden("openai-64");
    folder.copy_as("open-clip-bin/open_clip_pytorch_model.bin", "model.pt");
    assert_eq!(
        load_error(&folder),
        "model.pt: the activation is not known: a state dict without a configuration beside it\n\
         hint: end the model's name in ?activation=quick_gelu (OpenAI's weights) or ?activation=gelu (most others)"
    );
    // stated, the next unknown is the number of heads
    let files = folder.files().with_activation(Activation::Gelu);
    let error = Clip::load(&files).unwrap_err();
    assert!(
        error.to_string().contains("the number of heads is unknown"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("open_clip_config.json"));
}

#[test]
fn a_stated_activation_that_contradicts_the_files_is_an_error() {
    let folder = Folder::golden("hf");
    let error = Clip::load(&folder.files().with_activation(Activation::QuickGelu)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the activation is gelu, but quick_gelu is asked for"),
        "{error}"
    );
    assert!(Clip::load(&folder.files().with_activation(Activation::Gelu)).is_ok());
}

#[test]
fn a_named_weight_file_is_taken_with_the_configuration_beside_it() {
    let folder = Folder::golden("hf");
    folder.copy_as("hf/model.safetensors", "best.safetensors");
    folder.remove("model.safetensors");
    let mut files = folder.files();
    files.weights = Some("best.safetensors".to_owned());
    let clip = Clip::load(&files).unwrap();
    assert!(clip.report.files[0].ends_with("best.safetensors"));
}

#[test]
fn a_folder_with_two_unknown_weight_files_asks_which() {
    let folder = Folder::golden("openai-64");
    folder.copy_as("openai/model.pt", "other.pt");
    let text = load_error(&folder);
    assert!(
        text.contains("which of model.pt, other.pt is the model"),
        "{text}"
    );
}

#[test]
fn the_vocabulary_is_also_read_from_tokenizer_json() {
    let folder = Folder::golden("hf");
    let vocab: serde_json::Value = serde_json::from_str(&folder.text("vocab.json")).unwrap();
    for merges in [
        serde_json::json!(["a t</w>", "c at</w>"]),
        serde_json::json!([["a", "t</w>"], ["c", "at</w>"]]),
    ] {
        let model = serde_json::json!({"type": "BPE", "vocab": vocab, "merges": merges});
        folder.write(
            "tokenizer.json",
            serde_json::json!({ "model": model }).to_string(),
        );
        folder.remove("merges.txt");
        assert_eq!(folder.load().unwrap().tokenizer.bpe("cat"), [53]);
    }
    folder.write("tokenizer.json", r#"{"model": {"type": "Unigram"}}"#);
    assert!(load_error(&folder).contains("tokenizer model \"Unigram\" is not supported"));
}

#[test]
fn without_its_own_vocabulary_a_model_must_have_openais_size() {
    let folder = Folder::golden("hf");
    folder.remove("vocab.json");
    let text = load_error(&folder);
    assert!(
        text.contains("no vocab.json with merges.txt, and no tokenizer.json"),
        "{text}"
    );
    assert!(text.contains("56 token embeddings"), "{text}");
}

#[test]
fn the_legacy_end_of_text_id_is_corrected_and_told() {
    let folder = Folder::golden("hf");
    folder.edit("config.json", |config| {
        config["text_config"]["eos_token_id"] = 2.into();
    });
    let clip = folder.load().unwrap();
    assert_eq!(clip.config.text.eot_token, 55);
    assert!(clip.report.notes[0].contains("eos_token_id is 2, a known mistake"));
}

#[test]
fn files_of_transformers_may_leave_out_the_formats_defaults() {
    let folder = Folder::golden("hf");
    folder.edit("config.json", |config| {
        for side in ["text_config", "vision_config"] {
            config[side].as_object_mut().unwrap().remove("hidden_act");
        }
    });
    let text = load_error(&folder);
    assert!(text.contains("text_config.hidden_act is absent"), "{text}");
    assert!(text.contains("?activation=gelu"), "{text}");

    folder.edit("config.json", |config| {
        config["transformers_version"] = "4.40.0".into();
    });
    let clip = folder.load().unwrap();
    assert_eq!(clip.config.vision.activation, Activation::QuickGelu);
    assert!(
        clip.report
            .notes
            .iter()
            .any(|note| note.contains("default quick_gelu taken"))
    );
}

#[test]
fn an_open_clip_name_decides_where_its_file_is_silent() {
    let folder = Folder::golden("open-clip");
    folder.edit("open_clip_config.json", |config| {
        config["model_cfg"]
            .as_object_mut()
            .unwrap()
            .remove("quick_gelu");
    });
    let activation = |name: &str| {
        let files = ModelFiles::folder(name, folder.path()).unwrap();
        Clip::load(&files).unwrap().config.text.activation
    };
    assert_eq!(activation("ViT-B-32/laion2b_s34b_b79k"), Activation::Gelu);
    assert_eq!(
        activation("ViT-B-32-quickgelu/metaclip_400m"),
        Activation::QuickGelu
    );
    assert_eq!(activation("ViT-B-32/openai"), Activation::QuickGelu);
}

#[test]
fn every_spelling_of_the_preprocessor_is_understood() {
    let folder = Folder::golden("hf");
    let read = |text: &str| {
        folder.write("preprocessor_config.json", text);
        folder.load().map(|clip| clip.preprocess)
    };
    let shortest = [
        r#"{"size": 16, "crop_size": 16}"#,
        r#"{"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}"#,
        r#"{"size": {"shortest_edge": 16}, "do_center_crop": true, "resample": 3}"#,
        "{}",
    ];
    for text in shortest {
        let read = read(text).unwrap();
        assert_eq!(
            (read.resize, read.image_size),
            (ResizeMode::Shortest, 16),
            "{text}"
        );
        assert_eq!(read.interpolation, Interpolation::Bicubic, "{text}");
    }
    let squash = [
        r#"{"size": 16, "do_center_crop": false}"#,
        r#"{"size": {"height": 16, "width": 16}}"#,
        r#"{"size": {"height": 16, "width": 16}, "do_center_crop": false}"#,
    ];
    for text in squash {
        assert_eq!(read(text).unwrap().resize, ResizeMode::Squash, "{text}");
    }
    assert_eq!(
        read(r#"{"size": {"longest_edge": 16}}"#).unwrap().resize,
        ResizeMode::Longest
    );
    let bilinear = read(r#"{"resample": 2, "image_mean": [0, 0, 0], "image_std": 0.5}"#).unwrap();
    assert_eq!(bilinear.interpolation, Interpolation::Bilinear);
    assert_eq!((bilinear.mean, bilinear.std), ([0.0; 3], [0.5; 3]));

    let refused = [
        (r#"{"resample": 1}"#, "resample = 1 is not supported"),
        (
            r#"{"do_resize": false}"#,
            "do_resize = false is not supported",
        ),
        (
            r#"{"size": 20, "crop_size": 16}"#,
            "resize to 20 and crop to 16 is not supported",
        ),
        (
            r#"{"size": 32}"#,
            "images of side 32, the image tower takes 16",
        ),
        (
            r#"{"image_mean": [1, 2]}"#,
            "image_mean is [1,2], expected three numbers",
        ),
        (
            r#"{"image_mean": 1e39}"#,
            "image_mean is 1e+39, expected three numbers",
        ),
        (
            r#"{"image_std": [0.5, 0, 0.5]}"#,
            "image_std is [0.5,0,0.5], expected three numbers above 0",
        ),
        (
            r#"{"image_std": 1e-50}"#,
            "image_std is 1e-50, expected three numbers above 0",
        ),
    ];
    for (text, message) in refused {
        let error = read(text).unwrap_err().to_string();
        assert!(error.ends_with(message), "{error}");
    }
}

/// A `processor_config.json` as newer versions of transformers write it, with `change` on top of the
/// image processor.
fn processor(change: &serde_json::Value) -> String {
    let mut image = serde_json::json!({
        "crop_size": {"height": 16, "width": 16}, "do_center_crop": true, "do_convert_rgb": true,
        "do_normalize": true, "do_rescale": true, "do_resize": true, "resample": 2,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
        "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 16},
        "image_processor_type": "CLIPImageProcessorFast", "data_format": "channels_first",
        "device": null, "default_to_square": false,
    });
    for (key, value) in change.as_object().unwrap() {
        image[key] = value.clone();
    }
    serde_json::json!({
        "image_processor": image, "processor_class": "CLIPProcessor",
        "video_processor": {"size": 7}, "tokenizer": {"model_max_length": 77},
    })
    .to_string()
}

#[test]
fn a_processor_config_is_read_where_it_stands_alone_and_wins_over_the_older_file() {
    let folder = Folder::golden("hf");
    fs_err::remove_file(folder.path().join("preprocessor_config.json")).ok();
    folder.write("processor_config.json", processor(&serde_json::json!({})));
    let clip = folder.load().unwrap();
    let check = |clip: &Clip| {
        let read = &clip.preprocess;
        assert_eq!((read.mean, read.std), ([0.5; 3], [0.5; 3]));
        assert_eq!(
            (read.resize, read.interpolation),
            (ResizeMode::Shortest, Interpolation::Bilinear)
        );
    };
    let told = |clip: &Clip, text: &str| clip.report.notes.iter().any(|n| n.contains(text));
    check(&clip);
    assert!(!told(&clip, "preprocess"), "{:?}", clip.report.notes);

    // both: the nested one counts, and a difference is told
    folder.write("preprocessor_config.json", "{}");
    let clip = folder.load().unwrap();
    check(&clip);
    assert!(told(&clip, "the first is taken"), "{:?}", clip.report.notes);
    let same = r#"{"resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#;
    folder.write("preprocessor_config.json", same);
    assert!(!told(&folder.load().unwrap(), "differ"));

    // a processor file that says nothing of images: the older file counts
    for text in [
        r#"{"processor_class": "CLIPProcessor"}"#,
        r#"{"image_processor": null}"#,
    ] {
        folder.write("processor_config.json", text);
        check(&folder.load().unwrap());
    }
}

#[test]
fn a_processor_config_is_used_to_its_last_value_or_refused() {
    let folder = Folder::golden("hf");
    let read = |change: serde_json::Value| {
        folder.write("processor_config.json", processor(&change));
        folder.load().map(|clip| clip.preprocess)
    };
    let exact = read(serde_json::json!({"size": 16, "default_to_square": true})).unwrap();
    assert_eq!(exact.resize, ResizeMode::Squash);
    let bicubic = read(serde_json::json!({"resample": "BICUBIC"})).unwrap();
    assert_eq!(bicubic.interpolation, Interpolation::Bicubic);
    let other = serde_json::json!({"image_processor_type": "ViTImageProcessor"});
    assert_eq!(read(other).unwrap().mean, [0.5; 3]);
    for (change, message) in [
        (
            serde_json::json!({"resample": 1}),
            "the filter lanczos, resample = 1",
        ),
        (
            serde_json::json!({"resample": 0}),
            "the filter nearest, resample = 0",
        ),
        (serde_json::json!({"resample": 9}), "resample = 9"),
        (serde_json::json!({"resample": -1}), "resample is -1"),
        (
            serde_json::json!({"do_normalize": false}),
            "do_normalize = false",
        ),
        (
            serde_json::json!({"rescale_factor": 1.0}),
            "rescale_factor = 1",
        ),
        (
            serde_json::json!({"do_convert_rgb": false}),
            "image_processor.do_convert_rgb = false",
        ),
        (
            serde_json::json!({"do_pad": true}),
            "image_processor.do_pad = true",
        ),
        (
            serde_json::json!({"crop_pct": 0.9}),
            "image_processor.crop_pct = 0.9",
        ),
        (
            serde_json::json!({"size": {"shortest_edge": 32}}),
            "resize to 32 and crop to 16",
        ),
        (
            serde_json::json!({"image_mean": [0.5]}),
            "image_processor.image_mean is [0.5]",
        ),
        (
            serde_json::json!({"image_processor_type": "ViTImageProcessor", "do_center_crop": null}),
            "\"ViTImageProcessor\" without image_processor.do_center_crop",
        ),
    ] {
        let error = read(change).unwrap_err().to_string();
        assert!(error.contains(message), "{error}, expected {message}");
        assert!(error.contains("processor_config.json: "), "{error}");
    }
    folder.write("processor_config.json", r#"{"image_processor": [1]}"#);
    let error = folder.load().unwrap_err().to_string();
    assert!(
        error.contains("image_processor is [1], expected an object"),
        "{error}"
    );
}

#[test]
fn the_preprocessing_of_open_clip_is_read() {
    let folder = Folder::golden("open-clip");
    folder.edit("open_clip_config.json", |config| {
        config["preprocess_cfg"] = serde_json::json!({
            "size": [16, 16], "mode": "RGB", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
            "interpolation": "bilinear", "resize_mode": "longest", "fill_color": 127,
        });
    });
    let read = folder.load().unwrap().preprocess;
    assert_eq!(
        (read.resize, read.interpolation),
        (ResizeMode::Longest, Interpolation::Bilinear)
    );
    assert_eq!((read.mean, read.fill), ([0.5; 3], 127));
}
