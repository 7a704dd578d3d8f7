//! `vlpt inspect similarity`: prompts compared with each other.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use vlpt_adapter::PromptFolder;
use vlpt_base::files::write_atomic;
use vlpt_inspect::similarity::{
    Measure, Profile, SimilarityMatrix, check_same_model, similarities,
};
use vlpt_inspect::{OpenPrompt, csv_text};

use crate::console::{Console, table};
use crate::error::CliError;
use crate::options::BaseModelArgs;

/// Flags of `vlpt inspect similarity`.
#[derive(Debug, Args)]
pub(crate) struct SimilarityArgs {
    /// Two or more prompt folders, or run folders that hold one
    #[arg(value_name = "PROMPT", required = true)]
    prompts: Vec<PathBuf>,
    /// Also print visual prompts block by block
    #[arg(long)]
    blocks: bool,
    /// Also write all values, one pair a line
    #[arg(long, short, value_name = "FILE.csv")]
    out: Option<PathBuf>,
    #[command(flatten)]
    base: BaseModelArgs,
}

#[derive(Debug, Serialize)]
struct Compared {
    prompts: Vec<Named>,
    matrices: Vec<SimilarityMatrix>,
}

#[derive(Debug, Serialize)]
struct Named {
    path: String,
    method: String,
    task: String,
    seed: u64,
}

/// Compares and prints.
pub(crate) fn run(args: &SimilarityArgs, console: &Console) -> Result<(), CliError> {
    let folders: Vec<PromptFolder> = args
        .prompts
        .iter()
        .map(|path| PromptFolder::open(path))
        .collect::<Result<_, _>>()?;
    check_same_model(&folders)?;
    let first = &folders[0];
    let clip = args.base.open(first, console)?;
    let named = |(path, folder): (&PathBuf, &PromptFolder)| Named {
        path: path.display().to_string(),
        method: folder.adapter.method.name().to_owned(),
        task: folder.adapter.task.clone(),
        seed: folder.adapter.seed,
    };
    let prompts = args.prompts.iter().zip(&folders).map(named).collect();
    let profiles: Vec<Profile> = folders
        .into_iter()
        .map(|folder| Profile::of(&OpenPrompt::of(folder, &clip)?, &clip))
        .collect::<Result<_, _>>()?;
    let compared = Compared {
        prompts,
        matrices: similarities(&profiles),
    };
    if let Some(path) = &args.out {
        write_atomic(path, compared.csv().as_bytes())?;
        console.say(format!("wrote {}", path.display()));
    }
    console.result(&compared, || compared.text(args.blocks))
}

impl Compared {
    fn csv(&self) -> String {
        let mut rows = Vec::new();
        for matrix in &self.matrices {
            for (i, values) in matrix.values.iter().enumerate() {
                for (j, value) in values.iter().enumerate() {
                    let value = value.map_or(String::new(), |v| v.to_string());
                    let (a, b) = (&self.prompts[i].path, &self.prompts[j].path);
                    rows.push(vec![matrix.measure.name(), a.clone(), b.clone(), value]);
                }
            }
        }
        csv_text(&["measure", "a", "b", "cosine"], &rows)
    }

    fn text(&self, blocks: bool) -> String {
        let mut parts: Vec<String> = Vec::new();
        let names = self.prompts.iter().enumerate().map(|(i, prompt)| {
            format!(
                "{}  {} ({}, {}, seed {})",
                i + 1,
                prompt.path,
                prompt.method,
                prompt.task,
                prompt.seed
            )
        });
        parts.push(names.collect::<Vec<_>>().join("\n"));
        let numbers: Vec<String> = (1..=self.prompts.len()).map(|i| i.to_string()).collect();
        let header: Vec<&str> = std::iter::once("")
            .chain(numbers.iter().map(String::as_str))
            .collect();
        let mut nothing = Vec::new();
        for matrix in &self.matrices {
            if matches!(matrix.measure, Measure::VisualBlock(_)) && !blocks {
                continue;
            }
            if !matrix.says_something() {
                nothing.push(matrix.measure.name());
                continue;
            }
            let row = |(number, values): (&String, &Vec<Option<f64>>)| {
                let cell = |v: &Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.3}"));
                let mut row = vec![number.clone()];
                row.extend(values.iter().map(cell));
                row
            };
            let rows: Vec<_> = numbers.iter().zip(&matrix.values).map(row).collect();
            parts.push(format!(
                "{}\n{}",
                matrix.measure.name(),
                table(&header, &rows)
            ));
        }
        if !nothing.is_empty() {
            parts.push(format!(
                "no two of these prompts can be compared by: {}",
                nothing.join(", ")
            ));
        }
        parts.push(
            "Cosines, 1 is the same direction; - where shapes or class names differ. Prompts of one \
             seed share their random start, which alone makes them alike."
                .to_owned(),
        );
        parts.join("\n\n")
    }
}
