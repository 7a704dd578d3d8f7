//! `vlpt tune`: from photos to the best classifier that they allow.

mod folder;
mod text;
mod watch;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_adapter::ImageConfig;
use vlpt_data::{BrokenImages, Shots, synthetic};
use vlpt_train::{
    DEFAULT_MODEL, DataConfig, located_model, open_task_watched, read_resolved, remembered_data,
};
use vlpt_tune::{Before, RECORD, Record, TuneOptions, Tuned, WallClock, name_of, tune};

use crate::console::Console;
use crate::error::CliError;
use crate::interrupt;
use crate::options::{
    CacheArgs, DataFlags, PrecisionArgs, ViewFlags, before_work, from_environment, open_model,
};

use folder::next_to;
use text::text;
use watch::TuneWatch;

const AFTER_HELP: &str = "\
Tries what there is, cheapest first: class names alone, fits to features of the photos, prompts. Each candidate is
judged on photos that it has not seen; the best of the cheapest kind that is not clearly behind is taken, fitted to
all photos, and written as a run folder with report.html, tune.json and a model card. The expected accuracy is
corrected for the choice. Photos that the data set itself calls its test images are left alone.

  vlpt tune photos                              one folder a class; writes runs/photos
  vlpt tune photos --minutes 2                  what fits two minutes
  vlpt tune photos --add more-photos            two folders; a class goes by its name
  vlpt tune runs/photos --add more-photos       an earlier result and more photos; writes runs/photos-2
  vlpt tune runs/photos                         the same photos again
  vlpt predict runs/photos new/                 use it";

/// Flags of `vlpt tune`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct TuneArgs {
    /// The photos: a folder with a folder for each class, or any data set; or the folder of an earlier `vlpt tune`
    #[arg(value_name = "PHOTOS")]
    photos: String,
    /// More photos, of the same classes or of new ones; may be given many times
    #[arg(long, value_name = "FOLDER")]
    add: Vec<String>,
    /// The folder to write [default: runs/ and the name of the photos' folder]
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Minutes that it may take, features of the photos included [default: 10]
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// Try these methods alone, beside class names alone [default: all that fit the time]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    methods: Vec<String>,
    /// Photos of each class to use, drawn by the seed, or `all` [default: all]
    #[arg(long, value_name = "K")]
    shots: Option<Shots>,
    /// Seed of folds, draws and fits; 0 is one too [default: 1]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Share of photos of the classes that may be rejected as none of them [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    reject_rate: Option<f64>,
    /// The model: a folder, `org/name`, `ViT-B-16/openai`, each with `@revision`; `mini-clip` is built in [default: openai/clip-vit-base-patch32]
    #[arg(
        long,
        short,
        value_name = "NAME",
        env = "VLPT_MODEL",
        help_heading = "Model"
    )]
    model: Option<String>,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    flags: DataFlags,
    #[command(flatten)]
    view: ViewFlags,
    #[command(flatten)]
    cache: CacheArgs,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    run: &'a Path,
    report: PathBuf,
    notes: &'a [String],
    #[serde(flatten)]
    record: &'a Record,
}

/// Tunes, and says what came of it.
pub(crate) fn run(args: &TuneArgs, console: &Console) -> Result<(), CliError> {
    let clock = WallClock::start();
    let earlier = args.earlier()?;
    let data = args.data(earlier.as_ref())?;
    let out = args.folder(&data, earlier.as_ref());
    let options = args.options(data, out, earlier.as_ref());
    options.check()?;
    interrupt::goes_on_when_given_again();
    let watch = TuneWatch::new(console);
    let task = open_task_watched(&options.data, &watch)?;
    before_work(
        std::slice::from_ref(&task),
        &options.out,
        &options.image.decoding(),
        console,
    )?;
    let clip = open_model(&options.model, args.precision.resolve(), console)?;
    let tuned = tune(&clip, &task, &options, &clock, &watch)?;
    drop(watch);
    report(&tuned, console)
}

