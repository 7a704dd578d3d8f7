//! The terms of the loss and the weights of the average against their formulas.

use vlpt_autograd::Var;
use vlpt_base::random::Stream;
use vlpt_clip::TowerAdaptation;

use super::*;
use crate::ImageFeatures;
use crate::baselines::zero_shot::normalise;

const CLASSES: usize = 3;
const BATCH: usize = 5;
const EMBED: usize = 256; // mini-clip's
const SCALE: f32 = 12.0;

fn method(own: &PromptSrcConfig) -> PromptSrc {
    PromptSrc::new(&IvlpConfig::default(), own, &Clip::mini(), 1).unwrap()
}

/// Rows of length one.
fn units(name: &str, rows: usize) -> Vec<f32> {
    let mut values = Stream::new(4, name).normals(rows * EMBED, 1.0);
    values.chunks_exact_mut(EMBED).for_each(normalise);
    values
}

/// Features of a step: of the texts and of the images, tuned and frozen.
struct Step {
    texts: [Vec<f32>; 2],
    images: [Vec<f32>; 2],
}

impl Step {
    fn random() -> Self {
        Self {
            texts: ["g", "g0"].map(|name| units(name, CLASSES)),
            images: ["f", "f0"].map(|name| units(name, BATCH)),
        }
    }

    /// Regulariser and its gradients by the tuned texts and images, in parts of so many images.
    fn found(&self, method: &PromptSrc, part: usize) -> (f64, Vec<f32>, Vec<f32>) {
        let (mut value, mut d_images) = (0.0, Vec::new());
        let mut d_texts = vec![0.0; CLASSES * EMBED];
        let texts = Var::new(self.texts[0].clone(), &[CLASSES, EMBED]).unwrap();
        let frozen_texts = Tensor::new(self.texts[1].clone(), &[CLASSES, EMBED]).unwrap();
        let of_texts = Features {
            texts: texts.as_tensor(),
            frozen_texts: &frozen_texts,
            images: None,
            scale: SCALE,
        };
        let mut take = |features: &Features, images: Option<&Var>| {
            let term = method.regulariser(features).unwrap().unwrap();
            value += f64::from(term.item().unwrap());
            let gradients = term.backward().unwrap();
            let of_texts = gradients.get(&texts).unwrap();
            d_texts.iter_mut().zip(of_texts).for_each(|(d, g)| *d += g);
            d_images.extend(images.map_or(Vec::new(), |v| gradients.get(v).unwrap().to_vec()));
        };
        take(&of_texts, None);
        let parts = self.images[0].chunks(part * EMBED);
        for (tuned, frozen) in parts.zip(self.images[1].chunks(part * EMBED)) {
            let shape = [tuned.len() / EMBED, EMBED];
            let tuned = Var::new(tuned.to_vec(), &shape).unwrap();
            let frozen = Tensor::new(frozen.to_vec(), &shape).unwrap();
            let images = Some(ImageFeatures {
                tuned: tuned.as_tensor(),
                frozen: &frozen,
                batch: BATCH,
            });
            take(&Features { images, ..of_texts }, Some(&tuned));
        }
        (value, d_texts, d_images)
    }

    /// The formula in f64, with weights of the terms.
    fn expected(&self, weights: [f64; 3]) -> f64 {
        let distance = |[a, b]: &[Vec<f32>; 2]| {
            let parts = a
                .iter()
                .zip(b)
                .map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs());
            parts.sum::<f64>() / a.len() as f64
        };
        let mut divergence = 0.0;
        for image in 0..BATCH {
            let logs = |side: usize| {
                let row = |values: &[f32], i: usize| values[i * EMBED..][..EMBED].to_vec();
                let f = row(&self.images[side], image);
                let logits: Vec<f64> = (0..CLASSES)
                    .map(|class| {
                        let g = row(&self.texts[side], class);
                        let products = f.iter().zip(&g).map(|(&f, &g)| f64::from(f) * f64::from(g));
                        f64::from(SCALE) * products.sum::<f64>()
                    })
                    .collect();
                let total: f64 = logits.iter().map(|l| l.exp()).sum();
                logits.iter().map(|l| l - total.ln()).collect::<Vec<_>>()
            };
            let both = logs(0).into_iter().zip(logs(1));
            divergence += both
                .map(|(log, log0)| log0.exp() * (log0 - log))
                .sum::<f64>();
        }
        let divergence = divergence / (BATCH * CLASSES) as f64;
        weights[0] * distance(&self.texts)
            + weights[1] * distance(&self.images)
            + weights[2] * divergence
    }
}

