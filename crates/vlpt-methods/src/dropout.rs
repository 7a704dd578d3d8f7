//! Dropout of learned tokens.

use vlpt_autograd::Tensor;

use crate::{MethodError, Pass, Result};

/// Inverted dropout (Srivastava et al., 2014): in training each value is zero with probability
/// `rate`, and the others are divided by `1 - rate`; in evaluation nothing changes.
///
/// The mask is drawn from the pass's stream of the name `purpose`: the same seed and step give
/// the same mask.
///
/// # Errors
/// A tensor operation that failed.
pub(crate) fn dropout(values: &Tensor, rate: f64, pass: &Pass, purpose: &str) -> Result<Tensor> {
    let Some(mut stream) = pass.stream(purpose).filter(|_| rate > 0.0) else {
        return Ok(values.clone());
    };
    let kept = (1.0 / (1.0 - rate)) as f32;
    let mask: Vec<f32> = (0..values.len())
        .map(|_| if stream.uniform() < rate { 0.0 } else { kept })
        .collect();
    Ok((values * Tensor::new(mask, values.shape())?)?)
}

/// Refuses a rate outside 0 <= rate < 1, where nothing would be left to learn from.
///
/// # Errors
/// [`MethodError::Option`] of the name `key`.
pub(crate) fn check_rate(rate: f64, key: &'static str) -> Result<()> {
    // also in the precision of the towers
    if (0.0..1.0).contains(&(rate as f32)) && rate >= 0.0 {
        return Ok(());
    }
    Err(MethodError::Option {
        key,
        found: rate.to_string(),
        expected: "0 or more, and less than 1".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64) -> Pass<'static> {
        Pass {
            step: Some((3, step)),
            ..Pass::EVAL
        }
    }

    fn dropped(rate: f64, pass: &Pass) -> Vec<f32> {
        let ones = Tensor::ones(&[20_000]).unwrap();
        let tensor = dropout(&ones, rate, pass, "test.dropout").unwrap();
        tensor.to_vec()
    }

    #[test]
    fn a_value_is_dropped_or_made_up_for_the_dropped_ones() {
        let values = dropped(0.2, &at(0));
        assert!(values.iter().all(|&v| v == 0.0 || v == 1.25));
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!((mean - 1.0).abs() < 0.02, "mean {mean}");
    }

    #[test]
    fn a_step_has_one_mask_and_evaluation_none() {
        assert_eq!(dropped(0.5, &at(4)), dropped(0.5, &at(4)));
        assert_ne!(dropped(0.5, &at(4)), dropped(0.5, &at(5)));
        assert!(dropped(0.5, &Pass::EVAL).iter().all(|&v| v == 1.0));
        assert!(dropped(0.0, &at(4)).iter().all(|&v| v == 1.0));
    }

    #[test]
    fn a_rate_that_drops_all_is_refused() {
        assert!(check_rate(0.0, "x.dropout").is_ok());
        for rate in [1.0, -0.1, f64::NAN] {
            let error = check_rate(rate, "x.dropout").unwrap_err();
            assert!(error.to_string().starts_with("x.dropout = "), "{error}");
        }
    }
}
