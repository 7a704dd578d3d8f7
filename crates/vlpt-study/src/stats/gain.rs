//! What a task gains.

/// Relative gain over a baseline, `(score - base) / base`; `None` where the baseline is not above
/// zero, or one of them not finite.
pub fn relative_gain(score: f64, base: f64) -> Option<f64> {
    (base > 0.0 && base.is_finite() && score.is_finite()).then(|| (score - base) / base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gain_is_relative_to_the_baseline() {
        assert_eq!(relative_gain(0.75, 0.5), Some(0.5));
        assert_eq!(relative_gain(0.25, 0.5), Some(-0.5));
        assert_eq!(relative_gain(0.75, 0.0), None);
    }
}
