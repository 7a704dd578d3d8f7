use vlpt_methods::baselines::LinearHead;
use vlpt_methods::{Build, CoCoOpConfig, MethodConfig};

use super::*;

fn names() -> Vec<String> {
    vec!["a".to_owned(), "b".to_owned()]
}

fn example(logit_scale: f32) -> Classifier {
    Classifier::cosine(&names(), 2, vec![2.0, 0.0, 0.0, 0.5], logit_scale).unwrap()
}

#[test]
fn logits_are_scaled_cosines_whatever_the_length_of_a_feature() {
    let logits = example(10.0).logits(&Clip::mini(), &[3.0, 4.0, 0.0, 0.5]);
    assert_eq!(logits.unwrap(), [6.0, 8.0, 0.0, 10.0]);
}

#[test]
fn probabilities_sum_to_one_even_for_huge_logits() {
    let rows = example(1e4).probabilities(&Clip::mini(), &[1.0, 0.0, 1.0, 1.0]);
    assert_eq!(rows.unwrap(), [1.0, 0.0, 0.5, 0.5]);
}

/// A linear probe fitted to images of several classes.
#[test]
fn classes_that_an_image_may_show_together_have_a_logistic_function_each() {
    let head = |separate| LinearHead {
        normalised: false,
        separate,
        weight: vec![1.0, 0.0, 0.0, 1.0],
        bias: vec![0.0, 0.0],
    };
    let rows = |separate, images: &[f32]| {
        let classifier = Classifier::of_features(&names(), 2, Arc::new(head(separate)));
        classifier.probabilities(&Clip::mini(), images).unwrap()
    };
    let ln3 = 3_f32.ln();
    let found = rows(true, &[ln3, ln3, -1000.0, 1000.0]);
    let expected = [0.75, 0.75, 0.0, 1.0];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    assert_eq!(rows(false, &[ln3, ln3]), [0.5, 0.5]);
}

#[test]
fn parts_of_another_size_are_refused() {
    assert!(Classifier::cosine(&names(), 2, vec![0.0; 3], 1.0).is_err());
}

#[test]
fn features_that_are_no_numbers_are_named() {
    for broken in [f32::NAN, f32::INFINITY] {
        let error = Classifier::cosine(&names(), 2, vec![1.0, 0.0, broken, 1.0], 1.0).unwrap_err();
        assert!(error.to_string().contains("the class `b`"), "{error}");
        assert!(error.hint().unwrap().contains("--lr"));
    }
    let tiny = f64::from(f32::MIN_POSITIVE);
    for (classifier, image) in [
        (example(1.0), [f32::NAN, 0.0]),
        (example(1e38).with_temperature(tiny), [1.0, 0.0]),
    ] {
        let error = classifier.probabilities(&Clip::mini(), &image);
        assert!(matches!(error, Err(AdapterError::NotFinite { .. })));
    }
}

#[test]
fn the_first_class_that_differs_is_named() {
    let error = example(1.0)
        .check_classes(&["a".to_owned(), "c".to_owned()])
        .unwrap_err();
    assert!(
        error.to_string().contains("\"b\", the task's is \"c\""),
        "{error}"
    );
    assert!(example(1.0).check_classes(&["a".to_owned()]).is_err());
    assert!(example(1.0).check_classes(&names()).is_ok());
}

#[test]
fn texts_of_an_image_depend_on_the_images_beside_it_by_rounding_at_most() {
    let clip = Clip::mini();
    let embed = clip.config.embed_dim;
    // Enough classes that a few images are more than one group.
    let classes: Vec<String> = (0..200).map(|i| format!("thing {i}")).collect();
    let method = MethodConfig::from(CoCoOpConfig::default());
    let method = method
        .build(&Build {
            clip: &clip,
            classes: classes.len(),
            seed: 1,
        })
        .unwrap();
    let conditional = Classifier::of_method(&clip, method.into(), &classes).unwrap();
    assert!(conditional.text_features().is_none());
    let images: Vec<f32> = (0..5 * embed)
        .map(|i| ((i * 7919) % 97) as f32 - 48.0)
        .collect();
    let together = conditional.logits(&clip, &images).unwrap();
    let alone = images.chunks_exact(embed);
    let alone: Vec<f32> = alone
        .flat_map(|image| conditional.logits(&clip, image).unwrap())
        .collect();
    // Where the text tower divides its work depends on the number of texts, and sums with it.
    for (together, alone) in together.iter().zip(&alone) {
        assert!((together - alone).abs() < 1e-5, "{together} {alone}");
    }
    assert_ne!(together[..200], together[200..400]);
}

#[test]
fn a_temperature_divides_logits_of_parts_too_and_changes_no_answer() {
    let clip = Clip::mini();
    let image = [3.0, 4.0];
    let (plain, warm) = (example(10.0), example(10.0).with_temperature(2.0));
    assert_eq!(warm.logits(&clip, &image).unwrap(), [3.0, 4.0]);
    assert_eq!(warm.part(&[1]).logits(&clip, &image).unwrap(), [4.0]);
    let [plain, warm] = [plain, warm].map(|one| one.probabilities(&clip, &image).unwrap());
    assert!(plain[1] > warm[1] && warm[1] > 0.5, "{plain:?} {warm:?}");
}
