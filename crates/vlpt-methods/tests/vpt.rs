//! What visual prompts start from, how they reach the image tower, and how their gradients come
//! back.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Objective, classes, images, sizes, tiny, visual_values};
use vlpt_clip::{ClipConfig, PromptRows, PromptToken, TowerAdaptation, VisualPlace};
use vlpt_methods::{
    Depth, Method, MethodConfig, Pass, Place, Vpt, VptConfig, initial_bound, zeroshot,
};

/// CLIP ViT-B/16's sizes, as far as prompts depend on them.
fn b16() -> ClipConfig {
    sizes(512, 768, 12, 16)
}

fn options(count: usize, depth: Depth) -> VptConfig {
    VptConfig {
        count,
        depth,
        ..VptConfig::default()
    }
}

fn training(step: u64) -> Pass<'static> {
    Pass {
        step: Some((1, step)),
        ..Pass::EVAL
    }
}

/// Name and shape of every parameter.
fn shapes(method: &dyn Method) -> Vec<(String, Vec<usize>)> {
    method
        .parameters()
        .iter()
        .map(|p| (p.name().to_owned(), p.shape().to_vec()))
        .collect()
}

fn deviation(values: &[f32]) -> f64 {
    let squares: f64 = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    (squares / values.len() as f64).sqrt()
}

#[test]
fn parameters_are_counted_as_published() {
    let count = |config: &VptConfig| Vpt::new(config, &b16(), 1).unwrap().parameter_count();
    assert_eq!(count(&VptConfig::default()), 147_456);
    assert_eq!(count(&options(16, Depth::Shallow)), 12_288);
    assert_eq!(count(&options(4, Depth::Layers(9))), 27_648);
    let projected = VptConfig {
        project: 64,
        ..VptConfig::default()
    };
    assert_eq!(count(&projected), 12 * 16 * 64 + 64 * 768 + 768);
}

#[test]
fn parameters_have_the_published_names_and_shapes() {
    let shape = |name: &str, dims: &[usize]| (name.to_owned(), dims.to_vec());
    let deep = Vpt::new(&VptConfig::default(), &b16(), 1).unwrap();
    assert_eq!(
        shapes(&deep),
        [
            shape("vpt_embeddings", &[1, 16, 768]),
            shape("vpt_embeddings_deep", &[11, 16, 768])
        ]
    );
    let config = VptConfig {
        project: 5,
        ..options(2, Depth::Shallow)
    };
    assert_eq!(
        shapes(&Vpt::new(&config, &b16(), 1).unwrap()),
        [
            shape("vpt_embeddings", &[1, 2, 5]),
            shape("vpt_proj.weight", &[768, 5]),
            shape("vpt_proj.bias", &[768])
        ]
    );
}

#[test]
fn initial_prompts_are_uniform_within_the_published_bound() {
    // Bounds of the published geometries: B/16, B/32, L/14.
    for (patch, width, bound) in [(16, 768, 0.0625), (32, 768, 0.03953), (14, 1024, 0.06101)] {
        assert!((initial_bound(patch, width) - bound).abs() < 5e-6);
    }
    let vpt = Vpt::new(&VptConfig::default(), &b16(), 1).unwrap();
    for parameter in vpt.parameters() {
        let values = parameter.values().unwrap();
        let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        assert!(largest <= 0.0625 && largest > 0.0624, "largest {largest}");
        let expected = 0.0625 / 3.0_f64.sqrt();
        let found = deviation(&values);
        assert!((found / expected - 1.0).abs() < 0.01, "{found}");
    }
}

#[test]
fn the_bound_of_projected_prompts_comes_from_their_own_width() {
    let config = VptConfig {
        project: 100,
        ..VptConfig::default()
    };
    let vpt = Vpt::new(&config, &b16(), 1).unwrap();
    let values = vpt.parameters()[0].values().unwrap();
    let bound = (6.0_f64 / f64::from(3 * 16 * 16 + 100)).sqrt() as f32;
    let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    assert!(
        largest <= bound && largest > 0.99 * bound,
        "largest {largest}"
    );
}

