//! `vlpt inspect words`: the vocabulary's tokens nearest to learned text tokens.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use vlpt_inspect::words::{ReadToken, Reading, Word, read};

use crate::console::{Console, table};
use crate::error::CliError;
use crate::options::BaseModelArgs;

/// Flags of `vlpt inspect words`.
#[derive(Debug, Args)]
pub(crate) struct WordsArgs {
    /// A prompt folder, or a run folder that holds one
    #[arg(value_name = "PROMPT")]
    prompt: PathBuf,
    /// How many tokens of the vocabulary to print for each learned one
    #[arg(long, short = 'k', value_name = "K", default_value = "3")]
    top: NonZeroUsize,
    /// Of a class-specific prompt, read these classes alone, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    class: Vec<String>,
    #[command(flatten)]
    base: BaseModelArgs,
}

/// A distance below this share of another is called nearer.
const NEAR: f64 = 0.8;

#[derive(Debug, Serialize)]
struct Shown<'a> {
    model: &'a str,
    #[serde(flatten)]
    reading: &'a Reading,
    median_distance: f64,
    caveats: Vec<String>,
}

/// Reads the tokens and prints them.
pub(crate) fn run(args: &WordsArgs, console: &Console) -> Result<(), CliError> {
    let (prompt, clip) = super::open(&args.prompt, &args.base, console)?;
    let reading = read(&prompt, &clip, args.top.get(), &args.class)?;
    let shown = Shown {
        model: &clip.name,
        median_distance: reading.median_distance(),
        caveats: caveats(&reading),
        reading: &reading,
    };
    console.result(&shown, || text(&shown))
}

/// What keeps the words from being an explanation.
fn caveats(reading: &Reading) -> Vec<String> {
    let yardstick = &reading.yardstick;
    let (ours, words) = (reading.median_distance(), yardstick.median_distance);
    let mut caveats = vec![
        format!(
            "distance to the nearest word, medians: learned tokens {ours:.3}, random directions of \
             the same lengths {:.3}, words to their nearest other word {words:.3} ({} words)",
            yardstick.random_distance, yardstick.sample
        ),
        format!(
            "cosine with the nearest word, medians: learned tokens {:.3}, random directions {:.3}, \
             words {:.3}",
            reading.median_cosine(),
            yardstick.random_cosine,
            yardstick.median_cosine
        ),
    ];
    caveats.push(
        if ours < NEAR * words {
            "By distance, the tokens lie close to words, as after a start from words and little training."
        } else if ours < NEAR * yardstick.random_distance {
            "By distance, the tokens are nearer to words than chance, but no nearer than words are to each other."
        } else {
            "By distance, the tokens are as far from words as chance would put them: such words say next to \
             nothing."
        }
        .to_owned(),
    );
    caveats.push(
        "Nearest words name a place among the word vectors; they do not explain what was learned."
            .to_owned(),
    );
    if reading.depends_on_image {
        caveats.push(format!(
            "`{}` adds something to each token for each image; these are the tokens before that.",
            reading.method
        ));
    }
    caveats
}

fn text(shown: &Shown) -> String {
    let reading = shown.reading;
    let top = reading
        .tokens
        .iter()
        .map(|token| token.by_distance.len())
        .max()
        .unwrap_or(0);
    let mut header = vec!["token".to_owned(), "length".to_owned()];
    header.extend((1..=top).map(|i| format!("nearest {i}")));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = |of: &dyn Fn(&ReadToken) -> Vec<String>| -> Vec<Vec<String>> {
        let row = |token: &ReadToken| {
            let name = match &token.class {
                Some(class) => format!("{class} {}", token.place),
                None => token.place.to_string(),
            };
            let mut row = vec![name, format!("{:.3}", token.length)];
            row.extend(of(token));
            row
        };
        reading.tokens.iter().map(row).collect()
    };
    let distance = |t: &ReadToken| words(&t.by_distance, |w| w.distance);
    let cosine = |t: &ReadToken| words(&t.by_cosine, |w| w.cosine);
    format!(
        "{}: {} learned text tokens, in the vocabulary of {}; a word has length {:.3} (median)\n\n\
         by Euclidean distance\n{}\n\nby cosine\n{}\n\n{}",
        reading.method,
        reading.tokens.len(),
        shown.model,
        reading.yardstick.median_length,
        table(&header, &rows(&distance)),
        table(&header, &rows(&cosine)),
        shown.caveats.join("\n")
    )
}

fn words(words: &[Word], number: impl Fn(&Word) -> f64) -> Vec<String> {
    let cell = |word: &Word| format!("{} {:.3}", spelled(&word.token), number(word));
    words.iter().map(cell).collect()
}

/// A token for people: `photo` is a whole word or its end, `pho-` goes on.
fn spelled(token: &str) -> String {
    match token.strip_suffix("</w>") {
        Some(whole) => whole.to_owned(),
        None if token.starts_with("<|") => token.to_owned(),
        None => format!("{token}-"),
    }
}
