//! LaTeX with the rules of `booktabs`.

use super::Table;

/// A `table` environment; `\usepackage{booktabs}` is all that it needs.
pub(super) fn write(table: &Table) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
        // behind the end of a row these would be its options
        let begin = match cells.first() {
            Some(first) if first.starts_with(['[', '*']) => "{}",
            _ => "",
        };
        format!("{begin}{} \\\\\n", cells.join(" & "))
    };
    let columns = "r".repeat(table.head.len().saturating_sub(1));
    let body: String = table.rows.iter().map(|row| line(row)).collect();
    format!(
        "% \\usepackage{{booktabs}}\n\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\begin{{tabular}}{{l{columns}}}\n\\toprule\n{}\\midrule\n{body}\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n",
        escape(&table.caption),
        line(&table.head)
    )
}

/// Text as LaTeX; a number with its interval in mathematics.
fn escape(text: &str) -> String {
    if let Some((mean, half)) = text.split_once(" ± ")
        && mean.parse::<f64>().is_ok()
        && half.parse::<f64>().is_ok()
    {
        return format!("${mean} \\pm {half}$");
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                safe.push('\\');
                safe.push(c);
            }
            '\\' => safe += "\\textbackslash{}",
            // other characters in the usual encoding of fonts
            '<' => safe += "$<$",
            '>' => safe += "$>$",
            '|' => safe += "\\textbar{}",
            '~' => safe += "\\textasciitilde{}",
            '^' => safe += "\\textasciicircum{}",
            '±' => safe += "$\\pm$",
            '\n' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
