//! `vlpt tokenize`: the tokens of texts.

use clap::Args;
use serde::Serialize;

use crate::console::Console;
use crate::error::CliError;
use crate::options::load_tokenizer;

/// Flags of `vlpt tokenize`.
#[derive(Debug, Args)]
pub(crate) struct TokenizeArgs {
    /// Texts; each line of standard input when none is given
    #[arg(value_name = "TEXT")]
    texts: Vec<String>,
    /// Use the vocabulary of this model [default: OpenAI's, built in]
    #[arg(long, short, value_name = "NAME", env = "VLPT_MODEL")]
    model: Option<String>,
    /// Cut texts that are too long, as the published code does on request
    #[arg(long)]
    truncate: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    text: String,
    ids: Vec<u32>,
    tokens: Vec<String>,
}

/// Prints the ids and pieces of each text.
pub(crate) fn run(args: &TokenizeArgs, console: &Console) -> Result<(), CliError> {
    let tokenizer = load_tokenizer(args.model.as_deref(), console)?;
    let texts = if args.texts.is_empty() {
        std::io::read_to_string(std::io::stdin())?
            .lines()
            .map(str::to_owned)
            .collect()
    } else {
        args.texts.clone()
    };
    let rows = texts
        .into_iter()
        .map(|text| {
            let ids = if args.truncate {
                tokenizer.encode_truncated(&text)
            } else {
                tokenizer.encode(&text)?
            };
            let tokens = ids
                .iter()
                .map(|&id| tokenizer.token_text(id).unwrap_or("?").to_owned())
                .collect();
            Ok(Row { text, ids, tokens })
        })
        .collect::<Result<Vec<_>, CliError>>()?;
    console.result(&rows, || {
        let line = |row: &Row| {
            let pairs: Vec<String> = row
                .ids
                .iter()
                .zip(&row.tokens)
                .map(|(id, token)| format!("{id} {token}"))
                .collect();
            format!(
                "{}\n  {} tokens: {}",
                row.text,
                row.ids.len(),
                pairs.join(" | ")
            )
        };
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
