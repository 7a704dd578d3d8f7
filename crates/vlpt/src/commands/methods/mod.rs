//! `vlpt methods`: what every method learns, needs and takes, and one method with its options.

mod text;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use vlpt_adapter::AdapterError;
use vlpt_clip::Clip;
use vlpt_methods::{Build, METHODS, MethodConfig, MethodSpec, method};
use vlpt_train::{Estimates, MEASURED_CLASSES, Stopwatch, default_recipe};

use crate::console::{Console, Unit};
use crate::error::CliError;
use crate::options::{PrecisionArgs, open_model};
use crate::tuning;

/// Flags of `vlpt methods`.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Seconds are estimates: two steps of each training and one fit of each baseline are timed on
pictures that the program draws, with built-in settings, and multiplied. Above {MEASURED_CLASSES} classes a
straight line goes on from {} and {MEASURED_CLASSES}. Features of images come on top where a method works on
them, once for all of them. --measure keeps what it found in the cache, for the same model,
number format, threads, classes and shots.

Examples:
  vlpt methods                                   what there is
  vlpt methods --measure --classes 20 --shots 8  what each would take here
  vlpt methods coop                              one method with its options and recipes", MEASURED_CLASSES / 2))]
pub(crate) struct MethodsArgs {
    /// Show this method alone, with its options and recipes
    #[arg(value_name = "METHOD", value_parser = tuning::methods(), hide_possible_values = true)]
    method: Option<String>,
    /// Count for this model, as `vlpt train --model` takes it
    #[arg(
        long,
        short,
        value_name = "NAME",
        env = "VLPT_MODEL",
        default_value = "mini-clip"
    )]
    model: String,
    /// Number of classes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = count)]
    classes: usize,
    /// Training images of each class
    #[arg(long, value_name = "K", default_value_t = 16, value_parser = count)]
    shots: usize,
    /// Time each method on this machine: seconds with a small model, minutes with a large one
    #[arg(long)]
    measure: bool,
    #[command(flatten)]
    precision: PrecisionArgs,
}

/// The most classes, and images of each, that are counted for.
const MOST: usize = 100_000;

/// A number that is at least 2: fewer classes or images leave nothing to tell apart.
fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 2..=MOST) => Ok(number),
        Ok(_) | Err(_) => Err(format!("expected a number from 2 to {MOST}")),
    }
}

#[derive(Debug, Serialize)]
struct Document {
    model: String,
    classes: usize,
    shots: usize,
    /// Seconds of an image through the image tower, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_an_image: Option<f64>,
    methods: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    learns: &'static str,
    /// How many numbers it learns; none where it does not say.
    numbers: Option<usize>,
    needs: Vec<&'static str>,
    /// Estimated seconds of a whole training or fit, divided by the classes; none where it was not
    /// measured.
    seconds_a_class: Option<f64>,
    good_for: Option<&'static str>,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

#[derive(Debug, Serialize)]
struct Details {
    options: Vec<OptionRow>,
    recipes: Vec<&'static str>,
    /// The one that a training that names none follows.
    default_recipe: &'static str,
    checkpoints: bool,
}

#[derive(Debug, Serialize)]
struct OptionRow {
    key: String,
    /// None where it is left out.
    built_in: Option<Value>,
    values: &'static str,
    about: String,
}

/// Prints the table, or one method.
pub(crate) fn run(args: &MethodsArgs, console: &Console) -> Result<(), CliError> {
    let clip = open_model(&args.model, args.precision.resolve(), console)?;
    let chosen: Vec<&'static MethodSpec> = match &args.method {
        Some(name) => method(name).into_iter().collect(),
        None => METHODS.to_vec(),
    };
    let cache = vlpt_adapter::default_cache_dir();
    let mut estimates = Estimates::new(&clip, args.classes, args.shots);
    if let Some(cache) = &cache {
        estimates = estimates.stored(cache);
    }
    let mut seconds_an_image = None;
    if args.measure {
        seconds_an_image = Some(measure(args, &clip, &chosen, &mut estimates, console)?);
        if let Some(cache) = &cache {
            estimates.store(cache)?;
        }
    }
    let row = |spec: &&'static MethodSpec| row(args, &clip, spec, &estimates);
    let document = Document {
        model: clip.name.clone(),
        classes: args.classes,
        shots: args.shots,
        seconds_an_image,
        methods: chosen.iter().map(row).collect::<Result<_, CliError>>()?,
    };
    console.result(&document, || text::of(&document))
}

/// Times the methods; gives the seconds of an image through the image tower.
fn measure(
    args: &MethodsArgs,
    clip: &Clip,
    chosen: &[&'static MethodSpec],
    estimates: &mut Estimates,
    console: &Console,
) -> Result<f64, CliError> {
    let folder = Scratch::new()?;
    let watch = Stopwatch {
        clip,
        classes: args.classes,
        shots: args.shots,
        folder: &folder.0,
    };
    let bar = console.bar(Unit::Items);
    bar.begin("timing methods", chosen.len() as u64);
    let an_image = watch.image_seconds()?;
    for spec in chosen {
        bar.note(spec.name);
        let seconds = watch.seconds(&MethodConfig::new(spec))?;
        estimates.seconds.insert(spec.name.to_owned(), seconds);
        bar.advance_by(1);
    }
    bar.end();
    Ok(an_image)
}

/// A folder that is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, CliError> {
        let folder = std::env::temp_dir().join(format!("vlpt-methods-{}", std::process::id()));
        fs_err::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed from the temporary folder is the system's to remove.
        let _ = fs_err::remove_dir_all(&self.0);
    }
}

fn row(
    args: &MethodsArgs,
    clip: &Clip,
    spec: &'static MethodSpec,
    estimates: &Estimates,
) -> Result<Row, CliError> {
    let config = MethodConfig::new(spec);
    let build = Build {
        clip,
        classes: args.classes,
        seed: 1,
    };
    let seconds = estimates.seconds.get(spec.name);
    Ok(Row {
        name: spec.name,
        learns: spec.summary,
        numbers: config
            .learned(&build, args.shots)
            .map_err(AdapterError::from)?,
        needs: config.needs().words(),
        seconds_a_class: seconds.map(|seconds| seconds / args.classes as f64),
        good_for: Some(spec.good_for).filter(|words| !words.is_empty()),
        source: spec.source,
        details: args.method.is_some().then(|| details(spec)),
    })
}

fn details(spec: &'static MethodSpec) -> Details {
    let mut options = Vec::new();
    for table in spec.tables {
        let built_in = table.default().to_json();
        options.extend(table.keys.iter().map(|option| OptionRow {
            key: format!("{}.{}", table.name, option.key),
            built_in: built_in.get(option.key).cloned(),
            values: option.range,
            about: option.doc.split_whitespace().collect::<Vec<_>>().join(" "),
        }));
    }
    Details {
        options,
        recipes: tuning::recipes_for(spec),
        default_recipe: default_recipe(spec.name).name,
        checkpoints: spec.import.is_some(),
    }
}
