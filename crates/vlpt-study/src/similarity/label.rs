//! How alike the classes of two tasks are, from their names and text features.

use std::collections::BTreeSet;

use super::{cosine, mean, unit_rows};
use crate::linear::dot;
use crate::matrix::TaskMatrix;
use crate::{Result, StudyError};

/// A task's classes with their text features.
#[derive(Debug, Clone)]
pub struct TaskLabels {
    /// The task.
    pub task: String,
    /// Class names.
    pub classes: Vec<String>,
    /// Text features under written prompts, `classes x width`.
    pub features: Vec<f32>,
}

/// Three views of how alike classes are.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelSimilarity {
    /// Cosine of the mean text features. Symmetric.
    pub mean_cosine: TaskMatrix,
    /// Soft best match: for each class of the target (column) the largest cosine to a class of the
    /// source (row), averaged over the target's classes. 1 where the source covers the target.
    pub best_match: TaskMatrix,
    /// Exact overlap: Jaccard index of the sets of normalised class names. Symmetric.
    pub overlap: TaskMatrix,
}

/// Compares each task with each.
///
/// # Errors
/// Features that are not `classes x width`.
pub fn label_similarity(tasks: &[TaskLabels], width: usize) -> Result<LabelSimilarity> {
    let mut rows = Vec::new();
    for task in tasks {
        let unit = unit_rows("text features", &task.features, width)?;
        if unit.len() != task.classes.len() {
            return Err(StudyError::numbers(
                "text features",
                format!("{} rows for \"{}\"", unit.len(), task.task),
                format!("{}, one for each class", task.classes.len()),
            ));
        }
        rows.push(unit);
    }
    let means: Vec<_> = rows.iter().map(|r| mean(r)).collect();
    let names: Vec<BTreeSet<String>> = tasks
        .iter()
        .map(|t| t.classes.iter().map(|c| normalised_class_name(c)).collect())
        .collect();
    let matrix = |value: &dyn Fn(usize, usize) -> f64| {
        let tasks: Vec<_> = tasks.iter().map(|t| t.task.clone()).collect();
        TaskMatrix::from_fn(tasks.clone(), tasks, value)
    };
    Ok(LabelSimilarity {
        mean_cosine: matrix(&|i, j| cosine(&means[i], &means[j])),
        best_match: matrix(&|i, j| best_match(&rows[i], &rows[j])),
        overlap: matrix(&|i, j| jaccard(&names[i], &names[j])),
    })
}

fn best_match(source: &[Vec<f64>], target: &[Vec<f64>]) -> f64 {
    let best = |class: &Vec<f64>| {
        source
            .iter()
            .map(|other| dot(class, other))
            .fold(f64::NEG_INFINITY, f64::max)
    };
    target.iter().map(best).sum::<f64>() / target.len() as f64
}

fn jaccard(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let both = a.intersection(b).count();
    both as f64 / (a.len() + b.len() - both) as f64
}

/// A class name in lower case, with one space for each run of anything but letters and digits, so
/// that `Air-Plane` and `air_plane` are one name.
pub fn normalised_class_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<_> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_hide_equal_class_names() {
        assert_eq!(
            normalised_class_name(" Air-Plane_(small) "),
            "air plane small"
        );
        assert_eq!(
            normalised_class_name("İstanbul"),
            normalised_class_name("İstanbul")
        );
        assert_ne!(normalised_class_name("cat"), normalised_class_name("cats"));
    }
}
