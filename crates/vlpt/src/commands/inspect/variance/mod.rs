//! `vlpt inspect variance`: variances of data sets against what tuning gains on them.

mod output;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use vlpt_adapter::{FeatureExtractor, ImageConfig, SplitName, View, hash_images};
use vlpt_data::image::Limits;
use vlpt_inspect::gains::{Families, Gain, Gains};
use vlpt_inspect::rank::{RankCorrelation, spearman};
use vlpt_inspect::variance::{Variances, variances};
use vlpt_train::ComputeConfig;

use crate::console::Console;
use crate::error::CliError;
use crate::options::{CacheArgs, DataArgs, DataFlags, TowerArgs};
use crate::watch::Watch;

/// Flags of `vlpt inspect variance`.
#[derive(Debug, Args)]
pub(crate) struct VarianceArgs {
    /// Data sets: folders, manifests (.csv, .jsonl), or `synthetic:NAME`
    #[arg(value_name = "DATA", required = true)]
    data: Vec<String>,
    #[command(flatten)]
    flags: DataFlags,
    #[command(flatten)]
    model: TowerArgs,
    /// Whose images: those that could be known before tuning, or those that gains are measured on
    #[arg(long, value_enum, default_value = "train")]
    split: SplitArg,
    /// A CSV of results with the columns task, method, seed, shots, zero_shot, value
    #[arg(long, value_name = "FILE.csv")]
    results: Option<PathBuf>,
    /// Which shots of the results count, where there are several
    #[arg(long, value_name = "K", requires = "results")]
    shots: Option<String>,
    /// The method of the results that stands for text prompts
    #[arg(long, value_name = "METHOD", default_value_t = Families::default().text)]
    text: String,
    /// The method that stands for visual prompts
    #[arg(long, value_name = "METHOD", default_value_t = Families::default().visual)]
    visual: String,
    /// The method that stands for unified prompts
    #[arg(long, value_name = "METHOD", default_value_t = Families::default().unified)]
    unified: String,
    /// Write variance.csv, and with --results variance.svg, into this folder
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SplitArg {
    Train,
    Test,
}

/// What is printed under `--json`.
#[derive(Debug, Serialize)]
struct Analysis {
    model: String,
    split: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shots: Option<String>,
    tasks: Vec<Row>,
    correlations: Vec<Correlation>,
    caveat: String,
}

#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    variances: Variances,
    /// Gains over zero-shot of each family that the results have.
    gains: Vec<FamilyGain>,
}

#[derive(Debug, Serialize)]
struct FamilyGain {
    family: &'static str,
    #[serde(flatten)]
    gain: Gain,
}

/// Of a variance and the gain of a family.
#[derive(Debug, Serialize)]
struct Correlation {
    variance: &'static str,
    family: &'static str,
    method: String,
    #[serde(flatten)]
    found: RankCorrelation,
}

/// The two variances: name, what it is called on an axis, and how it is taken.
type Side = (&'static str, &'static str, fn(&Variances) -> f64);
const SIDES: [Side; 2] = [
    ("visual", "intra-class visual variance", |v| v.visual),
    ("text", "inter-class text variance", |v| v.text),
];

/// Measures, correlates, draws and prints.
pub(crate) fn run(args: &VarianceArgs, console: &Console) -> Result<(), CliError> {
    args.flags.check_several(args.data.len())?;
    let families = Families {
        text: args.text.clone(),
        visual: args.visual.clone(),
        unified: args.unified.clone(),
    };
    // a table that cannot be used should not wait for the images
    let gains = match &args.results {
        Some(path) => Some(Gains::read(path, args.shots.as_deref())?),
        None => None,
    };
    let clip = args.model.open(console)?;
    let split = match args.split {
        SplitArg::Train => SplitName::Train,
        SplitArg::Test => SplitName::Test,
    };
    let watch = Watch::new(console);
    let extractor = FeatureExtractor {
        clip: &clip,
        preprocess: vlpt_adapter::preprocess(&clip, &ImageConfig::default()),
        limits: Limits::default(),
        batch: ComputeConfig::default().image_batch,
        cache: args.cache.folder(),
        adaptation: None,
    };
    let mut tasks = Vec::new();
    for data in &args.data {
        let task = DataArgs {
            data: data.clone(),
            flags: args.flags.clone(),
        }
        .open(console)?;
        let images = split.of(&task)?;
        let hashes = hash_images(&images.samples, &watch)?;
        let features = extractor.features(&images.samples, &hashes, View::Centre, &watch)?;
        let variances = variances(&clip, &task, images, &features)?;
        let gains = gains
            .as_ref()
            .map_or_else(Vec::new, |gains| of_families(gains, &families, &task.name));
        tasks.push(Row { variances, gains });
    }
    if let Some(gains) = &gains {
        check(gains, &families, &tasks, args, console)?;
    }
    let analysis = Analysis {
        model: clip.name.clone(),
        split: split.name(),
        shots: gains.map(|gains| gains.shots),
        correlations: correlations(&tasks, &families),
        caveat: caveat(&tasks),
        tasks,
    };
    if let Some(folder) = &args.out {
        analysis.write(folder, args.results.is_some(), console)?;
    }
    console.result(&analysis, || analysis.text())
}