#[test]
fn the_terms_have_their_formulas_values() {
    let step = Step::random();
    for weights in [
        [25.0, 10.0, 1.0],
        [25.0, 0.0, 0.0],
        [0.0, 10.0, 0.0],
        [0.0, 0.0, 1.0],
    ] {
        let method = method(&PromptSrcConfig {
            text_weight: weights[0],
            image_weight: weights[1],
            logit_weight: weights[2],
            ..PromptSrcConfig::default()
        });
        let (found, expected) = (step.found(&method, BATCH).0, step.expected(weights));
        assert!(expected > 1e-3, "{weights:?}: {expected}");
        assert!(
            (found - expected).abs() < 1e-6,
            "{weights:?}: {found} {expected}"
        );
    }
}

#[test]
fn gradients_are_the_formulas_differences() {
    let weights = [25.0, 10.0, 1.0];
    let step = Step::random();
    let (_, d_texts, d_images) = step.found(&method(&PromptSrcConfig::default()), BATCH);
    for (index, gradient) in [(0, d_texts), (1, d_images)] {
        for at in [0, EMBED / 2, 2 * EMBED + 1] {
            let moved = |by: f32| {
                let mut step = Step::random();
                let side = if index == 0 {
                    &mut step.texts
                } else {
                    &mut step.images
                };
                side[0][at] += by;
                (f64::from(side[0][at]), step.expected(weights))
            };
            let ((x1, y1), (x0, y0)) = (moved(1e-4), moved(-1e-4));
            let (slope, found) = ((y1 - y0) / (x1 - x0), f64::from(gradient[at]));
            assert!(
                (slope - found).abs() < 1e-5,
                "{index} {at}: {found}, {slope}"
            );
        }
    }
}

#[test]
fn parts_of_a_batch_add_up_to_the_whole() {
    let (method, step) = (method(&PromptSrcConfig::default()), Step::random());
    let (whole, d_texts, d_images) = step.found(&method, BATCH);
    let (parts, d_texts_of_parts, d_images_of_parts) = step.found(&method, 2);
    assert!((whole - parts).abs() < 1e-6, "{whole} {parts}");
    for (whole, parts) in [(d_texts, d_texts_of_parts), (d_images, d_images_of_parts)] {
        for (whole, part) in whole.iter().zip(&parts) {
            assert!((whole - part).abs() < 1e-7, "{whole} {part}");
        }
    }
}

#[test]
fn nothing_is_added_where_nothing_moved() {
    let mut step = Step::random();
    step.texts[1] = step.texts[0].clone();
    step.images[1] = step.images[0].clone();
    assert_eq!(step.found(&method(&PromptSrcConfig::default()), 2).0, 0.0);
}

#[test]
fn weights_of_the_average_are_gaussian_and_add_up_to_one() {
    for (mean, deviation, epochs) in [
        (15.0, 1.0, 20),
        (6.0, 10.0, 20),
        (30.0, 30.0, 50),
        (45.0, 5.0, 50),
    ] {
        let config = PromptSrcConfig {
            average_mean: mean,
            average_deviation: deviation,
            ..PromptSrcConfig::default()
        };
        let weights: Vec<f64> = (1..=epochs)
            .map(|e| config.average_weight(e, epochs))
            .collect();
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let peak = weights[mean as usize - 1];
        for (i, weight) in weights.iter().enumerate() {
            let distance = (i as f64 + 1.0 - mean) / deviation;
            let expected = peak * (-distance * distance / 2.0).exp();
            assert!(
                (weight - expected).abs() < 1e-15,
                "{i}: {weight} {expected}"
            );
        }
    }
    // A peak that a short run never reaches: the last epoch, and no division by nothing.
    let weights = [1, 2, 3].map(|e| {
        let config = PromptSrcConfig {
            average_mean: 100.0,
            ..PromptSrcConfig::default()
        };
        config.average_weight(e, 3)
    });
    assert!(
        weights[2] > 0.999_999 && weights[0] < weights[1],
        "{weights:?}"
    );
}

