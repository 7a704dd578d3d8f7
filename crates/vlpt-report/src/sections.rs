//! Parts that several reports share, each from its data to HTML; nothing where there is no data.

use std::fmt::Write as _;

use crate::data::{Confusion, Curve, CurvePoint, Example, Fact, KeyNumber, percent};
use crate::escape::escape;
use crate::svg::{self, LineChart, Series};

/// Up to this number of classes the matrix is a table with numbers.
const TABLE_CLASSES: usize = 30;

/// The large numbers on top.
pub(crate) fn key_numbers(numbers: &[KeyNumber]) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let mut html = "<dl class=\"keys\">\n".to_owned();
    for number in numbers {
        let _ = writeln!(
            html,
            "<div><dt>{}</dt><dd class=\"value\">{}</dd><dd class=\"detail\">{}</dd></div>",
            escape(&number.label),
            escape(&number.value),
            escape(&number.detail)
        );
    }
    html + "</dl>\n"
}

/// Loss and accuracy over the epochs: one or two charts and a table.
pub(crate) fn curve(curve: &Curve) -> String {
    if curve.points.is_empty() {
        return String::new();
    }
    let mark = curve
        .selected
        .map(|epoch| (epoch as f64, "kept".to_owned()));
    let line = |name: &str, colour, value: &dyn Fn(&CurvePoint) -> Option<f64>| Series {
        name: name.to_owned(),
        points: curve
            .points
            .iter()
            .filter_map(|p| Some((p.epoch as f64, value(p)?)))
            .collect(),
        colour,
    };
    let chart = |title: &str, series, percent| {
        let svg = svg::line_chart(&LineChart {
            title: title.to_owned(),
            x_label: "epoch".to_owned(),
            series,
            mark: mark.clone(),
            percent,
        });
        format!("<figure>\n{svg}</figure>\n")
    };
    let mut html = "<div class=\"charts\">\n".to_owned();
    html += &chart(
        "Training loss",
        vec![line("loss", 0, &|p| Some(p.loss))],
        false,
    );
    let mut accuracy = vec![
        line("training", 0, &|p| p.train),
        line("validation", 1, &|p| p.val),
    ];
    accuracy.retain(|series| !series.points.is_empty());
    match accuracy.as_slice() {
        [] => {}
        [one] => {
            let title = format!("Accuracy, {} images", one.name);
            html += &chart(&title, accuracy, true);
        }
        _ => html += &chart("Accuracy", accuracy, true),
    }
    html += "</div>\n<details><summary>The curve as numbers</summary>\n<table>\n<thead><tr><th \
             scope=\"col\">epoch</th><th scope=\"col\">training loss</th><th scope=\"col\">training \
             accuracy</th><th scope=\"col\">validation accuracy</th></tr></thead>\n<tbody>\n";
    for point in &curve.points {
        let share = |value: Option<f64>| value.map_or_else(|| "\u{2013}".to_owned(), percent);
        let kept = if curve.selected == Some(point.epoch) {
            " (kept)"
        } else {
            ""
        };
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}{kept}</th><td>{:.4}</td><td>{}</td><td>{}</td></tr>",
            point.epoch,
            point.loss,
            share(point.train),
            share(point.val)
        );
    }
    html + "</tbody>\n</table>\n</details>\n"
}

/// The confusion matrix: a table of numbers on coloured cells, or a figure where there are many
/// classes; then the most frequent mistakes.
pub(crate) fn confusion(matrix: &Confusion) -> String {
    let n = matrix.classes.len();
    if n == 0 {
        return String::new();
    }
    let mut html = if n <= TABLE_CLASSES {
        confusion_table(matrix)
    } else {
        format!(
            "<figure class=\"wide\">\n{}</figure>\n",
            svg::confusion(matrix, "confusion matrix")
        )
    };
    let worst = matrix.worst(5);
    if !worst.is_empty() {
        let mistakes: Vec<_> = worst
            .into_iter()
            .map(|(truth, predicted, count)| {
                let (truth, predicted) = (&matrix.classes[truth], &matrix.classes[predicted]);
                format!(
                    "{} taken for {} ({count})",
                    escape(truth),
                    escape(predicted)
                )
            })
            .collect();
        let _ = writeln!(
            html,
            "<p class=\"note\">Most frequent mistakes: {}.</p>",
            mistakes.join("; ")
        );
    }
    html
}

fn confusion_table(matrix: &Confusion) -> String {
    let mut html = "<div class=\"wide\">\n<table class=\"matrix\">\n<caption>Rows: true class. \
                    Columns: predicted class. Numbers of images; the darker, the larger the share of \
                    the row.</caption>\n<thead><tr><td></td>"
        .to_owned();
    for class in &matrix.classes {
        let _ = write!(
            html,
            "<th scope=\"col\"><span>{}</span></th>",
            escape(class)
        );
    }
    html += "</tr></thead>\n<tbody>\n";
    for (truth, class) in matrix.classes.iter().enumerate() {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(class));
        for (predicted, other) in matrix.classes.iter().enumerate() {
            let (fill, ink) = svg::shade(matrix.share(truth, predicted));
            let _ = write!(
                html,
                "<td style=\"background:{fill};color:{ink}\" title=\"{} taken for {}: {} of {}\">\
                 {}</td>",
                escape(class),
                escape(other),
                matrix.count(truth, predicted),
                matrix.total(truth),
                matrix.count(truth, predicted)
            );
        }
        html += "</tr>\n";
    }
    html + "</tbody>\n</table>\n</div>\n"
}

/// A gallery of images with what was made of them.
pub(crate) fn examples(examples: &[Example]) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let mut html = "<ul class=\"examples\">\n".to_owned();
    for example in examples {
        let (class, verdict) = if example.is_right() {
            ("right", "right")
        } else {
            ("wrong", "wrong, true class")
        };
        let truth = escape(&example.truth);
        let image = example.picture.data_uri().map_or_else(String::new, |uri| {
            format!("<img src=\"{uri}\" alt=\"image of class {truth}\">")
        });
        let _ = write!(
            html,
            "<li class=\"{class}\">{image}<div><span class=\"verdict\">{verdict}: {truth}</span>\
             <div class=\"guess\">"
        );
        for (name, probability) in example.predictions.iter().take(3) {
            let share = if probability.is_finite() {
                probability.clamp(0.0, 1.0)
            } else {
                0.0
            };
            let _ = write!(
                html,
                "<span>{}</span><span>{:.0} %</span><i style=\"width:{:.0}%\"></i>",
                escape(name),
                100.0 * share,
                (100.0 * share).max(1.0)
            );
        }
        html += "</div></div></li>\n";
    }
    html + "</ul>\n"
}

/// A table of two columns.
pub(crate) fn facts(facts: &[Fact]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let mut html = "<div class=\"wide\">\n<table>\n<tbody>\n".to_owned();
    for fact in facts {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td></tr>",
            escape(&fact.name),
            escape(&fact.value)
        );
    }
    html + "</tbody>\n</table>\n</div>\n"
}

/// Commands to copy.
pub(crate) fn commands(commands: &[String]) -> String {
    if commands.is_empty() {
        return String::new();
    }
    let lines: Vec<_> = commands.iter().map(|command| escape(command)).collect();
    format!("<pre><code>{}</code></pre>\n", lines.join("\n"))
}

/// A heading with a body; nothing where the body is empty.
pub(crate) fn section(heading: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!(
        "<section>\n<h2>{}</h2>\n{body}</section>\n",
        escape(heading)
    )
}
