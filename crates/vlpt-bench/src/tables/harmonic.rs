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
        let averages = base.averages.iter().zip(&new.averages).map(|(a, b)| {
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