#[test]
fn the_published_templates_are_the_first_sixty_of_clips_for_imagenet() {
    let templates = PromptSrcConfig::default().templates();
    assert_eq!(templates.len(), 60);
    assert_eq!(templates[0], "a photo of a {}.");
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../vlpt-data/catalogue/catalogue.json"
    );
    let catalogue: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let all = catalogue["template_sets"]["imagenet-80"]
        .as_array()
        .unwrap();
    let mut first: Vec<&str> = all[..60]
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    let mut found: Vec<&str> = templates.iter().map(String::as_str).collect();
    assert_eq!(found.split_off(1), {
        first.retain(|text| *text != templates[0]);
        first
    });
}

/// The teacher is not the zero-shot classifier, whose features are normalised before their mean.
#[test]
fn the_teacher_is_the_normalised_mean_of_features_as_they_are() {
    let clip = Clip::mini();
    let own = PromptSrcConfig {
        teacher_templates: ["a photo of a {}.", "{}", "art of many {}s, and more."]
            .map(str::to_owned)
            .to_vec(),
        ..PromptSrcConfig::default()
    };
    let classes = ["cat", "polar_bear"].map(str::to_owned);
    let found = method(&own).teacher(&clip, &classes).unwrap().unwrap();
    let mut expected = Vec::new();
    for class in &classes {
        let mut mean = vec![0.0; EMBED];
        for template in &own.teacher_templates {
            let text = fill(template, class).unwrap();
            let text = clip.tokenizer.encode(&text).unwrap();
            let text = text.into_iter().map(PromptToken::Token).collect();
            let features = clip.text.features(&[text], &TowerAdaptation::NONE);
            mean.iter_mut()
                .zip(features)
                .for_each(|(m, f)| *m += f / 3.0);
        }
        normalise(&mut mean);
        expected.extend(mean);
    }
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    let zero_shot = crate::zeroshot::classifier(&clip, &classes, &own.teacher_templates).unwrap();
    let apart = found
        .iter()
        .zip(&zero_shot)
        .any(|(a, b)| (a - b).abs() > 1e-4);
    assert!(
        apart,
        "the order of mean and length makes no difference here"
    );
}

#[test]
fn values_that_make_no_sense_are_refused_by_name() {
    let error = |change: fn(&mut PromptSrcConfig)| {
        let mut config = PromptSrcConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert_eq!(
        error(|c| c.image_weight = -1.0),
        "promptsrc.image_weight = -1: expected 0 or more"
    );
    assert_eq!(
        error(|c| c.average_deviation = 0.0),
        "promptsrc.average_deviation = 0: expected above 0"
    );
    assert!(error(|c| c.average_mean = f64::NAN).contains("a number"));
    assert!(error(|c| c.teacher_templates = vec!["a photo.".to_owned()]).contains("a photo."));
}

#[test]
fn prompts_start_as_those_that_are_not_regulated() {
    let clip = Clip::mini();
    let config = IvlpConfig::default();
    let ivlp = Ivlp::new(&config, &clip, 1).unwrap();
    let found = method(&PromptSrcConfig::default());
    assert_eq!(found.parameters().len(), ivlp.parameters().len());
    for (found, expected) in found.parameters().iter().zip(ivlp.parameters()) {
        assert_eq!(found.name(), expected.name());
        assert_eq!(found.values().unwrap(), expected.values().unwrap());
    }
}
