//! Harmonic means of base and new classes.

use vlpt_tables::{Comparison, Table};

/// Harmonic means of the averages, not averages of harmonic means.
pub(super) fn harmonic(base: &Comparison, new: &Comparison) -> Table {
    let both = base.methods.iter().enumerate().filter_map(|(at, method)| {
        let other = new.methods.iter().position(|known| known == method)?;
        let mut row = vec![method.clone()];
        let cells = base.tasks.iter().enumerate().map(|(task, name)| {
            let there = new.tasks.iter().position(|known| known == name)?;
            let (a, b) = (
                base.cells[at][task].as_ref()?,
                new.cells[other][there].as_ref()?,
            );
            Some(mean(a.mean, b.mean))
        });
        let averages = base.averages.iter().map(|a| {
            // an unfinished benchmark may have a task in one half alone
            let b = new.averages.iter().find(|b| b.without == a.without)?;
            let (a, b) = (a.methods[at].as_ref()?, b.methods[other].as_ref()?);
            Some(mean(a.mean, b.mean))
        });
        let shown =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
        row.extend(cells.chain(averages).map(shown));
        Some(row)
    });
    let mut head = vec!["method".to_owned()];
    head.extend(base.tasks.iter().cloned());
    head.extend(
        base.averages
            .iter()
            .map(|average| match &average.without[..] {
                [] => format!("of averages over {}", average.tasks),
                without => format!("without {}", without.join(", ")),
            }),
    );
    Table {
        caption: format!(
            "Harmonic mean of base and new with {} shots, of means over seeds; the last columns are harmonic means of \
             the two averages over n = {} tasks.",
            base.shots,
            base.tasks.len()
        ),
        head,
        rows: both.collect(),
    }
}

/// The harmonic mean; 0 where one is.
pub(super) fn mean(base: f64, new: f64) -> f64 {
    if base + new > 0.0 {
        2.0 * base * new / (base + new)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use vlpt_tables::{Results, SCORE, Score};

    use super::*;

    fn comparison(tasks: &[&str], without: &[&str]) -> Comparison {
        let score = |task: &&str| Score {
            task: (*task).to_owned(),
            method: "coop".to_owned(),
            seed: 1,
            shots: "16".to_owned(),
            measure: SCORE.to_owned(),
            value: 50.0,
            seconds: None,
        };
        let results = Results::new(tasks.iter().map(score).collect());
        let without: Vec<String> = without.iter().map(|task| (*task).to_owned()).collect();
        Comparison::new(&results.expect("each once"), None, &without, None).expect("a table")
    }

    #[test]
    fn a_task_that_is_there_in_one_half_alone_is_a_gap() {
        let base = comparison(&["DTD", "EuroSAT"], &["EuroSAT"]);
        let new = comparison(&["DTD"], &[]);
        let table = harmonic(&base, &new);
        assert_eq!(table.head.len(), 5);
        assert_eq!(table.rows, [["coop", "50.0", "-", "50.0", "-"]]);
    }
}
