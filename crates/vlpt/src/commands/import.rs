//! `vlpt import`: a published checkpoint becomes a prompt folder.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use vlpt_adapter::{ImportOptions, ImportTask, Imported, LeftOut, import_checkpoint};
use vlpt_base::list::cut;
use vlpt_data::{Metric, Shots};
use vlpt_methods::import::{Import, Source, importable};
use vlpt_methods::{MethodSpec, Place, Position, names};

use crate::console::Console;
use crate::error::CliError;
use crate::options::{DataArgs, DataFlags, TowerArgs, refuse_inside};

const ABOUT: &str = "\
Reads what published trainers save, such as prompt_learner/model.pth.tar-50 and
prompt_learner/model-best.pth.tar, in the file formats of PyTorch before and after 1.6. Nothing in
the file is ever run. A folder of the PEFT library (adapter_config.json with peft_type LORA) is read
too. The method is recognised by the tensors' names and shapes:
";
const EXAMPLES: &str = "\
Examples:
  vlpt import prompt_learner/model.pth.tar-50 --model ViT-B-16/openai --data eurosat/ --out eurosat-coop
  vlpt import model-best.pth.tar --model ViT-B-16/openai --classes names.txt --source mvlpt --out prompt
  vlpt import lora/ --model openai/clip-vit-base-patch16 --classes names.txt --out prompt
  vlpt eval eurosat-coop eurosat/";

/// Flags of `vlpt import`.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(crate) struct ImportArgs {
    /// The checkpoint, such as `prompt_learner/model.pth.tar-50`, or a folder of the PEFT library
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: PathBuf,
    #[command(flatten)]
    model: TowerArgs,
    /// The data set whose classes the prompt is for: a folder, a manifest (.csv, .jsonl), or `synthetic:NAME`
    #[arg(
        long,
        value_name = "DATA",
        conflicts_with = "classes",
        required_unless_present = "classes"
    )]
    data: Option<String>,
    /// The classes the prompt is for, one name a line
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
    /// The prompt folder to write; it must not exist yet
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The code that wrote it [default: mvlpt where the names tell, else coop]
    #[arg(long, value_enum)]
    source: Option<SourceArg>,
    #[arg(long, value_name = "METHOD", help = method_help())]
    method: Option<String>,
    /// Where the class name stands [default: end for coop, middle for mvlpt, as their code has it]
    #[arg(long, value_enum)]
    position: Option<PositionArg>,
    /// Where visual prompts enter: after or before the layer norm in front of the first block [default: after]
    #[arg(long, value_enum)]
    place: Option<PlaceArg>,
    /// The seed it was trained with, for the record
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// The images of each class it was trained on, for the record
    #[arg(long, value_name = "N")]
    shots: Option<usize>,
    #[command(flatten)]
    flags: DataFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SourceArg {
    /// CoOp's and CoCoOp's own
    Coop,
    /// MVLPT's, for all its methods
    Mvlpt,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PositionArg {
    End,
    Middle,
    Front,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PlaceArg {
    AfterLnPre,
    BeforeLnPre,
}

/// What is recognised by which tensors, and examples.
fn after_help() -> String {
    let line = |(spec, import): (&MethodSpec, &Import)| {
        format!("  {:<13} {}\n", spec.name, import.tensors)
    };
    let lines: String = importable().map(line).collect();
    format!("{ABOUT}\n{lines}\n{EXAMPLES}")
}

fn method_help() -> String {
    let known = names(|spec| spec.import.is_some()).join(", ");
    format!("Take the parameters of this method alone: {known} [default: recognised]")
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    folder: &'a Path,
    model: &'a str,
    task: &'a str,
    classes: usize,
    #[serde(flatten)]
    imported: &'a Imported,
}

/// Imports and says what became of every tensor.
pub(crate) fn run(args: &ImportArgs, console: &Console) -> Result<(), CliError> {
    let task = args.task(console)?;
    let clip = args.model.open(console)?;
    let options = ImportOptions {
        method: args.method.clone(),
        source: args.source.map(|source| match source {
            SourceArg::Coop => Source::Coop,
            SourceArg::Mvlpt => Source::Mvlpt,
        }),
        position: args.position.map(|position| match position {
            PositionArg::End => Position::End,
            PositionArg::Middle => Position::Middle,
            PositionArg::Front => Position::Front,
        }),
        place: args.place.map(|place| match place {
            PlaceArg::AfterLnPre => Place::AfterLnPre,
            PlaceArg::BeforeLnPre => Place::BeforeLnPre,
        }),
        seed: args.seed,
        shots: args.shots.map(Shots::Count),
    };
    let imported = import_checkpoint(&args.checkpoint, &clip, &task, &options, &args.out)?;
    let document = Document {
        folder: &args.out,
        model: &clip.name,
        task: &task.name,
        classes: task.classes.len(),
        imported: &imported,
    };
    console.result(&document, || text(&document))?;
    console.say(format!("wrote {}", args.out.display()));
    Ok(())
}

impl ImportArgs {
    fn task(&self, console: &Console) -> Result<ImportTask, CliError> {
        if let Some(data) = &self.data {
            let data = DataArgs {
                data: data.clone(),
                flags: self.flags.clone(),
            };
            let task = data.open(console)?;
            refuse_inside(&task, &self.out)?;
            return Ok(ImportTask::from(&task));
        }
        // --name is that of the task, and needs no data
        let mut flags = self.flags.clone();
        flags.name = None;
        flags.refuse(
            "--classes names the classes, and no data set is read",
            "leave it out, or name a data set with --data",
        )?;
        let path = self.classes.as_deref().unwrap_or(Path::new(""));
        let text = fs_err::read_to_string(path)?;
        let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
        let classes: Vec<String> = names.map(str::to_owned).collect();
        if classes.is_empty() {
            return Err(CliError::usage(
                format!("{}: no class names", path.display()),
                "write one class name a line",
            ));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(ImportTask {
            name: self.flags.name.clone().unwrap_or(stem.into_owned()),
            classes,
            multi_label: false,
            metric: Metric::Accuracy,
        })
    }
}

fn text(document: &Document) -> String {
    let imported = document.imported;
    let source = match imported.source {
        Source::Coop => "CoOp's code",
        Source::Mvlpt => "MVLPT's code",
        Source::Own => "the authors' code",
        Source::Peft => "the PEFT library",
    };
    let mut text = format!(
        "{}, {} values, written by {source}",
        imported.method, imported.values
    );
    if let Some(epoch) = imported.epoch {
        text += &format!(", epoch {epoch}");
    }
    if let Some(result) = imported.val_result {
        text += &format!(", its validation result {result:.2}");
    }
    text += "\n";
    for used in &imported.used {
        text += &format!(
            "\nused: {} {:?}, {}",
            used.parameter, used.shape, used.dtype
        );
        if used.tensor != used.parameter {
            text += &format!(", from {}", used.tensor);
        }
    }
    text += "\nmissing: nothing";
    let left = |left: &LeftOut| format!("{}: {}", left.name, left.why);
    let left: Vec<String> = imported.left.iter().map(left).collect();
    if !left.is_empty() {
        text += &format!("\nleft: {}", cut(&left, "\nleft: "));
    }
    for assumed in &imported.assumed {
        text += &format!("\nassumed: {assumed}");
    }
    text
}
