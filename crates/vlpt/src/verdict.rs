//! An evaluation in words.

use vlpt_adapter::{ClassesOf, Evaluation, IntervalKind};

use crate::console::table;

/// Names that a line lists.
const LISTED: usize = 8;
/// Confusions that are listed.
const CONFUSIONS: usize = 10;

/// The result, what was chosen among, and class by class where asked for.
pub(crate) fn text(result: &Evaluation, per_class: bool) -> String {
    let mut text = format!(
        "{} ({} split, {} images): {} {} %   {:.0} % interval {}\n{}",
        result.task,
        result.split.name(),
        result.images,
        result.metric,
        percent(result.value),
        100.0 * result.confidence,
        interval(result),
        choices(result),
    );
    if result.left_out > 0 {
        text.push_str(&format!(
            "\nnot judged: {} images that cannot be decoded (--broken skip)",
            result.left_out
        ));
    }
    if let Some(at) = &result.threshold {
        text.push_str(&format!(
            "\nat a probability of {} or more: {} of {} images have an answer ({} %)",
            at.threshold,
            at.answered,
            result.images,
            percent(at.coverage)
        ));
        if let (Some(share), Some(low), Some(high)) = (at.accuracy, at.low, at.high) {
            text.push_str(&format!(
                ", {} % of these right, {:.0} % interval {} to {}",
                percent(share),
                100.0 * result.confidence,
                percent(low),
                percent(high)
            ));
        }
    }
    if per_class && !result.confusion.is_empty() {
        text.push_str(&format!("\n\n{}", classes(result)));
        if let Some(confusions) = confusions(result) {
            text.push_str(&format!("\n\n{confusions}"));
        }
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

/// The ends of the interval, and how they were found where that is not the usual way.
fn interval(result: &Evaluation) -> String {
    let ends = format!("{} to {}", percent(result.low), percent(result.high));
    match result.interval {
        IntervalKind::Wilson | IntervalKind::Bootstrap => ends,
        IntervalKind::WilsonPerClass => format!("{ends} ({})", result.interval.describe()),
        IntervalKind::Unknown => result.interval.describe().to_owned(),
    }
}

/// Which classes were the choices.
pub(crate) fn choices(result: &Evaluation) -> String {
    let count = result.classes.len();
    let list = some_of(&result.classes);
    match (result.classes_of, &result.data_classes) {
        (ClassesOf::Prompt, None) => {
            format!("chosen among {count} classes, those of prompt and data")
        }
        (ClassesOf::Prompt, Some(data)) => format!(
            "chosen among the {count} classes of the prompt ({list}), of which the data has {}: {}",
            data.len(),
            some_of(data)
        ),
        (ClassesOf::Named, data) => format!(
            "chosen among the {count} classes named ({list}), of which the data has {}",
            data.as_ref().map_or(count, Vec::len)
        ),
        (ClassesOf::Data, _) => format!(
            "chosen among the {count} {} of the data ({list})",
            if count == 1 { "class" } else { "classes" }
        ),
    }
}

fn some_of(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
    match names.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn classes(result: &Evaluation) -> String {
    let rows: Vec<Vec<String>> = result
        .classes
        .iter()
        .zip(result.per_class.iter().zip(&result.confusion))
        .map(|(name, (share, row))| {
            let share = share.map_or_else(|| "-".to_owned(), percent);
            vec![name.clone(), row.iter().sum::<u64>().to_string(), share]
        })
        .collect();
    table(&["class", "images", "right %"], &rows)
}

fn confusions(result: &Evaluation) -> Option<String> {
    let mut wrong: Vec<(u64, &str, &str)> = Vec::new();
    for (truth, row) in result.confusion.iter().enumerate() {
        for (predicted, &count) in row.iter().enumerate() {
            if truth != predicted && count > 0 {
                wrong.push((count, &result.classes[truth], &result.classes[predicted]));
            }
        }
    }
    wrong.sort_by_key(|&(count, truth, predicted)| (std::cmp::Reverse(count), truth, predicted));
    let rows: Vec<Vec<String>> = wrong
        .iter()
        .take(CONFUSIONS)
        .map(|(count, truth, predicted)| {
            vec![
                (*truth).to_owned(),
                (*predicted).to_owned(),
                count.to_string(),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| table(&["is", "taken for", "times"], &rows))
}
