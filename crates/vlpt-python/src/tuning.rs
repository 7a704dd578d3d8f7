//! Tuning: from photos to a run folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;
use vlpt_adapter::ImageConfig;
use vlpt_clip::Progress;
use vlpt_data::check::{self, Level};
use vlpt_data::image::Exif;
use vlpt_data::{BrokenImages, Format, Shots, Task};
use vlpt_train::{DataConfig, TrainError, open_task_watched};
use vlpt_tune::{RECORD, TuneOptions, WallClock};

use crate::errors::Failure;
use crate::images::{Input, held, inputs};
use crate::opened::{open_clip, precision};
use crate::outputs::given;
use crate::predictor::Predictor;
use crate::work::{Watch, run};

/// What a result on images of a program is called.
const NAME: &str = "images";

/// Where the photos come from.
enum From<'a> {
    /// Data sets on disk, the first and those that are added.
    Folders(&'a [String]),
    /// Images with their labels.
    Images {
        inputs: &'a [Input<'a>],
        labels: &'a [u32],
        classes: Vec<String>,
    },
}

/// What is wanted, as Python says it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Wanted {
    out: PathBuf,
    model: String,
    precision: Option<String>,
    threads: usize,
    minutes: f64,
    methods: Vec<String>,
    shots: Option<usize>,
    seed: u64,
    reject_rate: f64,
    cache: Option<PathBuf>,
    keep_cache: bool,
    skip_broken: bool,
    apply_exif: bool,
}

/// Tunes on the photos of `folders`, or where there are none on `images` with their names, labels and the
/// names of the classes; writes the folder `out` and returns the classifier in it, and what the reader should know first.
#[pyfunction]
#[pyo3(signature = (folders, names, images, labels, classes, wanted, reporter))]
pub(crate) fn tune(
    folders: Vec<String>,
    names: Vec<String>,
    images: Vec<Bound<'_, PyAny>>,
    labels: Vec<u32>,
    classes: Vec<String>,
    wanted: Wanted,
    reporter: &Bound<'_, PyAny>,
) -> PyResult<(Predictor, Vec<String>)> {
    let held = held(&images)?;
    let inputs = inputs(&names, &held)?;
    let from = if folders.is_empty() {
        From::Images {
            inputs: &inputs,
            labels: &labels,
            classes,
        }
    } else {
        From::Folders(&folders)
    };
    run(reporter, wanted.threads, |watch| wanted.run(from, watch))
}

/// What a result on these photos is called, where nothing else is said.
#[pyfunction]
pub(crate) fn name_of(photos: &str) -> String {
    vlpt_tune::name_of(photos)
}

impl Wanted {
    fn run(&self, from: From<'_>, watch: &Watch) -> Result<(Predictor, Vec<String>), Failure> {
        let clock = WallClock::start();
        let precision = precision(self.precision.as_deref())?;
        let exif = if self.apply_exif {
            Exif::Apply
        } else {
            Exif::Ignore
        };
        let image = ImageConfig {
            exif,
            ..ImageConfig::default()
        };
        let (task, data) = self.task(from, watch)?;
        if let Some(why) = task.would_hold(&self.out) {
            let dir = self.out.clone();
            return Err(TrainError::OutInData { dir, why }.into());
        }
        let found = check::warnings(&task, &image.decoding());
        for warning in found.iter().filter(|found| found.level != Level::Note) {
            // the ways out are flags of the command line, which reads files
            watch.warn(match task.provenance.format {
                Format::Given => warning.text.clone(),
                _ => warning.to_string(),
            });
        }
        let shots = match self.shots {
            None => Shots::All,
            Some(0) => {
                return Err(Failure::value(
                    "shots=0: expected 1 or more",
                    "leave it out to use all photos",
                ));
            }
            Some(shots) => Shots::Count(shots),
        };
        let cache = self.cache.clone().or_else(vlpt_adapter::default_cache_dir);
        let options = TuneOptions {
            model: self.model.clone(),
            data,
            shots,
            seed: self.seed,
            minutes: self.minutes,
            methods: self.methods.clone(),
            reject_rate: self.reject_rate,
            image,
            cache: cache.filter(|_| self.keep_cache),
            out: self.out.clone(),
            before: None,
        };
        let clip = Arc::new(open_clip(&self.model, precision, watch)?);
        let tuned = vlpt_tune::tune(&clip, &task, &options, &clock, watch)?;
        let predictor = Predictor::of(&tuned.dir, clip, &self.model, self.threads)?;
        Ok((predictor, tuned.notes))
    }

    /// The photos, and how they are written down.
    fn task(&self, from: From<'_>, watch: &Watch) -> Result<(Task, DataConfig), Failure> {
        let data = DataConfig {
            all_to_train: true,
            broken: if self.skip_broken {
                BrokenImages::Skip
            } else {
                BrokenImages::Stop
            },
            ..DataConfig::default()
        };
        match from {
            From::Folders(folders) => {
                let data = DataConfig {
                    path: folders[0].clone(),
                    more: folders[1..].to_vec(),
                    ..data
                };
                if Path::new(&data.path).join(RECORD).is_file() {
                    return Err(Failure::value(
                        format!("{} is the result of an earlier tuning", data.path),
                        "name the photos; `vlpt tune RESULT --add PHOTOS` goes on from a result",
                    ));
                }
                Ok((open_task_watched(&data, watch)?, data))
            }
            From::Images {
                inputs,
                labels,
                classes,
            } => {
                let images = given(inputs, watch)?
                    .into_iter()
                    .zip(labels.iter().copied());
                let mut task = Task::of_images(NAME, classes, images);
                if self.skip_broken {
                    watch.start("looking for broken images", inputs.len() as u64);
                    let outcome = vlpt_data::leave_out(&mut task, &|| watch.advance(1));
                    watch.finish();
                    outcome?;
                }
                Ok((task, data))
            }
        }
    }
}
