//! How long a method takes on this machine: a few of its steps, made and timed.
//!
//! Pictures and class names are the program's own, so nothing but the model is needed. A method that
//! is tuned takes a few steps of its built-in size; their shortest is taken for all steps of all epochs. A
//! baseline is fitted as a whole. Features of images are there before either begins: they are made once for
//! all methods. Many classes are not measured: what few take is extended along a straight line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use fs_err as fs;
use serde::{Deserialize, Serialize};
use vlpt_base::files::write_atomic;
use vlpt_clip::{Clip, Observer, Progress};
use vlpt_data::image::Limits;
use vlpt_data::{Metric, Sample, Shots, Split, Task, synthetic};
use vlpt_methods::MethodConfig;

use crate::{
    Result, Run, RunConfig, RunOptions, Select, StepReport, TrainError, TrainObserver, TrainingData,
};
use vlpt_adapter::{FeatureExtractor, View, hash_images, preprocess};

/// Steps that are timed, after one that is not.
const STEPS: usize = 2;
/// The most classes that are measured.
pub const MEASURED_CLASSES: usize = 40;
/// Distinct pictures.
const PICTURES: usize = 32;

/// Seconds of methods with one model, one number of classes and one of images, as they were measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimates {
    /// What they belong to: model, number format, threads, version, classes, shots.
    pub of: BTreeMap<String, String>,
    /// Seconds of a whole training or fit, by the method's name.
    pub seconds: BTreeMap<String, f64>,
}

impl Estimates {
    /// None yet for this model and so many classes and images of each.
    pub fn new(clip: &Clip, classes: usize, shots: usize) -> Self {
        let of = [
            ("model", clip.fingerprint.clone()),
            ("precision", clip.precision.to_string()),
            ("threads", rayon::current_num_threads().to_string()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("classes", classes.to_string()),
            ("shots", shots.to_string()),
        ];
        let of = of.map(|(name, value)| (name.to_owned(), value));
        Self {
            of: BTreeMap::from(of),
            seconds: BTreeMap::new(),
        }
    }

    /// The file in a cache folder that holds them.
    fn file(&self, cache: &Path) -> PathBuf {
        let of = |name: &str| self.of.get(name).map_or("", String::as_str);
        let model = of("model").get(..12).unwrap_or("model");
        let (classes, shots) = (of("classes"), of("shots"));
        cache
            .join("methods")
            .join(format!("{model}-{classes}-{shots}.json"))
    }

    /// Those that were measured before, under the same circumstances; a file that is damaged or of other
    /// circumstances is as if it were not there.
    #[must_use]
    pub fn stored(self, cache: &Path) -> Self {
        let text = fs::read_to_string(self.file(cache)).unwrap_or_default();
        match serde_json::from_str::<Self>(&text) {
            Ok(stored) if stored.of == self.of => stored,
            _ => self,
        }
    }

    /// Keeps them in a cache folder.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn store(&self, cache: &Path) -> Result<()> {
        let file = self.file(cache);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        Ok(write_atomic(&file, text.as_bytes())?)
    }
}

/// Times methods with one model, in a folder that it may fill.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch<'a> {
    /// The model.
    pub clip: &'a Clip,
    /// Number of classes.
    pub classes: usize,
    /// Training images of each.
    pub shots: usize,
    /// Where runs are written.
    pub folder: &'a Path,
}

