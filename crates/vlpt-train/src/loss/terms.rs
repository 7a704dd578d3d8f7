//! The loss of one image, from its logits.
//!
//! `own` are the image's classes, numbered as in the whole label space, of which `first` is the
//! class of the first logit.

/// Softmax cross entropy of one image times `share`, and its gradient.
pub(super) fn cross_entropy(
    logits: &[f32],
    own: &[u32],
    first: usize,
    share: f64,
    gradient: &mut [f32],
) -> f64 {
    if own.is_empty() {
        return 0.0;
    }
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let power = |logit: f32| f64::from(logit - max).exp();
    let sum: f64 = logits.iter().map(|&logit| power(logit)).sum();
    for (d, &logit) in gradient.iter_mut().zip(logits) {
        *d = (share * power(logit) / sum) as f32;
    }
    let weight = 1.0 / own.len() as f64;
    let mut loss = 0.0;
    for &class in own {
        let at = class as usize - first;
        let logit = f64::from(logits[at] - max);
        loss += weight * (sum.ln() - logit);
        // From f64, where p - w keeps its digits when p is near w.
        let p = power(logits[at]) / sum;
        gradient[at] = (share * (p - weight)) as f32;
    }
    share * loss
}

/// Sum of the binary cross entropies of one image times `share`, and its gradient.
pub(super) fn binary(
    logits: &[f32],
    own: &[u32],
    first: usize,
    share: f64,
    gradient: &mut [f32],
) -> f64 {
    let mut loss = 0.0;
    for (class, (d, &logit)) in gradient.iter_mut().zip(logits).enumerate() {
        let logit = f64::from(logit);
        let target = f64::from(u8::from(own.contains(&((first + class) as u32))));
        let tail = (-logit.abs()).exp();
        loss += logit.max(0.0) - logit * target + tail.ln_1p();
        let p = if logit >= 0.0 {
            1.0 / (1.0 + tail)
        } else {
            tail / (1.0 + tail)
        };
        *d = (share * (p - target)) as f32;
    }
    share * loss
}
