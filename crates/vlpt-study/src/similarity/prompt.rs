//! How alike learned prompts are.

use super::{cosine, mean};
use crate::matrix::TaskMatrix;
use crate::{Result, StudyError};

/// What of two prompts is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptMeasure {
    /// Cosine of all numbers, token beside token: prompts that share a start keep it in common.
    All,
    /// Cosine of the mean tokens, which knows no order (the average-token measure of SPoT, Vu et
    /// al., 2022).
    MeanToken,
}

/// Compares the prompts of tasks, each `tokens x width`.
///
/// # Errors
/// Prompts that are empty, of different sizes, not whole tokens, or not finite.
pub fn prompt_similarity(
    prompts: &[(String, Vec<f32>)],
    width: usize,
    measure: PromptMeasure,
) -> Result<TaskMatrix> {
    let size = prompts.first().map_or(0, |(_, prompt)| prompt.len());
    let mut vectors = Vec::new();
    for (name, prompt) in prompts {
        let whole = width > 0 && !prompt.is_empty() && prompt.len().is_multiple_of(width);
        if !whole || prompt.len() != size || !prompt.iter().all(|v| v.is_finite()) {
            return Err(StudyError::numbers(
                "prompt",
                format!("{} values for \"{name}\"", prompt.len()),
                format!("{size} finite values, tokens of {width}"),
            ));
        }
        let tokens: Vec<Vec<f64>> = prompt
            .chunks_exact(width)
            .map(|token| token.iter().map(|&v| f64::from(v)).collect())
            .collect();
        vectors.push(match measure {
            PromptMeasure::All => tokens.concat(),
            PromptMeasure::MeanToken => mean(&tokens),
        });
    }
    let names: Vec<_> = prompts.iter().map(|(name, _)| name.clone()).collect();
    Ok(TaskMatrix::from_fn(names.clone(), names, |i, j| {
        cosine(&vectors[i], &vectors[j])
    }))
}