impl Stopwatch<'_> {
    /// Seconds of one image through the image tower; its features are then there for the methods.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn image_seconds(&self) -> Result<f64> {
        let task = Self::task(2, PICTURES / 2)?;
        let hashes = hash_images(&task.train.samples, &())?;
        let extractor = FeatureExtractor {
            clip: self.clip,
            preprocess: preprocess(self.clip, &RunConfig::default().image),
            limits: Limits::default(),
            batch: RunConfig::default().compute.image_batch,
            cache: Some(self.cache()),
            adaptation: None,
        };
        let began = Instant::now();
        extractor.views(&task.train.samples, &hashes, &[View::Centre], &())?;
        Ok(began.elapsed().as_secs_f64() / task.train.len() as f64)
    }

    /// Seconds of a whole training or fit with the built-in settings, without features of images.
    ///
    /// # Errors
    /// What ends a run.
    pub fn seconds(&self, method: &MethodConfig) -> Result<f64> {
        let at = |classes: usize| {
            if method.is_baseline() {
                self.fit(method, classes)
            } else {
                self.training(method, classes)
            }
        };
        let few = self.classes.min(MEASURED_CLASSES);
        let measured = at(few)?;
        if few == self.classes {
            return Ok(measured);
        }
        let half = at(few / 2)?;
        let of_one = (measured - half).max(0.0) / (few - few / 2) as f64;
        Ok(measured + of_one * (self.classes - few) as f64)
    }

    /// Seconds of one step of a training with these settings, which says nothing of tasks; of a baseline, those
    /// of its whole fit.
    ///
    /// # Errors
    /// What ends a run.
    pub fn step_seconds(&self, settings: &RunConfig) -> Result<f64> {
        let mut config = self.config(&settings.method);
        config.train = settings.train.clone();
        config.views = settings.views.clone();
        config.image = settings.image.clone();
        config.train.select = Select::Last;
        if config.method.is_baseline() {
            let began = Instant::now();
            self.run(&config, self.classes, self.shots, &())?;
            return Ok(began.elapsed().as_secs_f64());
        }
        self.step(&config, self.classes)
    }

    fn fit(&self, method: &MethodConfig, classes: usize) -> Result<f64> {
        let began = Instant::now();
        self.run(&self.config(method), classes, self.shots, &())?;
        Ok(began.elapsed().as_secs_f64())
    }

    fn training(&self, method: &MethodConfig, classes: usize) -> Result<f64> {
        let config = self.config(method);
        let steps = (classes * self.shots / config.train.batch_size).max(1) * config.epochs();
        Ok(self.step(&config, classes)? * steps as f64)
    }

    /// The shortest of a few steps.
    fn step(&self, config: &RunConfig, classes: usize) -> Result<f64> {
        let watch = Steps::default();
        // no more images than a step needs, nor than there are
        let needed = config.train.batch_size.div_ceil(classes);
        let shots = needed.min(self.shots).max(2);
        self.run(config, classes, shots, &watch)?;
        let times = watch.0.into_inner().unwrap_or_default();
        let step = times
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_secs_f64());
        Ok(step.fold(f64::INFINITY, f64::min))
    }

    /// A run that ends when the observer says so.
    fn run(
        &self,
        config: &RunConfig,
        classes: usize,
        shots: usize,
        observer: &dyn TrainObserver,
    ) -> Result<()> {
        let method = &config.method;
        let data = TrainingData::of_tasks(&[Self::task(classes, shots)?], config)?;
        let options = RunOptions {
            dir: self.folder.join(format!("{}-{classes}", method.name())),
            cache: Some(self.cache()),
        };
        match Run::start_with(config, &options, self.clip, &data, observer) {
            Ok(_) | Err(TrainError::Stopped { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    fn config(&self, method: &MethodConfig) -> RunConfig {
        let mut config = RunConfig {
            model: self.clip.name.clone(),
            method: method.clone(),
            ..RunConfig::default()
        };
        config.few_shot.shots = Shots::All;
        config
    }

    /// So many classes with so many of the pictures each.
    fn task(classes: usize, shots: usize) -> Result<Task> {
        let drawn = synthetic::task("shapes", 0)?;
        let pictures = drawn.train.samples.iter().take(PICTURES).cycle();
        let samples = pictures.take(classes * shots).enumerate();
        let sample = |(i, picture): (usize, &Sample)| Sample {
            image: picture.image.clone(),
            labels: vec![(i % classes) as u32],
        };
        Ok(Task {
            classes: (1..=classes).map(|i| format!("thing number {i}")).collect(),
            metric: Metric::Accuracy,
            train: Split::new(samples.map(sample).collect()),
            val: None,
            test: Split::default(),
            ..drawn
        })
    }
}

/// When steps ended.
#[derive(Default)]
struct Steps(Mutex<Vec<Instant>>);

impl Progress for Steps {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn finish(&self) {}
}

impl Observer for Steps {
    fn should_stop(&self) -> bool {
        self.0.lock().is_ok_and(|times| times.len() > STEPS)
    }
}

impl TrainObserver for Steps {
    fn step(&self, _step: &StepReport) {
        if let Ok(mut times) = self.0.lock() {
            times.push(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use vlpt_methods::METHODS;

    use super::*;

    #[test]
    fn steps_are_few_and_time_grows_with_classes_and_images() {
        let clip = Clip::mini();
        let folder = tempfile::tempdir().unwrap();
        let folders = ["images", "few", "many"].map(|name| folder.path().join(name));
        let watch = |classes, shots, place: usize| Stopwatch {
            clip: &clip,
            classes,
            shots,
            folder: &folders[place],
        };
        assert!(watch(3, 4, 0).image_seconds().unwrap() > 0.0);
        let tuned = METHODS.iter().find(|spec| !spec.is_baseline()).unwrap();
        let method = MethodConfig::new(tuned);
        let few = watch(3, 16, 1).seconds(&method).unwrap();
        let many = watch(3, 320, 2).seconds(&method).unwrap();
        assert!(few > 0.0 && few.is_finite());
        // 30 steps an epoch instead of 1
        assert!(many > 5.0 * few, "{few} {many}");
    }

    #[test]
    fn estimates_are_kept_for_the_same_circumstances_alone() {
        let clip = Clip::mini();
        let cache = tempfile::tempdir().unwrap();
        let mut measured = Estimates::new(&clip, 10, 16);
        measured.seconds.insert("one".to_owned(), 1.5);
        measured.store(cache.path()).unwrap();
        let again = |classes| Estimates::new(&clip, classes, 16).stored(cache.path());
        assert_eq!(again(10), measured);
        assert!(again(11).seconds.is_empty());
        let file = measured.file(cache.path());
        fs::write(file, "{").unwrap();
        assert!(again(10).seconds.is_empty());
    }
}
