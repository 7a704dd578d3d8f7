//! From results to tables and matrices.
//!
//! Everything follows from the plan and the results, in the order of the plan: whoever did the jobs,
//! and in whatever order, the files are equal byte for byte.

mod cells;
mod matrices;
pub(crate) mod output;
mod scores;

use std::path::Path;

use fs_err as fs;

pub use cells::{Cell, TransferKind};
pub use matrices::TransferMatrix;
pub use scores::ScoreRow;

use crate::folder::Folder;
use crate::plan::Plan;
use crate::result::read_outcome;
use crate::{Result, StudyError};

/// What a study found.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// One row for each job and task it is evaluated on.
    pub scores: Vec<ScoreRow>,
    /// One row for each transfer, method, number of shots, source and target: over seeds.
    pub cells: Vec<Cell>,
    /// The matrices.
    pub matrices: Vec<TransferMatrix>,
    /// Jobs without a result.
    pub missing: usize,
}

/// Reads the results of a study.
///
/// # Errors
/// No plan, a damaged result, or jobs without a result unless `partial` allows them.
pub fn collect(dir: &Path, partial: bool) -> Result<Merged> {
    let plan = Plan::read(dir)?;
    let folder = Folder::new(dir);
    let mut outcomes = Vec::new();
    for (job, id) in plan.jobs().iter().zip(plan.ids()) {
        outcomes.push(read_outcome(&folder, job, id)?);
    }
    let missing = outcomes.iter().filter(|outcome| outcome.is_none()).count();
    if missing > 0 && !partial {
        return Err(StudyError::Incomplete {
            dir: dir.to_owned(),
            missing,
            all: outcomes.len(),
        });
    }
    let scores = scores::rows(&plan, &outcomes);
    let cells = cells::cells(&scores);
    Ok(Merged {
        matrices: matrices::matrices(&plan, &cells),
        scores,
        cells,
        missing,
    })
}

/// [`collect`], and writes `merged/scores` and `merged/matrix`, each as `.csv` and, with the
/// feature `parquet`, as `.parquet`.
///
/// # Errors
/// As for [`collect`], and the folder cannot be written.
pub fn merge(dir: &Path, partial: bool) -> Result<Merged> {
    let merged = collect(dir, partial)?;
    let out = Folder::new(dir).merged();
    fs::create_dir_all(&out)?;
    let tables = [
        ("scores", scores::table(&merged.scores)),
        ("matrix", cells::table(&merged.cells)),
    ];
    for (name, table) in tables {
        output::write(&table, &out, name)?;
    }
    Ok(merged)
}
