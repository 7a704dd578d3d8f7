//! Who helps whom, and whether similarity tells it.

use vlpt_report::study::{
    Measure, Measured, Pair, SimilarityPanel, Target, Transfer, TransferCell, TransferMap,
};
use vlpt_report::svg::{Gap, Merge, Tree};
use vlpt_study::Compared;
use vlpt_study::groups::dendrogram;
use vlpt_study::merge::{Cell, Merged, TransferKind, TransferMatrix};

use super::shots;

/// The map of a transfer matrix.
pub(crate) fn map(matrix: &TransferMatrix, merged: &Merged) -> Option<TransferMap> {
    let cell = |source: &str, target: &str| -> Option<&Cell> {
        merged.cells.iter().find(|cell| {
            cell.transfer == matrix.transfer
                && cell.method == matrix.method
                && cell.source_shots == matrix.source_shots
                && cell.shots == matrix.shots
                && cell.target == target
                && (source.is_empty() || cell.source == source)
        })
    };
    let (sources, targets) = (matrix.score.rows(), matrix.score.columns());
    let mut cells = Vec::new();
    for source in sources {
        for target in targets {
            let together = matrix.transfer == TransferKind::CoTraining && source == target;
            cells.push(match cell(source, target) {
                Some(cell) => TransferCell::Measured(Measured {
                    score: cell.score.mean,
                    std: cell.score.std,
                    seeds: cell.score.count,
                    over_single: cell.gain.map(|gain| gain.mean),
                    over_clip: cell.gain_over_clip.map(|gain| gain.mean),
                }),
                None if together => TransferCell::Missing {
                    gap: Gap::Undefined,
                    reason: "a task with itself is the task alone".to_owned(),
                },
                None => TransferCell::Missing {
                    gap: Gap::NotRun,
                    reason: String::new(),
                },
            });
        }
    }
    let tree = tree(matrix);
    let target = |name: &String| Target {
        name: name.clone(),
        single: cell("", name).and_then(|cell| Some(cell.single?.mean)),
        clip: cell("", name).and_then(|cell| cell.clip),
    };
    let seeds: Vec<String> = matrix.seeds.iter().map(ToString::to_string).collect();
    let shots = shots(matrix.transfer, matrix.source_shots, matrix.shots);
    Some(TransferMap {
        transfer: transfer(matrix.transfer)?,
        method: matrix.method.clone(),
        setting: format!("{shots}, seeds {}", seeds.join(", ")),
        sources: sources.to_vec(),
        targets: targets.iter().map(target).collect(),
        cells,
        source_tree: if sources == targets {
            tree.clone()
        } else {
            Tree::default()
        },
        target_tree: tree,
        measures: vec![Measure::OverSingle, Measure::OverClip, Measure::Score],
    })
}

/// The clustering of the targets by who helps whom, where every target is a source too.
fn tree(matrix: &TransferMatrix) -> Tree {
    let Ok(found) = dendrogram(&matrix.gain) else {
        return Tree::default();
    };
    let merges = found.merges.iter().map(|merge| Merge {
        left: merge.left,
        right: merge.right,
        distance: merge.distance,
    });
    Tree {
        order: found.order,
        merges: merges.collect(),
    }
}

/// Each similarity against each transfer.
pub(super) fn panels(merged: &Merged, compared: &Compared) -> Vec<SimilarityPanel> {
    let mut panels = Vec::new();
    for found in &compared.correlations {
        let matrix = merged.matrices.iter().find(|m| {
            (m.transfer, &m.method, m.source_shots, m.shots)
                == (
                    found.transfer,
                    &found.method,
                    found.source_shots,
                    found.shots,
                )
        });
        let similarity = compared.similarities.iter().find(|s| {
            let own = s.method == found.method && s.source_shots == found.source_shots;
            s.measure == found.measure && (s.method.is_empty() || own)
        });
        let both = matrix.zip(similarity);
        let (Some((matrix, similarity)), Some(kind)) = (both, transfer(found.transfer)) else {
            continue;
        };
        let mut pairs = Vec::new();
        for (i, source) in matrix.gain.rows().iter().enumerate() {
            for (j, target) in matrix.gain.columns().iter().enumerate() {
                let alike = similarity.values.between(source, target);
                if let (true, Some((gain, alike))) =
                    (source != target, matrix.gain.get(i, j).zip(alike))
                {
                    pairs.push(Pair {
                        source: source.clone(),
                        target: target.clone(),
                        similarity: alike,
                        transfer: gain,
                    });
                }
            }
        }
        let shots = shots(found.transfer, found.source_shots, found.shots);
        panels.push(SimilarityPanel {
            similarity: found.measure.clone(),
            transfer: kind,
            method: format!("{}, {shots}", found.method),
            measure: Measure::OverSingle,
            pairs,
            rho: found.rho,
            interval: found.over_tasks,
            interval_from: "95 %, bootstrap over tasks".to_owned(),
        });
    }
    panels
}

fn transfer(kind: TransferKind) -> Option<Transfer> {
    match kind {
        TransferKind::ZeroShot => Some(Transfer::ZeroShot),
        TransferKind::Adapted => Some(Transfer::Adapted),
        TransferKind::CoTraining => Some(Transfer::CoTraining),
        TransferKind::Joint => None,
    }
}
