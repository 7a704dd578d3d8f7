//! Tables as text.

mod latex;

use std::fmt::Write as _;

/// What a table is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// A Markdown table.
    Markdown,
    /// A LaTeX tabular with the rules of `booktabs`.
    Latex,
    /// An HTML table.
    Html,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Markdown, Self::Latex, Self::Html];

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Markdown => "md",
            Self::Latex => "tex",
            Self::Html => "html",
        }
    }
}

/// A table: a caption, a head, and rows as wide as it. The first column holds names, the others
/// numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// What the table shows, with the numbers of tasks, seeds and images.
    pub caption: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The table as text, ending with a line break.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Csv => self.csv(),
            Format::Markdown => self.markdown(),
            Format::Latex => latex::write(self),
            Format::Html => self.html(),
        }
    }

    fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.head).chain(&self.rows) {
            writer
                .write_record(row)
                .expect("writing into memory does not fail");
        }
        let bytes = writer
            .into_inner()
            .expect("writing into memory does not fail");
        String::from_utf8(bytes).expect("the cells are UTF-8")
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let safe = cells
                .iter()
                .map(|cell| cell.replace('|', "\\|").replace('\n', " "));
            format!("| {} |\n", safe.collect::<Vec<_>>().join(" | "))
        };
        let mut text = line(&self.head);
        text += "|---";
        text += &"|---:".repeat(self.head.len().saturating_sub(1));
        text += "|\n";
        self.rows.iter().for_each(|row| text += &line(row));
        if !self.caption.is_empty() {
            let _ = write!(text, "\n{}\n", self.caption);
        }
        text
    }

    fn html(&self) -> String {
        let escape = |text: &str| {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            text.replace('>', "&gt;").replace('"', "&quot;")
        };
        let line = |tag: &str, cells: &[String]| {
            let cells = cells
                .iter()
                .map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)));
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let body: String = self.rows.iter().map(|row| line("td", row)).collect();
        format!(
            "<table>\n<caption>{}</caption>\n<thead>\n{}</thead>\n<tbody>\n{body}</tbody>\n</table>\n",
            escape(&self.caption),
            line("th", &self.head)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Table {
            caption: "1 task, 3 seeds".to_owned(),
            head: words(&["method", "DTD & co"]),
            rows: vec![words(&["a_b|c", "1.5 ± 0.2"]), words(&["x, \"y\"", "<2 %"])],
        }
    }

    #[test]
    fn what_means_something_to_a_format_is_escaped() {
        assert_eq!(
            table().write(Format::Markdown),
            "| method | DTD & co |\n|---|---:|\n| a_b\\|c | 1.5 ± 0.2 |\n| x, \"y\" | <2 % |\n\n1 task, 3 seeds\n"
        );
        assert_eq!(
            table().write(Format::Csv),
            "method,DTD & co\na_b|c,1.5 ± 0.2\n\"x, \"\"y\"\"\",<2 %\n"
        );
        let html = table().write(Format::Html);
        assert!(
            html.contains("<th>DTD &amp; co</th>") && html.contains("<td>&lt;2 %</td>"),
            "{html}"
        );
        let latex = table().write(Format::Latex);
        for row in [
            r"DTD \& co \\",
            r"a\_b\textbar{}c & $1.5 \pm 0.2$ \\",
            r"$<$2 \% \\",
        ] {
            assert!(latex.contains(row), "{latex}");
        }
        // what LaTeX would take for options of the row before
        let mut odd = table();
        odd.rows[0][0] = "[CLS] *x*".to_owned();
        odd.rows[1][0] = "*x".to_owned();
        let latex = odd.write(Format::Latex);
        assert!(
            latex.contains("\n{}[CLS] *x* &") && latex.contains("\n{}*x &"),
            "{latex}"
        );
    }
}
