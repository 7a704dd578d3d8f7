use serde::Deserialize;

use super::*;

/// Pseudorandom values around 0.
pub(super) fn values(n: usize, seed: u32) -> Vec<f32> {
    let hash = |i: u32| {
        (i ^ seed)
            .wrapping_mul(2654435761)
            .rotate_left(13)
            .wrapping_mul(97)
    };
    (0..n as u32)
        .map(|i| (hash(i) >> 8) as f32 / 16777216.0 - 0.5)
        .collect()
}

fn targets() -> Vec<Vec<u32>> {
    vec![vec![2], vec![0, 3], vec![], vec![4], vec![1, 2, 3]]
}

#[test]
fn gradients_are_those_of_finite_differences() {
    const WIDTH: usize = 7;
    for loss in [Loss::CrossEntropy, Loss::Binary] {
        let head = LossHead { loss, scale: 5.0 };
        let (images, texts) = (values(5 * WIDTH, 1), values(5 * WIDTH, 2));
        let of = |images: &[f32], texts: &[f32]| {
            head.step(&LossInput::new(images, texts, WIDTH, &targets()))
                .unwrap()
        };
        let output = of(&images, &texts);
        for at in 0..images.len() {
            let moved = |values: &[f32], by: f32| {
                let mut values = values.to_vec();
                values[at] += by;
                values
            };
            let h = 1e-2;
            let slope = |up: LossOutput, down: LossOutput| (up.loss - down.loss) / (2.0 * h);
            let h = h as f32;
            let image = slope(
                of(&moved(&images, h), &texts),
                of(&moved(&images, -h), &texts),
            );
            let text = slope(
                of(&images, &moved(&texts, h)),
                of(&images, &moved(&texts, -h)),
            );
            assert!(
                (image - f64::from(output.d_images[at])).abs() < 2e-3,
                "image {at}"
            );
            assert!(
                (text - f64::from(output.d_texts[at])).abs() < 2e-3,
                "text {at}"
            );
        }
    }
}

#[test]
fn loss_and_gradients_are_pytorchs() {
    #[derive(Deserialize)]
    struct Case {
        loss: String,
        scale: f32,
        width: usize,
        images: Vec<f32>,
        texts: Vec<f32>,
        targets: Vec<Vec<u32>>,
        value: f64,
        logits: Vec<f32>,
        d_images: Vec<f32>,
        d_texts: Vec<f32>,
    }
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../tests/golden/losses.json")).unwrap();
    for case in cases {
        let loss = match case.loss.as_str() {
            "binary" => Loss::Binary,
            _ => Loss::CrossEntropy,
        };
        let head = LossHead {
            loss,
            scale: case.scale,
        };
        let input = LossInput::new(&case.images, &case.texts, case.width, &case.targets);
        let found = head.step(&input).unwrap();
        assert!(
            (found.loss - case.value).abs() < 1e-5 * case.value.max(1.0),
            "{}",
            case.loss
        );
        let near = |found: &[f32], expected: &[f32]| {
            let size = expected.iter().fold(1e-6_f32, |size, v| size.max(v.abs()));
            assert_eq!(found.len(), expected.len());
            for (f, e) in found.iter().zip(expected) {
                assert!(
                    (f - e).abs() < 2e-5 * size,
                    "{}: {f}, expected {e}",
                    case.loss
                );
            }
        };
        near(&found.logits, &case.logits);
        near(&found.d_images, &case.d_images);
        near(&found.d_texts, &case.d_texts);
    }
}

#[test]
fn parts_of_a_batch_add_up_to_the_whole() {
    const WIDTH: usize = 20;
    let head = LossHead {
        loss: Loss::CrossEntropy,
        scale: 100.0,
    };
    let (images, texts, targets) = (values(5 * WIDTH, 3), values(5 * WIDTH, 4), targets());
    let part = |images, targets| {
        let input = LossInput {
            batch: 5,
            ..LossInput::new(images, &texts, WIDTH, targets)
        };
        head.step(&input).unwrap()
    };
    let cut = 2 * WIDTH;
    let whole = part(&images, &targets);
    let first = part(&images[..cut], &targets[..2]);
    let second = part(&images[cut..], &targets[2..]);
    assert!((whole.loss - first.loss - second.loss).abs() < 1e-9);
    assert_eq!([first.d_images, second.d_images].concat(), whole.d_images);
    for at in 0..texts.len() {
        let sum = first.d_texts[at] + second.d_texts[at];
        assert!((sum - whole.d_texts[at]).abs() < 1e-4);
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let head = LossHead {
        loss: Loss::CrossEntropy,
        scale: 100.0,
    };
    let (images, texts) = (values(33 * 65, 5), values(130 * 65, 6));
    let targets: Vec<Vec<u32>> = (0..33).map(|i| vec![i * 3]).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            head.step(&LossInput::new(&images, &texts, 65, &targets))
                .unwrap()
        })
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn features_of_zeros_give_no_gradient_and_no_nan() {
    let head = LossHead {
        loss: Loss::CrossEntropy,
        scale: 100.0,
    };
    let output = head
        .step(&LossInput::new(&[0.0; 4], &values(12, 7), 4, &[vec![1]]))
        .unwrap();
    assert!((output.loss - 3.0_f64.ln()).abs() < 1e-12);
    assert_eq!(output.d_images, [0.0; 4]);
    assert_eq!(output.d_texts, [0.0; 12]);
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let head = LossHead {
        loss: Loss::CrossEntropy,
        scale: 1.0,
    };
    let refused = |images: &[f32], targets: &[Vec<u32>]| {
        head.step(&LossInput::new(images, &[1.0; 6], 3, targets))
            .unwrap_err()
            .to_string()
    };
    assert!(refused(&[1.0; 4], &[vec![0]]).contains("no rows of 3"));
    assert!(refused(&[1.0; 3], &[]).contains("targets of 0 images"));
    assert!(refused(&[1.0; 3], &[vec![2]]).contains("below 2"));
}
