//! Figures of a comparison.

use vlpt_report::svg::{CurveLine, Curves, RankChart, curves, rank_chart};
use vlpt_tables::{Comparison, Results};

use crate::error::CliError;

/// Each figure with the name of its file: ranks, and averages over numbers of shots where there are
/// several.
pub(super) fn draw(
    results: &Results,
    comparison: &Comparison,
) -> Result<Vec<(String, String)>, CliError> {
    let mut files = Vec::new();
    files.extend(ranks(comparison).map(|figure| ("ranks.svg".to_owned(), figure)));
    if results.shots().len() > 1 {
        files.push(("shots.svg".to_owned(), shots(results)?));
    }
    Ok(files)
}

/// Average ranks, where there are enough tasks and methods for a critical difference.
pub(crate) fn ranks(comparison: &Comparison) -> Option<String> {
    let ranking = comparison.ranking.as_ref()?;
    let names = comparison.methods.iter().cloned();
    Some(rank_chart(&RankChart {
        title: format!(
            "Average rank over {} tasks, {}",
            ranking.tasks.len(),
            comparison.shots_in_words()
        ),
        ranks: names.zip(ranking.ranks.average.iter().copied()).collect(),
        critical_difference: ranking.ranks.critical_difference?,
    }))
}

/// The average over tasks of each method at each number of shots.
pub(crate) fn shots(results: &Results) -> Result<String, CliError> {
    let places = results.shots();
    let mut compared = Vec::new();
    for shots in &places {
        compared.push(Comparison::new(results, Some(shots), &[], None)?);
    }
    let point = |comparison: &Comparison, method: &str| {
        let at = comparison
            .methods
            .iter()
            .position(|known| known == method)?;
        let average = comparison.averages[0].methods[at]?;
        Some((average.mean, average.half()))
    };
    let lines = results.methods().into_iter().map(|method| CurveLine {
        name: method.to_owned(),
        points: compared
            .iter()
            .map(|comparison| point(comparison, method))
            .collect(),
    });
    Ok(curves(&Curves {
        title: format!("Average over {} tasks", results.tasks().len()),
        x_label: "training images a class".to_owned(),
        places: places.iter().map(ToString::to_string).collect(),
        lines: lines.collect(),
    }))
}
