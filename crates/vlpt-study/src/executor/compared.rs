//! What a comparison of a study's tasks found.

use crate::matrix::TaskMatrix;
use crate::merge::TransferKind;
use crate::stats::Summary;

/// One measure of how alike tasks are.
#[derive(Debug, Clone, PartialEq)]
pub struct Similarity {
    /// Its name in tables, such as `visual-cosine`.
    pub measure: String,
    /// The method whose prompts are compared; empty where none are.
    pub method: String,
    /// Images per class that those prompts were trained with; 0 where none are compared.
    pub source_shots: usize,
    /// Task by task. With prompts: of the sources, the mean over seeds.
    pub values: TaskMatrix,
}

/// Rank correlation of one transfer matrix with one similarity.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarityCorrelation {
    /// How sources help.
    pub transfer: TransferKind,
    /// The method of the transfer.
    pub method: String,
    /// Images per class of the source.
    pub source_shots: usize,
    /// Images per class of the target.
    pub shots: usize,
    /// [`Similarity::measure`].
    pub measure: String,
    /// Pairs of different tasks that both have.
    pub pairs: usize,
    /// Spearman's correlation with the gains over the single task, means over seeds.
    pub rho: Option<f64>,
    /// Interval of it at 95 %, by the bootstrap over tasks.
    pub over_tasks: Option<(f64, f64)>,
    /// The correlation of each seed's gains, summed up at 95 %.
    pub over_seeds: Option<Summary>,
}

/// What a comparison of tasks found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// The measures.
    pub similarities: Vec<Similarity>,
    /// What they say about transfer: each matrix with each measure (of prompts: those of its own
    /// method and shots).
    pub correlations: Vec<SimilarityCorrelation>,
}
