//! Whether probabilities mean what they say, as they are and divided by a temperature.

use vlpt_tables::{Comparison, Results, SCORE, Table};

/// Measures of calibration, each as it is and scaled.
const MEASURES: [[&str; 2]; 2] = [["ece", "ece-scaled"], ["brier", "brier-scaled"]];

/// Expected calibration error and Brier score of each method at a number of shots, averages over the tasks that
/// have all four numbers, or over all tasks where a method has no held-out images. None where nothing was kept.
pub(super) fn table(results: &Results, shots: &str, part: &str) -> Option<Table> {
    let named = |measure: &str| {
        if part == SCORE {
            measure.to_owned()
        } else {
            format!("{part} {measure}")
        }
    };
    let compared = |measure: &str| -> Option<Comparison> {
        let name = named(measure);
        let own = results.measured(Some(name.as_str())).ok()?.at(shots).ok()?;
        Comparison::new(&own, Some(shots), &[], None).ok()
    };
    let [[ece, ece_scaled], [brier, brier_scaled]] = MEASURES.map(|pair| pair.map(compared));
    let (ece, brier) = (ece?, brier?);
    let value = |of: &Option<Comparison>, method: &str, task: &str| -> Option<f64> {
        let of = of.as_ref()?;
        let row = of.methods.iter().position(|known| known == method)?;
        let column = of.tasks.iter().position(|known| known == task)?;
        Some(of.cells[row][column].as_ref()?.mean)
    };
    let all = [Some(ece), ece_scaled, Some(brier), brier_scaled];
    let methods = all[0].as_ref().map(|of| of.methods.clone())?;
    let tasks = all[0].as_ref().map(|of| of.tasks.clone())?;
    let rows = methods.iter().map(|method| {
        let whole: Vec<[Option<f64>; 4]> = tasks
            .iter()
            .map(|task| std::array::from_fn(|at| value(&all[at], method, task)))
            .collect();
        let scaled = |cells: &&[Option<f64>; 4]| cells.iter().all(Option::is_some);
        let kept: Vec<&[Option<f64>; 4]> = whole.iter().filter(scaled).collect();
        let kept = if kept.is_empty() {
            whole.iter().filter(|cells| cells[0].is_some()).collect()
        } else {
            kept
        };
        let mean = |at: usize| -> Option<f64> {
            let values: Option<Vec<f64>> = kept.iter().map(|cells| cells[at]).collect();
            let values = values.filter(|values| !values.is_empty())?;
            Some(values.iter().sum::<f64>() / values.len() as f64)
        };
        let percent = |at| mean(at).map_or("-".to_owned(), |value| format!("{value:.1}"));
        // a Brier score is no share: 0 to 2
        let plain = |at| mean(at).map_or("-".to_owned(), |value| format!("{:.3}", value / 100.0));
        vec![
            method.clone(),
            percent(0),
            percent(1),
            plain(2),
            plain(3),
            kept.len().to_string(),
        ]
    });
    let of = if part == SCORE {
        String::new()
    } else {
        format!(" of the half {part}")
    };
    Some(Table {
        caption: format!(
            "Calibration{of} with {shots} shots: expected calibration error in percent (15 bins) and Brier score (0 to \
             2) of test images, as the probabilities are and with logits divided by the temperature that validation \
             images ask for, which were not learned from; means over seeds and n tasks. - : no such images."
        ),
        head: ["method", "ECE", "ECE scaled", "Brier", "Brier scaled", "n"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
    })
}

#[cfg(test)]
mod tests {
    use vlpt_tables::Score;

    use super::*;

    fn score(method: &str, task: &str, measure: &str, value: f64) -> Score {
        Score {
            task: task.to_owned(),
            method: method.to_owned(),
            seed: 1,
            shots: "4".to_owned(),
            measure: measure.to_owned(),
            value,
            seconds: None,
        }
    }

    #[test]
    fn averages_are_over_the_tasks_that_have_both_and_a_method_without_images_keeps_its_own() {
        let mut scores = Vec::new();
        for (method, task, ece, brier) in [
            ("a", "x", [10.0, 4.0], [50.0, 40.0]),
            ("a", "y", [20.0, 6.0], [70.0, 60.0]),
        ] {
            for (measure, value) in [
                ("ece", ece[0]),
                ("ece-scaled", ece[1]),
                ("brier", brier[0]),
                ("brier-scaled", brier[1]),
            ] {
                scores.push(score(method, task, measure, value));
            }
        }
        // a task without held-out images, and a method that has none anywhere
        scores.push(score("a", "z", "ece", 90.0));
        scores.push(score("a", "z", "brier", 90.0));
        for task in ["x", "y", "z"] {
            scores.push(score("plain", task, "ece", 12.0));
            scores.push(score("plain", task, "brier", 60.0));
        }
        let results = Results::new(scores).unwrap();
        let table = table(&results, "4", SCORE).unwrap();
        assert_eq!(table.rows[0], ["a", "15.0", "5.0", "0.600", "0.500", "2"]);
        assert_eq!(table.rows[1], ["plain", "12.0", "-", "0.600", "-", "3"]);
        assert!(super::table(&results, "4", "base").is_none());
    }
}
