//! `merged/similarity` and `merged/correlation`, as CSV and Parquet.

use std::path::Path;

use fs_err as fs;
use vlpt_tables::{Column, Columns};

use super::compared::{Compared, Similarity, SimilarityCorrelation};
use crate::Result;
use crate::folder::Folder;
use crate::merge::output;

impl Compared {
    /// Writes `merged/similarity` and `merged/correlation`, each as `.csv` and `.parquet`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let out = Folder::new(dir).merged();
        fs::create_dir_all(&out)?;
        let tables = [
            ("similarity", similarities(&self.similarities)),
            ("correlation", correlations(&self.correlations)),
        ];
        for (name, table) in tables {
            output::write(&table, &out, name)?;
        }
        Ok(())
    }
}

/// One row for each measure and pair.
fn similarities(all: &[Similarity]) -> Columns {
    let mut rows: Vec<(&Similarity, &str, &str, Option<f64>)> = Vec::new();
    for similarity in all {
        let values = &similarity.values;
        for (i, source) in values.rows().iter().enumerate() {
            for (j, target) in values.columns().iter().enumerate() {
                rows.push((similarity, source, target, values.get(i, j)));
            }
        }
    }
    let shots = rows.iter().map(|row| row.0.source_shots as i64);
    Columns::new(vec![
        (
            "measure",
            Column::text(rows.iter().map(|r| &r.0.measure[..])),
        ),
        ("method", Column::text(rows.iter().map(|r| &r.0.method[..]))),
        ("source_shots", Column::whole(shots)),
        ("source", Column::text(rows.iter().map(|row| row.1))),
        ("target", Column::text(rows.iter().map(|row| row.2))),
        ("value", Column::number(rows.iter().map(|row| row.3))),
    ])
}

/// One row for each transfer matrix and measure.
fn correlations(rows: &[SimilarityCorrelation]) -> Columns {
    let text = |of: fn(&SimilarityCorrelation) -> &str| Column::text(rows.iter().map(of));
    let whole = |of: fn(&SimilarityCorrelation) -> usize| {
        Column::whole(rows.iter().map(|row| of(row) as i64))
    };
    let number =
        |of: fn(&SimilarityCorrelation) -> Option<f64>| Column::number(rows.iter().map(of));
    Columns::new(vec![
        ("transfer", text(|r| r.transfer.name())),
        ("method", text(|r| &r.method)),
        ("source_shots", whole(|r| r.source_shots)),
        ("shots", whole(|r| r.shots)),
        ("measure", text(|r| &r.measure)),
        ("pairs", whole(|r| r.pairs)),
        ("rho", number(|r| r.rho)),
        ("rho_low", number(|r| Some(r.over_tasks?.0))),
        ("rho_high", number(|r| Some(r.over_tasks?.1))),
        ("seeds", whole(|r| r.over_seeds.map_or(0, |s| s.count))),
        ("seeds_mean", number(|r| Some(r.over_seeds?.mean))),
        ("seeds_low", number(|r| Some(r.over_seeds?.interval?.0))),
        ("seeds_high", number(|r| Some(r.over_seeds?.interval?.1))),
    ])
}
