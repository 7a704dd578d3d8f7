//! `vlpt export`: a tuned prompt for other programs.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use vlpt_adapter::{Adapter, Classifier, ImageConfig, PromptFolder, places, preprocess};
use vlpt_clip::{Clip, ModelFiles};
use vlpt_data::image::Preprocess;
use vlpt_data::{Sample, Task};
use vlpt_export::{
    Classification, Cost, Exported, Forms, LIMIT, Source, check_new, cost, quantise,
    write_classifier, write_hugging_face, write_matrix, write_peft, write_towers,
};
use vlpt_methods::zeroshot::DEFAULT_TEMPLATE;
use vlpt_methods::{Adaptation, Pass, TowerValues, frozen_class_features};

use crate::console::{Console, table};
use crate::error::CliError;
use crate::options::{DataArgs, DataFlags, RunDataArgs, find_model};
use crate::watch::Watch;

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

/// Everything that is known of what is exported.
struct Opened {
    files: ModelFiles,
    clip: Clip,
    adapter: Option<Adapter>,
    classifier: Classifier,
    /// What was learned in the text and the image tower.
    towers: [TowerValues; 2],
    view: Preprocess,
    temperature: f64,
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
        Ok(Some(task))
    }

    fn open_prompt(&self, folder: &PromptFolder, console: &Console) -> Result<Opened, CliError> {
        let adapter = &folder.adapter;
        let run = folder.path.parent().unwrap_or(Path::new(""));
        let name = match &self.model {
            Some(name) => name.clone(),
            None => vlpt_train::located_model(&adapter.base_model, run)?,
        };
        let files = find_model(&name, console)?;
        let clip = Clip::load(&files)?;
        if !self.force {
            folder.check_model(&clip)?;
        }
        let classifier = if self.classes.is_empty() {
            folder.classifier(&clip)?
        } else {
            folder.classifier_for(&clip, &self.classes)?
        };
        let mut towers = if adapter.method.is_baseline() {
            Default::default()
        } else {
            towers(folder, &clip, &classifier.classes)?
        };
        // what a baseline changes in the image tower stands in its classifier alone
        if let Some(projection) = classifier.visual.as_ref().and_then(|v| v.projection()) {
            let [_, visual]: &mut [TowerValues; 2] = &mut towers;
            visual.projection = Some(projection.to_vec());
        }
        Ok(Opened {
            view: adapter.preprocess.clone(),
            temperature: temperature(adapter, classifier.classes == folder.classes),
            adapter: Some(adapter.clone()),
            files,
            clip,
            // the graphs have the temperature for themselves
            classifier: classifier.with_temperature(1.0),
            towers,
        })
    }

    /// The model as it is, with class names in templates.
    fn open_model(&self, console: &Console) -> Result<Opened, CliError> {
        let name = self.model.as_deref().unwrap_or(vlpt_train::DEFAULT_MODEL);
        let files = find_model(name, console)?;
        let clip = Clip::load(&files)?;
        let templates = if self.template.is_empty() {
            vec![DEFAULT_TEMPLATE.to_owned()]
        } else {
            self.template.clone()
        };
        let classifier = Classifier::zero_shot(&clip, &self.classes, &templates)?;
        Ok(Opened {
            view: preprocess(&clip, &ImageConfig::default()),
            temperature: 1.0,
            adapter: None,
            files,
            clip,
            classifier,
            towers: Default::default(),
        })
    }
}

/// What the logits of a prompt are divided by.
fn temperature(adapter: &Adapter, classes: bool) -> f64 {
    // measured on the prompt's own classes, and told of no others
    let own = adapter.calibration.filter(|_| classes);
    own.map_or(1.0, |calibration| calibration.temperature)
}