/// A result that this one goes on from.
struct Earlier {
    dir: PathBuf,
    record: Record,
    data: DataConfig,
    model: String,
    image: ImageConfig,
}

impl TuneArgs {
    /// The earlier result, where one is named in the place of photos.
    fn earlier(&self) -> Result<Option<Earlier>, CliError> {
        let dir = PathBuf::from(&self.photos);
        if synthetic::name_in(&self.photos).is_some() || !dir.join(RECORD).is_file() {
            if dir.join("config.toml").is_file() && dir.join("events.jsonl").is_file() {
                return Err(CliError::usage(
                    format!(
                        "{}: a run of `vlpt train`, which `tune` cannot go on from",
                        dir.display()
                    ),
                    "name the folder of the photos, or the result of an earlier `vlpt tune`",
                ));
            }
            return Ok(None);
        }
        let record = Record::read(&dir)?;
        let config = read_resolved(&dir.join("config.toml"))?;
        let data = remembered_data(&dir)?.pop().unwrap_or_default();
        Ok(Some(Earlier {
            model: located_model(&record.model, &dir)?,
            image: config.image,
            data,
            record,
            dir,
        }))
    }

    /// The photos and how they are read.
    fn data(&self, earlier: Option<&Earlier>) -> Result<DataConfig, CliError> {
        let first = match earlier {
            Some(earlier) => earlier.data.clone(),
            None => DataConfig {
                path: self.photos.clone(),
                all_to_train: true,
                broken: BrokenImages::Skip,
                ..DataConfig::default()
            },
        };
        let mut data = self.flags.over(first)?;
        data.more.extend(self.add.iter().cloned());
        Ok(data)
    }

    /// The folder to write.
    fn folder(&self, data: &DataConfig, earlier: Option<&Earlier>) -> PathBuf {
        if let Some(out) = &self.out {
            return out.clone();
        }
        match earlier {
            Some(earlier) => next_to(&earlier.dir),
            None => Path::new("runs").join(name_of(&data.path)),
        }
    }

    fn options(&self, data: DataConfig, out: PathBuf, earlier: Option<&Earlier>) -> TuneOptions {
        let before = earlier.filter(|_| !self.add.is_empty());
        let before = before.map(|earlier| Before {
            chosen: earlier.record.chosen.clone(),
            estimate: earlier.record.estimate,
            photos: earlier.record.photos.len(),
            classes: earlier.record.classes.len(),
        });
        let given = self.model.clone().filter(|_| !from_environment("model"));
        let model = given
            .or_else(|| earlier.map(|earlier| earlier.model.clone()))
            .or_else(|| self.model.clone())
            .unwrap_or_else(|| DEFAULT_MODEL.to_owned());
        let known = earlier.map(|earlier| &earlier.record);
        TuneOptions {
            model,
            data,
            shots: self
                .shots
                .or(known.map(|record| record.shots))
                .unwrap_or(Shots::All),
            seed: self.seed.or(known.map(|record| record.seed)).unwrap_or(1),
            minutes: self
                .minutes
                .or(known.map(|record| record.minutes))
                .unwrap_or(10.0),
            methods: match known {
                Some(record) if self.methods.is_empty() => record.methods.clone(),
                _ => self.methods.clone(),
            },
            reject_rate: self
                .reject_rate
                .or(known.and_then(|record| Some(record.calibration?.reject_rate)))
                .unwrap_or(0.05),
            image: match earlier {
                Some(earlier) if self.view.given().is_empty() => earlier.image.clone(),
                _ => self.view.with_exif_applied(),
            },
            cache: self.cache.folder(),
            out,
            before,
        }
    }
}

fn report(tuned: &Tuned, console: &Console) -> Result<(), CliError> {
    let page = tuned.dir.join("report.html");
    let document = Document {
        run: &tuned.dir,
        report: page.clone(),
        notes: &tuned.notes,
        record: &tuned.record,
    };
    console.result(&document, || text(tuned, &page))
}
