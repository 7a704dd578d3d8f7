//! `vlpt export`: a tuned prompt for other programs.

mod held_out;
mod opened;
mod text;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use vlpt_adapter::PromptFolder;
use vlpt_clip::Clip;
use vlpt_data::Task;
use vlpt_export::{
    Classification, Cost, Exported, Forms, LIMIT, Source, check_new, cost, quantise,
    write_classifier, write_hugging_face, write_matrix, write_peft, write_towers,
};

use crate::console::Console;
use crate::error::CliError;
use crate::options::{DataArgs, DataFlags, RunDataArgs, refuse_inside};
use crate::watch::Watch;

use held_out::held_out;
use text::text_of;

const ABOUT: &str = "\
Forms:
  onnx         one graph from pixels to logits, prompts and texts folded into it, with the small files
               by which transformers.js, in a browser, loads the folder as it is
  onnx-towers  the image tower and the text tower apart, under Hugging Face's names
  classifier   the classes as a matrix for image features: classifier.safetensors and .npy
  peft         low-rank updates as the PEFT library stores them
  hf           a model with learned updates in its weights, for transformers; prompts have no place in it

Every graph is run and compared with the program's own towers before it is written: probabilities may
differ by 0.0001. What a form cannot hold is refused by its name. Without a prompt folder, --classes
makes a zero-shot classifier of the model as it is.

Examples:
  vlpt export runs/photos --out web                                     a folder for transformers.js
  vlpt export runs/photos --out web --int8 --data photos                a quarter of the size, and what it costs
  vlpt export runs/photos --out app --with-preprocessing                photos of any size in, probabilities out
  vlpt export runs/photos --out tuned --format peft                     of clip-lora
  vlpt export --classes cat,dog --model ViT-B-16/openai --out zeroshot  nothing tuned";

/// Flags of `vlpt export`.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub(crate) struct ExportArgs {
    /// A prompt folder, or a run folder that holds one
    #[arg(value_name = "PROMPT", required_unless_present = "classes")]
    prompt: Option<PathBuf>,
    /// The folder to write; it must not exist yet
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The form to write
    #[arg(long, value_enum, default_value_t = FormatArg::Onnx)]
    format: FormatArg,
    /// Also write a graph that takes a decoded image of any size and gives probabilities, made ready to the last bit
    #[arg(long)]
    with_preprocessing: bool,
    /// Also write model_quantized.onnx, whose products are those of 8-bit numbers
    #[arg(long)]
    int8: bool,
    /// With --int8: labelled photos whose test images say what 8 bits cost, a folder, manifest or `synthetic:NAME`; the data of the prompt's run is read as the run did
    #[arg(long, value_name = "DATA", requires = "int8")]
    data: Option<String>,
    /// With --data: look at so many test images at most, evenly taken
    #[arg(long, value_name = "N", default_value_t = 256)]
    images: usize,
    /// Tell these classes apart instead, separated by commas; without a prompt folder, the model's own zero-shot classifier of them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    classes: Vec<String>,
    /// Without a prompt folder: a template with `{}` for the class name; several are averaged [default: a photo of a {}.]
    #[arg(long, value_name = "TEXT", conflicts_with = "prompt")]
    template: Vec<String>,
    /// The model: the name under which a prompt's base model is found, or without a prompt folder the model to export
    #[arg(long, short, value_name = "NAME", help_heading = "Model")]
    model: Option<String>,
    /// Use the prompt although it was learned on other weights than the model found has
    #[arg(long, help_heading = "Model")]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// One graph from pixels to logits, for transformers.js and any ONNX runtime
    Onnx,
    /// The towers as two graphs
    OnnxTowers,
    /// The classes as a matrix
    Classifier,
    /// A folder of the PEFT library
    Peft,
    /// A model's folder for transformers
    Hf,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    folder: &'a Path,
    base_model: &'a str,
    method: Option<&'a str>,
    classes: usize,
    #[serde(flatten)]
    exported: &'a Exported,
    int8: Option<Cost>,
}

/// Exports and says what was written.
pub(crate) fn run(args: &ExportArgs, console: &Console) -> Result<(), CliError> {
    args.check()?;
    check_new(&args.out)?;
    let folder = args.prompt.as_deref().map(PromptFolder::open).transpose()?;
    let task = args.task(folder.as_ref(), console)?;
    let opened = match &folder {
        Some(folder) => args.open_prompt(folder, console)?,
        None => args.open_model(console)?,
    };
    let samples = task
        .as_ref()
        .map(|task| held_out(task, &opened.classifier, args.images));
    let samples = samples.transpose()?;
    let weights = Clip::load_weights(&opened.files)?;
    let about = opened.about();
    let source = Source {
        clip: &opened.clip,
        weights: &weights,
        classifier: &opened.classifier,
        temperature: opened.temperature,
        view: &opened.view,
        about: &about,
    };
    let [text, visual] = &opened.towers;
    let exported = match args.format {
        FormatArg::Onnx => {
            let forms = Forms {
                quantised: args.int8,
                with_preprocessing: args.with_preprocessing,
                limit: LIMIT,
            };
            write_classifier(&source, forms, &args.out)?
        }
        FormatArg::OnnxTowers => write_towers(&source, &opened.files, text, LIMIT, &args.out)?,
        FormatArg::Classifier => write_matrix(&source, &args.out)?,
        FormatArg::Peft => {
            let revision = opened.files.revision.as_deref();
            write_peft(&source, revision, text, visual, &args.out)?
        }
        FormatArg::Hf => write_hugging_face(&source, &opened.files, text, visual, &args.out)?,
    };
    let int8 = samples.map(|samples| -> Result<Cost, CliError> {
        let model =
            Classification::new(source.clip, &weights, source.classifier, source.temperature)?;
        let graph = quantise(model.graph());
        Ok(cost(&source, &graph, &samples, &Watch::new(console))?)
    });
    let document = Document {
        folder: &args.out,
        base_model: &opened.clip.name,
        method: opened.adapter.as_ref().map(|adapter| adapter.method.name()),
        classes: opened.classifier.classes.len(),
        exported: &exported,
        int8: int8.transpose()?,
    };
    console.result(&document, || text_of(&document))?;
    for note in &exported.notes {
        console.say(format!("note: {note}"));
    }
    opened.say(args.format, console);
    console.say(format!("wrote {}", args.out.display()));
    Ok(())
}

impl ExportArgs {
    /// Refuses flags of one form beside another.
    fn check(&self) -> Result<(), CliError> {
        if self.format != FormatArg::Onnx {
            let given = [
                ("--int8", self.int8),
                ("--with-preprocessing", self.with_preprocessing),
            ];
            if let Some((flag, _)) = given.iter().find(|(_, given)| *given) {
                return Err(CliError::usage(
                    format!("{flag} was given, but it is for --format onnx"),
                    "leave it out, or write that form to another folder",
                ));
            }
        }
        if self.images == 0 {
            return Err(CliError::usage(
                "--images is 0: no image says what 8 bits cost",
                "give 1 at least, or leave --data out",
            ));
        }
        Ok(())
    }

    fn task(
        &self,
        folder: Option<&PromptFolder>,
        console: &Console,
    ) -> Result<Option<Task>, CliError> {
        let Some(data) = &self.data else {
            return Ok(None);
        };
        let task = if let Some(folder) = folder {
            RunDataArgs::at(data).open(folder, console)?
        } else {
            let (data, flags) = (data.clone(), DataFlags::default());
            DataArgs { data, flags }.open(console)?
        };
        refuse_inside(&task, &self.out)?;
        Ok(Some(task))
    }
}
