//! Masks and texts of each image's own.
#![expect(
    clippy::single_range_in_vec_init,
    reason = "the classes of one image's task are one range"
)]

use super::tests::values;
use super::*;

const WIDTH: usize = 7;
const RANGES: [Range<usize>; 4] = [2..5, 0..2, 2..5, 5..6];

fn targets() -> Vec<Vec<u32>> {
    vec![vec![3], vec![0, 1], vec![4, 2], vec![5]]
}

#[test]
fn masked_and_conditional_gradients_are_those_of_finite_differences() {
    let (images, targets) = (values(4 * WIDTH, 1), targets());
    for loss in [Loss::CrossEntropy, Loss::Binary] {
        let head = LossHead { loss, scale: 5.0 };
        for mask in [Mask::Union, Mask::PerTask, Mask::Zero] {
            for (texts_of, rows) in [(TextsOf::All, 6), (TextsOf::Each, 24)] {
                let texts = values(rows * WIDTH, 2);
                let of = |images: &[f32], texts: &[f32]| {
                    let input = LossInput {
                        mask,
                        texts_of,
                        ranges: Some(&RANGES),
                        ..LossInput::new(images, texts, WIDTH, &targets)
                    };
                    head.step(&input).unwrap()
                };
                let output = of(&images, &texts);
                let moved = |values: &[f32], at: usize, by: f32| {
                    let mut values = values.to_vec();
                    values[at] += by;
                    values
                };
                let slope = |up: LossOutput, down: LossOutput| (up.loss - down.loss) / 0.02;
                for (at, d) in output.d_images.iter().enumerate() {
                    let up = of(&moved(&images, at, 0.01), &texts);
                    let found = slope(up, of(&moved(&images, at, -0.01), &texts));
                    assert!((found - f64::from(*d)).abs() < 2e-3, "image {at}, {mask:?}");
                }
                for (at, d) in output.d_texts.iter().enumerate() {
                    let up = of(&images, &moved(&texts, at, 0.01));
                    let found = slope(up, of(&images, &moved(&texts, at, -0.01)));
                    assert!((found - f64::from(*d)).abs() < 2e-3, "text {at}, {mask:?}");
                }
            }
        }
    }
}

#[test]
fn minus_infinity_is_the_task_alone_to_the_bit() {
    let (images, texts) = (values(3 * WIDTH, 3), values(6 * WIDTH, 4));
    let own = &texts[2 * WIDTH..5 * WIDTH];
    for loss in [Loss::CrossEntropy, Loss::Binary] {
        let head = LossHead { loss, scale: 100.0 };
        let among = head.step(&LossInput {
            mask: Mask::PerTask,
            ranges: Some(&[2..5, 2..5, 2..5]),
            ..LossInput::new(&images, &texts, WIDTH, &[vec![2], vec![4], vec![3, 4]])
        });
        let alone = [vec![0], vec![2], vec![1, 2]];
        let alone = head.step(&LossInput::new(&images, own, WIDTH, &alone));
        let (among, alone) = (among.unwrap(), alone.unwrap());
        assert_eq!(among.loss.to_bits(), alone.loss.to_bits());
        assert_eq!(among.d_images, alone.d_images);
        assert_eq!(among.d_texts[2 * WIDTH..5 * WIDTH], alone.d_texts);
        assert!(among.d_texts[..2 * WIDTH].iter().all(|d| *d == 0.0));
        assert_eq!(among.logits[0], f32::NEG_INFINITY);
    }
}

#[test]
fn a_mask_of_zeros_leaves_others_in_the_sum() {
    // One own class of two, and a logit of 0 for the other.
    let head = LossHead {
        loss: Loss::CrossEntropy,
        scale: 2.0,
    };
    let output = head.step(&LossInput {
        mask: Mask::Zero,
        ranges: Some(&[0..1]),
        ..LossInput::new(&[1.0, 0.0], &[1.0, 0.0, 0.0, 1.0], 2, &[vec![0]])
    });
    let output = output.unwrap();
    assert_eq!(output.logits, [2.0, 0.0]);
    let expected = (2.0_f64.exp() + 1.0).ln() - 2.0;
    assert!((output.loss - expected).abs() < 1e-9);
}

#[test]
fn a_class_of_another_task_is_refused() {
    let head = LossHead {
        loss: Loss::CrossEntropy,
        scale: 1.0,
    };
    let refused = |ranges| {
        let input = LossInput {
            mask: Mask::PerTask,
            ranges,
            ..LossInput::new(&[1.0; 3], &[1.0; 9], 3, &[])
        };
        let input = LossInput {
            targets: &[vec![0]],
            ..input
        };
        head.step(&input).unwrap_err().to_string()
    };
    assert!(refused(Some(&[1..3])).contains("image 0 has class 0: expected one of 1 to 2"));
    assert!(refused(None).contains("0 images' tasks for 1 images"));
    assert!(refused(Some(&[1..4])).contains("expected some of 0..3"));
}
