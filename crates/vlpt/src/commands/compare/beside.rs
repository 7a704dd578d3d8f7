//! Own results beside published figures.

use std::collections::BTreeSet;

use vlpt_base::list::cut;
use vlpt_tables::published::{self, Ours, published};
use vlpt_tables::{Comparison, Results};

use crate::error::CliError;

/// Averages over all tasks, or results on the one that is named, at each number of shots, beside published
/// figures.
pub(super) fn table(what: &str, results: &Results) -> Result<String, CliError> {
    let mut parts = what.splitn(3, ':');
    let protocol = parts.next().unwrap_or_default();
    let dataset = parts.next().unwrap_or("average of 11");
    let measure = parts.next().unwrap_or("accuracy");
    let known = published()
        .iter()
        .map(|figure| format!("{}:{}:{}", figure.protocol, figure.dataset, figure.measure));
    let known: BTreeSet<String> = known.collect();
    if !known.contains(&format!("{protocol}:{dataset}:{measure}")) {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(CliError::usage(
            format!("no published figure of {protocol}:{dataset}:{measure}"),
            format!("there are {}", known.join(", ")),
        ));
    }
    let averages = dataset.starts_with("average");
    let (mut ours, mut tasks) = (Vec::new(), 0);
    for shots in results.shots() {
        let Ok(count) = shots.parse() else { continue };
        let comparison = Comparison::new(results, Some(shots), &[], None)?;
        tasks = tasks.max(comparison.averages[0].tasks);
        let mut names = comparison.tasks.iter();
        let task = names.position(|task| task.eq_ignore_ascii_case(dataset));
        for (at, method) in comparison.methods.iter().enumerate() {
            let own = match task {
                _ if averages => comparison.averages[0].methods[at],
                Some(task) => comparison.cells[at][task],
                None => None,
            };
            ours.extend(own.map(|own| Ours {
                method: method.clone(),
                shots: count,
                value: own.mean,
                interval: own.half(),
            }));
        }
    }
    if ours.is_empty() {
        return Err(CliError::usage(
            format!("nothing of these results stands beside {protocol}:{dataset}:{measure}"),
            format!("the tasks are {}", cut(&results.tasks(), ", ")),
        ));
    }
    let own = published::beside(&ours, protocol, dataset, measure);
    let over = format!("\nAverages from here are over {tasks} tasks.\n");
    Ok(if averages { own + &over } else { own })
}