#[test]
fn initial_values_depend_on_the_seed_alone() {
    let config = VptConfig {
        project: 3,
        ..VptConfig::default()
    };
    let values = |seed, depth| {
        let config = VptConfig {
            depth,
            ..config.clone()
        };
        let vpt = Vpt::new(&config, &sizes(16, 12, 3, 4), seed).unwrap();
        let values = vpt.parameters().iter().map(|p| p.values().unwrap());
        values.collect::<Vec<_>>()
    };
    assert_eq!(values(0, Depth::Deep), values(0, Depth::Deep));
    for (a, b) in values(0, Depth::Deep).iter().zip(values(1, Depth::Deep)) {
        assert_ne!(*a, b);
    }
    // A shallow prompt starts like the first block of a deep one.
    assert_eq!(values(0, Depth::Deep)[0], values(0, Depth::Shallow)[0]);
}

#[test]
fn the_texts_are_the_filled_template_and_learn_nothing() {
    let clip = tiny();
    let config = VptConfig {
        template: "a  photo of a  {}.".to_owned(),
        ..VptConfig::default()
    };
    let vpt = Vpt::new(&config, &clip.config, 1).unwrap();
    let names = classes(&["cat", "polar_bear"]);
    let expected: Vec<Vec<PromptToken>> = ["a photo of a cat.", "a photo of a polar bear."]
        .iter()
        .map(|text| clip.tokenizer.encode(text).unwrap())
        .map(|ids| ids.into_iter().map(PromptToken::Token).collect())
        .collect();
    assert_eq!(vpt.texts(&clip.tokenizer, &names).unwrap(), expected);
    assert!(vpt.adapt(&Pass::EVAL).unwrap().text.is_empty());
}

#[test]
fn a_name_that_is_no_text_or_too_long_is_named() {
    let clip = tiny();
    let vpt = Vpt::new(&VptConfig::default(), &clip.config, 1).unwrap();
    let error = |names: &[&str]| {
        let error = vpt.texts(&clip.tokenizer, &classes(names)).unwrap_err();
        error.to_string()
    };
    assert!(error(&["cat", " _"]).contains("class 1"));
    assert!(error(&[&"bear ".repeat(80)]).contains("bear bear"));
}

#[test]
fn the_prompts_of_a_pass_have_layers_rows_and_a_place() {
    let clip = tiny();
    for (depth, layers) in [
        (Depth::Shallow, 1),
        (Depth::Deep, 3),
        (Depth::Layers(2), 2),
        (Depth::Layers(3), 3),
    ] {
        for project in [0, 5] {
            let config = VptConfig {
                project,
                place: Place::BeforeLnPre,
                ..options(4, depth)
            };
            let vpt = Vpt::new(&config, &clip.config, 1).unwrap();
            let adaptation = vpt.adapt(&Pass::EVAL).unwrap();
            let visual = adaptation.visual.prompts.as_ref().unwrap();
            assert_eq!(visual.rows.shape(), [layers, 4, 12]);
            assert_eq!(visual.place, VisualPlace::BeforeLnPre);
            let values = visual_values(&adaptation);
            assert_eq!((values.blocks, values.rows), (layers, 4));
            assert_eq!((values.first, values.per_image), (0, false));
        }
    }
}

#[test]
fn gradients_are_those_of_a_loss_behind_both_towers() {
    let clip = tiny();
    let objective = Objective::new(&clip);
    for depth in [Depth::Shallow, Depth::Layers(2), Depth::Deep] {
        for place in [Place::AfterLnPre, Place::BeforeLnPre] {
            for (project, dropout) in [(0, 0.0), (5, 0.0), (5, 0.3)] {
                let config = VptConfig {
                    project,
                    dropout,
                    place,
                    ..options(3, depth)
                };
                let vpt = Vpt::new(&config, &clip.config, 1).unwrap();
                objective.check(&vpt, &training(2));
            }
        }
    }
}