/// What a prompt's parameters change in both towers, where that is the same for all images.
fn towers(
    folder: &PromptFolder,
    clip: &Clip,
    classes: &[String],
) -> Result<[TowerValues; 2], CliError> {
    let method = folder.method(clip)?;
    if method.needs().texts_per_image || method.needs().visual_per_image {
        return Ok(Default::default());
    }
    let frozen = frozen_class_features(method.as_ref(), clip, classes);
    let values = frozen.and_then(|frozen| {
        let pass = Pass {
            classes: frozen.as_ref(),
            ..Pass::EVAL
        };
        let Adaptation { text, visual } = method.adapt(&pass)?;
        Ok([text.values()?, visual.values()?])
    });
    Ok(values.map_err(vlpt_adapter::AdapterError::from)?)
}

/// Test images with the classifier's classes as labels, at most so many, evenly taken.
fn held_out(task: &Task, classifier: &Classifier, most: usize) -> Result<Vec<Sample>, CliError> {
    let places = places(&task.classes, &classifier.classes)?;
    let known = |sample: &Sample| -> Option<Sample> {
        let labels = sample.labels.iter();
        let labels: Option<Vec<u32>> = labels
            .map(|&label| places[label as usize].map(|place| place as u32))
            .collect();
        Some(Sample {
            image: sample.image.clone(),
            labels: labels?,
        })
    };
    let all: Vec<Sample> = task.test.samples.iter().filter_map(known).collect();
    if all.is_empty() {
        return Err(CliError::usage(
            format!(
                "{}: no test image of one of the prompt's classes",
                task.name
            ),
            "name the data set that the prompt was tuned on",
        ));
    }
    let count = most.min(all.len());
    let even = (0..count).map(|number| all[number * all.len() / count].clone());
    Ok(even.collect())
}

impl Opened {
    /// What the folder says of itself.
    fn about(&self) -> String {
        match &self.adapter {
            None => format!(
                "The model {} as it is, its classes known by their names in a template. Written by vlpt {}.",
                self.clip.name,
                env!("CARGO_PKG_VERSION")
            ),
            Some(adapter) => format!(
                "The model {} (SHA-256 of its tensors: {}) with {} tuned on {} ({} classes, seed {}). Written by \
                 vlpt {}.",
                self.clip.name,
                self.clip.fingerprint,
                adapter.method.name(),
                adapter.task,
                adapter.classes,
                adapter.seed,
                env!("CARGO_PKG_VERSION"),
            ),
        }
    }

    /// What a form leaves behind.
    fn say(&self, format: FormatArg, console: &Console) {
        let weights = matches!(format, FormatArg::Hf | FormatArg::Peft);
        let Some(adapter) = self.adapter.as_ref().filter(|_| weights) else {
            return;
        };
        if adapter.method.needs().class_features {
            console.say(
                "note: features that were tuned for each class stay in the prompt folder; the exported weights know \
                 all classes by their texts",
            );
        } else {
            console.say(
                "note: give the exported weights the texts that the prompt was tuned with, and they answer as the \
                 prompt does",
            );
        }
    }
}

fn text_of(document: &Document) -> String {
    let exported = document.exported;
    let rows = exported.files.iter().map(|(file, bytes)| {
        let name = file.rsplit('/').next().unwrap_or(file);
        let checked = exported.checked.get(name);
        let apart = checked.map_or(String::new(), |c| format!("{:.1e}", c.probabilities));
        vec![file.clone(), size(*bytes), apart]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header: &[&str] = if exported.checked.is_empty() {
        &["file", "size"]
    } else {
        &["file", "size", "differs by"]
    };
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|mut row| {
            row.truncate(header.len());
            row
        })
        .collect();
    let mut text = table(header, &rows);
    if let Some(cost) = document.int8 {
        text += &format!(
            "\n\n8 bits, on {} test images: accuracy {:.2} % where f32 has {:.2} %; {:.2} % of the answers are the \
             same, a probability changes by {:.4} at most",
            cost.images,
            100.0 * cost.accuracy_quantised,
            100.0 * cost.accuracy,
            100.0 * cost.same_answer,
            cost.largest_change,
        );
    }
    text
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