fn of_families(gains: &Gains, families: &Families, task: &str) -> Vec<FamilyGain> {
    let found = families.named().into_iter().filter_map(|(family, method)| {
        Some(FamilyGain {
            family,
            gain: gains.get(task, method)?.clone(),
        })
    });
    found.collect()
}

/// Says which data sets and methods have no gain, and refuses a table that has none at all.
fn check(
    gains: &Gains,
    families: &Families,
    tasks: &[Row],
    args: &VarianceArgs,
    console: &Console,
) -> Result<(), CliError> {
    let named = families.named().map(|(_, method)| method);
    if tasks.iter().all(|row| row.gains.is_empty()) {
        let path = args.results.as_deref().unwrap_or(Path::new("")).display();
        return Err(CliError::usage(
            format!(
                "{path}: no result of {} on any of these data sets; its methods are {}",
                named.join(", "),
                gains.methods().join(", ")
            ),
            "name methods with --text, --visual and --unified; the column task holds the data sets' names",
        ));
    }
    for row in tasks.iter().filter(|row| row.gains.len() < named.len()) {
        let missing: Vec<&str> = families
            .named()
            .into_iter()
            .filter(|(family, _)| row.gains.iter().all(|gain| gain.family != *family))
            .map(|(_, method)| method)
            .collect();
        let task = &row.variances.task;
        console.say(format!(
            "note: the results have no {} on {task}",
            missing.join(", ")
        ));
    }
    let others: Vec<&str> = gains
        .methods()
        .into_iter()
        .filter(|method| !named.contains(method))
        .collect();
    if !others.is_empty() {
        console.say(format!(
            "note: these methods of the results play no part: {}",
            others.join(", ")
        ));
    }
    Ok(())
}

/// Variance and gain of each task that has both.
fn pairs<'a>(
    tasks: &'a [Row],
    side: fn(&Variances) -> f64,
    family: &'a str,
) -> impl Iterator<Item = (&'a Row, (f64, f64))> {
    tasks.iter().filter_map(move |row| {
        let gain = row.gains.iter().find(|gain| gain.family == family)?;
        Some((row, (side(&row.variances), gain.gain.points)))
    })
}

fn correlations(tasks: &[Row], families: &Families) -> Vec<Correlation> {
    let mut all = Vec::new();
    for (variance, _, side) in SIDES {
        for (family, method) in families.named() {
            let pairs: Vec<(f64, f64)> = pairs(tasks, side, family).map(|p| p.1).collect();
            if !pairs.is_empty() {
                all.push(Correlation {
                    variance,
                    family,
                    method: method.to_owned(),
                    found: spearman(&pairs),
                });
            }
        }
    }
    all
}

/// What so many data sets can decide.
fn caveat(tasks: &[Row]) -> String {
    let n = tasks.iter().filter(|row| !row.gains.is_empty()).count();
    let mut text = String::new();
    if (2..=8).contains(&n) {
        let orders: u32 = (1..=n as u32).product();
        text += &format!(
            "{n} data sets decide little: of the {orders} orders they can have, 2 are as far from \
             chance as a perfect one, so no p can be below {:.4}. ",
            2.0 / f64::from(orders)
        );
    } else if n > 0 {
        text += &format!("n = {n} data sets. ");
    }
    if let Some(fewest) = tasks.iter().map(|row| row.variances.fewest).min()
        && fewest < 10
    {
        text += &format!(
            "With few images in a class (here {fewest}) its mean lies too near to them: the visual \
             variance comes out low by a share of about 1 in that number. "
        );
    }
    text + "Data sets differ in more than their variances."
}
