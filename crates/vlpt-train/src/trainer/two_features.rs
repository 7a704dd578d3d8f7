//! Images that have two features each: of the class token, and of the learned rows.

use crate::loss::LossOutput;

use super::texts::add_to;

/// The features of images that stand side by side (images x 2 embed): those of the class tokens, and
/// those of the rows (each images x embed).
pub(super) fn parted(features: &[f32], embed: usize) -> [Vec<f32>; 2] {
    [0, 1].map(|place| {
        let images = features.chunks_exact(2 * embed);
        images
            .flat_map(|both| &both[place * embed..][..embed])
            .copied()
            .collect()
    })
}

/// The reverse of [`parted`].
pub(super) fn side_by_side(class: &[f32], rows: &[f32], embed: usize) -> Vec<f32> {
    let images = class.chunks_exact(embed).zip(rows.chunks_exact(embed));
    images
        .flat_map(|(class, rows)| [class, rows].concat())
        .collect()
}

/// Makes `own`, the loss of the class tokens' features, `share own + (1 - share) rows` in all but the
/// gradients of the images, which are those of each kind: `own` keeps that of its features, that of the
/// rows' features is given.
pub(super) fn join(own: &mut LossOutput, mut rows: LossOutput, share: f64) -> Vec<f32> {
    let rest = 1.0 - share;
    own.loss = share * own.loss + rest * rows.loss;
    for (own, rows) in own.logits.iter_mut().zip(&rows.logits) {
        // what a mask hides is minus infinity, or 0, in both
        if *own != *rows {
            *own = (share * f64::from(*own) + rest * f64::from(*rows)) as f32;
        }
    }
    let scale = |values: &mut [f32], by: f64| values.iter_mut().for_each(|v| *v *= by as f32);
    scale(&mut own.d_texts, share);
    scale(&mut own.d_images, share);
    scale(&mut rows.d_texts, rest);
    scale(&mut rows.d_images, rest);
    add_to(&mut own.d_texts, &rows.d_texts);
    rows.d_images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_parted_and_put_side_by_side_again() {
        let both = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let [class, rows] = parted(&both, 2);
        assert_eq!(
            (&class[..], &rows[..]),
            (&[1.0, 2.0, 5.0, 6.0][..], &[3.0, 4.0, 7.0, 8.0][..])
        );
        assert_eq!(side_by_side(&class, &rows, 2), both);
    }

    #[test]
    fn losses_are_weighed_and_masked_logits_stay() {
        let hidden = f32::NEG_INFINITY;
        let output = |loss, logits: [f32; 2], d: f32| LossOutput {
            loss,
            logits: logits.to_vec(),
            d_images: vec![d],
            d_texts: vec![2.0 * d],
        };
        let mut own = output(1.0, [4.0, hidden], 1.0);
        let d_rows = join(&mut own, output(3.0, [8.0, hidden], 10.0), 0.75);
        assert_eq!(
            own,
            LossOutput {
                loss: 1.5,
                logits: vec![5.0, hidden],
                d_images: vec![0.75],
                d_texts: vec![1.5 + 5.0],
            }
        );
        assert_eq!(d_rows, [2.5]);
        // one of them alone
        let mut own = output(1.0, [4.0, hidden], 1.0);
        join(&mut own, output(3.0, [8.0, hidden], 10.0), 0.0);
        assert_eq!((own.loss, own.logits), (3.0, vec![8.0, hidden]));
    }
}