#[test]
fn dropout_acts_in_training_only_and_is_the_same_for_the_same_step() {
    let clip = tiny();
    let values = |dropout: f64, pass: &Pass| {
        let config = VptConfig {
            dropout,
            ..options(8, Depth::Deep)
        };
        let vpt = Vpt::new(&config, &clip.config, 1).unwrap();
        visual_values(&vpt.adapt(pass).unwrap()).values
    };
    let whole = values(0.0, &training(4));
    assert_eq!(values(0.25, &Pass::EVAL), whole);
    let dropped = values(0.25, &training(4));
    assert_eq!(dropped, values(0.25, &training(4)));
    assert_ne!(dropped, values(0.25, &training(5)));
    for (&kept, &value) in dropped.iter().zip(&whole) {
        assert!(kept == 0.0 || (kept - value / 0.75).abs() < 1e-6);
    }
}

#[test]
fn without_prompts_everything_is_zero_shot() {
    let clip = tiny();
    let vpt = Vpt::new(&options(0, Depth::Deep), &clip.config, 1).unwrap();
    assert_eq!(vpt.parameter_count(), 0);
    assert!(vpt.adapt(&training(0)).unwrap().visual.is_empty());
    let names = classes(&["cat", "polar_bear"]);
    let texts = vpt.texts(&clip.tokenizer, &names).unwrap();
    let template = [zeroshot::DEFAULT_TEMPLATE.to_owned()];
    let expected = zeroshot::classifier(&clip, &names, &template).unwrap();
    let mut features = clip.text.features(&texts, &TowerAdaptation::NONE);
    for feature in features.chunks_exact_mut(clip.config.embed_dim) {
        // Zero-shot normalises each text, and then the mean over the templates.
        zeroshot::normalise(feature);
        zeroshot::normalise(feature);
    }
    assert_eq!(features, expected);
    let images = images(&clip, 2);
    let none = PromptRows {
        rows: 3,
        ..PromptRows::NONE
    };
    assert_eq!(
        clip.vision.features(&images, 2, &none.into()),
        clip.vision.features(&images, 2, &TowerAdaptation::NONE)
    );
}

#[test]
fn options_out_of_range_are_named() {
    let error = |config: VptConfig| {
        let error = Vpt::new(&config, &b16(), 1).unwrap_err();
        error.to_string()
    };
    for depth in [0, 13] {
        assert_eq!(
            error(options(4, Depth::Layers(depth))),
            format!(
                "vpt.depth = {depth}: expected \"shallow\", \"deep\", or 1 to 12 with this image \
                 tower"
            )
        );
    }
    assert!(error(options(usize::MAX, Depth::Deep)).starts_with("vpt.count = "));
    let base = VptConfig::default;
    let project = usize::MAX;
    assert!(error(VptConfig { project, ..base() }).starts_with("vpt.project = "));
    let dropout = 1.0;
    assert!(error(VptConfig { dropout, ..base() }).starts_with("vpt.dropout = 1"));
    let template = "a photo".to_owned();
    assert!(error(VptConfig { template, ..base() }).contains("no place for the class name"));
}

#[test]
fn options_are_written_as_words_and_numbers() {
    let read = |text: &str| serde_json::from_str::<MethodConfig>(text);
    for (depth, written) in [
        (Depth::Shallow, "\"shallow\""),
        (Depth::Deep, "\"deep\""),
        (Depth::Layers(9), "9"),
    ] {
        let config = MethodConfig::from(VptConfig {
            place: Place::BeforeLnPre,
            ..options(4, depth)
        });
        let text = serde_json::to_string(&config).unwrap();
        assert!(text.contains(&format!("\"depth\":{written}")), "{text}");
        assert!(text.contains("\"place\":\"before-ln-pre\""), "{text}");
        assert_eq!(read(&text).unwrap(), config);
    }
    assert_eq!(
        read(r#"{"vpt": {}}"#).unwrap(),
        MethodConfig::from(VptConfig::default())
    );
    assert!(read(r#"{"vpt": {"counts": 4}}"#).is_err());
    let error = read(r#"{"vpt": {"depth": "deeper"}}"#).unwrap_err();
    let expected = "expected \"shallow\", \"deep\", or a number of blocks";
    assert!(error.to_string().contains(expected), "{error}");
}
