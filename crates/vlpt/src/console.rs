//! Where words go: data to standard output, talk and progress to standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::error::CliError;

/// A bar appears only when work has already taken this long.
const QUIET_START: Duration = Duration::from_secs(2);

/// The two output streams and how much may be said on them.
#[derive(Debug)]
pub(crate) struct Console {
    json: bool,
    quiet: bool,
    bars: bool,
    colour: bool,
}

impl Console {
    /// `json`: one JSON document on standard output instead of text. `quiet`: no talk on standard error.
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let colour =
            io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self {
            json,
            quiet,
            bars: terminal && !quiet,
            colour,
        }
    }

    /// Whether `--json` was given.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// One line of data.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", text.as_ref()).map_err(CliError::stdout)
    }

    /// The result of a command: `value` as JSON under `--json`, else the lines of `text`.
    pub(crate) fn result<T: serde::Serialize>(
        &self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.json {
            let document = serde_json::to_string_pretty(value)
                .map_err(|e| CliError::failure(format!("cannot write the result as JSON: {e}")))?;
            self.line(document)
        } else {
            let text = text();
            let text = text.trim_end_matches('\n');
            if text.is_empty() {
                Ok(())
            } else {
                self.line(text)
            }
        }
    }

    /// One line of talk on standard error; silent under `--quiet`.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            // Talk that cannot be written is not worth failing for.
            let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
        }
    }

    /// An error on standard error, also under `--quiet`.
    pub(crate) fn complain(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// `text` in bold where standard output is a terminal.
    pub(crate) fn bold(&self, text: &str) -> String {
        if self.colour && !self.json {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A progress bar counting `unit`s, drawn after two seconds and only on a terminal.
    pub(crate) fn bar(&self, unit: Unit) -> Bar {
        Bar {
            unit,
            shown: self.bars,
            state: Mutex::new(None),
        }
    }
}

/// What a bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Things: images, texts, epochs.
    Items,
    /// Bytes of a download.
    Bytes,
}

/// A progress bar with rate and time left.
#[derive(Debug)]
pub(crate) struct Bar {
    unit: Unit,
    shown: bool,
    state: Mutex<Option<Drawn>>,
}

#[derive(Debug)]
struct Drawn {
    bar: ProgressBar,
    since: Instant,
    visible: bool,
}

impl Bar {
    /// Begins `what` with `total` units to do, 0 where it is not known how many; ends an earlier phase.
    pub(crate) fn begin(&self, what: &str, total: u64) {
        self.end();
        if !self.shown {
            return;
        }
        let known = (total > 0).then_some(total);
        let bar = ProgressBar::with_draw_target(known, ProgressDrawTarget::hidden());
        let template = match self.unit {
            _ if known.is_none() => "{msg:24!} {human_pos}  {rate:>10}",
            Unit::Items => "{msg:24!} {bar:28} {human_pos}/{human_len}  {rate:>10}  {eta} left",
            Unit::Bytes => {
                "{msg:24!} {bar:28} {bytes}/{total_bytes}  {bytes_per_sec:12}  {eta} left"
            }
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        bar.set_message(what.to_owned());
        if let Ok(mut state) = self.state.lock() {
            *state = Some(Drawn {
                bar,
                since: Instant::now(),
                visible: false,
            });
        }
    }

    /// `by` more units are done.
    pub(crate) fn advance_by(&self, by: u64) {
        if let Ok(mut state) = self.state.lock()
            && let Some(drawn) = state.as_mut()
        {
            drawn.bar.inc(by);
            if !drawn.visible && drawn.since.elapsed() >= QUIET_START {
                drawn.bar.set_draw_target(ProgressDrawTarget::stderr());
                drawn.visible = true;
            }
        }
    }

    /// `done` units are done in all.
    pub(crate) fn reach(&self, done: u64) {
        let before = self
            .state
            .lock()
            .ok()
            .and_then(|s| s.as_ref().map(|d| d.bar.position()));
        if let Some(before) = before {
            self.advance_by(done.saturating_sub(before));
        }
    }

    /// Changes what the bar says it is doing.
    pub(crate) fn note(&self, what: &str) {
        if let Ok(state) = self.state.lock()
            && let Some(drawn) = state.as_ref()
        {
            drawn.bar.set_message(what.to_owned());
        }
    }

    /// The phase is over; its bar goes away.
    pub(crate) fn end(&self) {
        if let Ok(mut state) = self.state.lock()
            && let Some(drawn) = state.take()
        {
            drawn.bar.finish_and_clear();
        }
    }
}

impl vlpt_clip::Progress for Bar {
    fn start(&self, what: &str, total: u64) {
        self.begin(what, total);
    }
    fn advance(&self, by: u64) {
        self.advance_by(by);
    }
    fn finish(&self) {
        self.end();
    }
}

/// Items a second, with as many digits as one reads.
fn rate(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    let rate = state.per_sec();
    let digits = usize::from(rate < 10.0);
    // A rate that cannot be written is not worth failing for.
    let _ = write!(text, "{rate:.digits$}/s");
}

/// Rows of cells as a table: columns aligned, the first to the left, the others to the right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let columns = header.len();
    let width = |c: usize| {
        rows.iter()
            .filter_map(|r| r.get(c))
            .map(|cell| cell.chars().count())
            .chain([header[c].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let render = |cells: Vec<&str>| {
        let mut line = String::new();
        for (c, cell) in cells.iter().enumerate() {
            let pad = " ".repeat(widths[c].saturating_sub(cell.chars().count()));
            if c == 0 {
                line.push_str(cell);
                line.push_str(&pad);
            } else {
                line.push_str("  ");
                line.push_str(&pad);
                line.push_str(cell);
            }
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![render(header.to_vec())];
    lines.extend(
        rows.iter()
            .map(|r| render(r.iter().map(String::as_str).collect())),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_table_aligns_words_left_and_numbers_right() {
        let rows = vec![
            vec!["a".into(), "1.0".into()],
            vec!["long".into(), "22.0".into()],
        ];
        assert_eq!(
            table(&["task", "acc"], &rows),
            "task   acc\na      1.0\nlong  22.0"
        );
    }
}
