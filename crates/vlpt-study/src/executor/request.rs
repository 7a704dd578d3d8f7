//! From data sets and methods by name to the settings of a study.

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde_json::{Value, json};
use vlpt_clip::Clip;
use vlpt_clip::Observer;
use vlpt_data::Shots;
use vlpt_methods::Build;
use vlpt_train::{DataConfig, RunConfig, TrainingData, load};

use super::settings::{CommonSettings, OF_THE_UNIT, recipe_of, with_rule};
use super::tasks::Opened;
use crate::config::{Adapted, Joint, StudyConfig, StudyMethod, Transfer, ZeroShotClip};
use crate::job::TaskSpec;
use crate::plan::Plan;
use crate::{Result, StudyError};

/// A method with its recipe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MethodRequest {
    /// Its name, such as `coop`.
    pub method: String,
    /// Name of a recipe; none: [`vlpt_train::default_recipe`].
    pub recipe: Option<String>,
    /// A configuration file over it.
    pub file: Option<PathBuf>,
    /// `key=value` over that.
    pub settings: Vec<String>,
}

/// What a study should compare, by names and folders.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyRequest {
    /// Name of the model, as in a configuration.
    pub model: String,
    /// Data sets to transfer from.
    pub sources: Vec<DataConfig>,
    /// Data sets to transfer to.
    pub targets: Vec<DataConfig>,
    /// Methods to compare.
    pub methods: Vec<MethodRequest>,
    /// At most so many test images of each task; none: all.
    pub test_images: Option<usize>,
    /// Whether zero-shot CLIP is compared with.
    pub zero_shot_clip: bool,
    /// Train on i, evaluate on j.
    pub zero_shot: Option<Transfer>,
    /// Start from i, tune on j, evaluate on j.
    pub adapted: Option<Adapted>,
    /// Tune on i and j together, evaluate on j.
    pub co_training: Option<Transfer>,
    /// One prompt for each group of targets.
    pub joint: Option<Joint>,
}

impl StudyRequest {
    /// Opens every data set once, for its hash, and makes a study of all, in the number format of
    /// `clip`.
    ///
    /// # Errors
    /// A data set that cannot be read, methods or settings that cannot be used, or a study that
    /// makes no sense; see [`Plan::of`].
    pub fn config(&self, clip: &Clip, observer: &dyn Observer) -> Result<StudyConfig> {
        if self.test_images == Some(0) {
            return Err(setting("test images", "0", "at least 1"));
        }
        let mut methods = Vec::new();
        let mut configs = Vec::new();
        for request in &self.methods {
            let config = request.resolve(&self.model)?.config;
            if config.method.is_baseline() {
                return Err(setting(
                    "methods",
                    config.method.name(),
                    "methods that learn prompts: a baseline transfers nothing, and zero-shot CLIP is \
                     compared with anyway",
                ));
            }
            if let Some(named) = config.compute.precision.named()
                && named != clip.precision
            {
                return Err(setting(
                    "compute.precision",
                    &named.to_string(),
                    &format!("{}, as the whole study is planned", clip.precision),
                ));
            }
            methods.push(StudyMethod {
                name: config.method.name().to_owned(),
                recipe: recipe_of(&config),
                class_specific: config.method.needs().class_specific,
            });
            configs.push(config);
        }
        let mut opened: Vec<(DataConfig, Opened)> = Vec::new();
        for data in self.sources.iter().chain(&self.targets) {
            if !opened.iter().any(|(known, _)| known == data) {
                let full = absolute(data)?;
                opened.push((
                    data.clone(),
                    Opened::open(&full, self.test_images, observer)?,
                ));
            }
        }
        let tasks = |wanted: &[DataConfig]| -> Vec<TaskSpec> {
            let of = |data| opened.iter().find(|(known, _)| known == data);
            wanted.iter().filter_map(of).map(|(_, o)| task(o)).collect()
        };
        let common = CommonSettings {
            model: self.model.clone(),
            model_fingerprint: clip.fingerprint.clone(),
            precision: clip.precision,
            test_images: self.test_images,
            ..CommonSettings::default()
        };
        let study = StudyConfig {
            sources: tasks(&self.sources),
            targets: tasks(&self.targets),
            methods,
            settings: json!(common),
            zero_shot_clip: self.zero_shot_clip.then(ZeroShotClip::default),
            zero_shot: self.zero_shot.clone(),
            adapted: self.adapted.clone(),
            co_training: self.co_training.clone(),
            joint: self.joint.clone(),
        };
        let plan = Plan::of(&study)?;
        for config in &configs {
            for (_, opened) in &opened {
                try_out(
                    config,
                    &opened.task,
                    clip,
                    &shots_of(&plan, &opened.task.name),
                )?;
            }
        }
        Ok(study)
    }
}

/// A method's configuration, and what jobs say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedMethod {
    /// The configuration of its runs, without what jobs decide.
    pub config: RunConfig,
    /// The same as the recipe of jobs.
    pub recipe: Value,
}

impl MethodRequest {
    /// Reads recipe, file and settings, as they are for a model of that name.
    ///
    /// # Errors
    /// Settings that jobs decide, or what [`vlpt_train::load`] refuses.
    pub fn resolve(&self, model: &str) -> Result<ResolvedMethod> {
        for given in &self.settings {
            let key = given.split('=').next().unwrap_or_default().trim();
            if key == "method" || key.starts_with("data.") || OF_THE_UNIT.contains(&key) {
                return Err(setting(
                    "settings",
                    &format!("{key} for {}", self.method),
                    "settings that jobs do not decide: tasks, shots, seeds, methods, the \
                     model and its precision have places of their own",
                ));
            }
        }
        let with = |shots: &str| {
            let of_the_job = vec![
                format!("model={model}"),
                format!("method={}", self.method),
                format!("few_shot.shots={shots}"),
            ];
            let settings = [self.settings.clone(), of_the_job].concat();
            load(self.recipe.as_deref(), self.file.as_deref(), &settings)
        };
        let config = with_rule(with("1")?, &with("16")?);
        Ok(ResolvedMethod {
            recipe: recipe_of(&config),
            config,
        })
    }
}

/// A task that was opened to be planned with.
#[derive(Debug, Clone)]
pub struct PlannedTask {
    /// What jobs say of it.
    pub spec: TaskSpec,
    /// The task itself.
    pub task: vlpt_data::Task,
    /// How many of its test images are looked at.
    pub test_images: usize,
}

impl PlannedTask {
    /// Opens a data set and reads its images once, for their hashes. `name` is the task's in tables; none: its
    /// own. At most `test_images` of its test images are looked at.
    ///
    /// # Errors
    /// A data set that cannot be read, or without test images.
    pub fn open(
        name: Option<&str>,
        data: &DataConfig,
        test_images: Option<usize>,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let opened = Opened::open(&absolute(data)?, test_images, observer)?;
        let mut spec = task(&opened);
        if let Some(name) = name {
            name.clone_into(&mut spec.name);
        }
        Ok(Self {
            spec,
            test_images: opened.images.items().len(),
            task: opened.task,
        })
    }
}

fn task(opened: &Opened) -> TaskSpec {
    TaskSpec {
        name: opened.task.name.clone(),
        settings: json!(opened.settings),
    }
}

/// A data set whose path holds from any folder.
fn absolute(data: &DataConfig) -> Result<DataConfig> {
    let mut data = data.clone();
    let whole = |path: &str| -> Result<String> {
        let full = fs::canonicalize(path)?;
        full.into_os_string()
            .into_string()
            .map_err(|path| setting("tasks", &path.to_string_lossy(), "a path in UTF-8"))
    };
    if vlpt_data::synthetic::name_in(&data.path).is_none() && !data.path.is_empty() {
        data.path = whole(&data.path)?;
    }
    if let Some(file) = &data.class_file {
        data.class_file = Some(whole(file)?);
    }
    // one that is not here is relative to the data set
    if let Some(root) = data
        .image_root
        .clone()
        .filter(|root| Path::new(root).is_dir())
    {
        data.image_root = Some(whole(&root)?);
    }
    Ok(data)
}

/// Shots that a plan trains a task with.
fn shots_of(plan: &Plan, task: &str) -> Vec<usize> {
    let jobs = plan.jobs().iter();
    let jobs = jobs.filter(|job| job.train_on.iter().any(|own| own.name == task));
    let mut shots: Vec<usize> = jobs.map(|job| job.shots).collect();
    shots.sort_unstable();
    shots.dedup();
    shots
}

/// Refuses before the first job what every job with this method and task would refuse.
///
/// # Errors
/// What that is.
pub fn try_out(
    config: &RunConfig,
    task: &vlpt_data::Task,
    clip: &Clip,
    shots: &[usize],
) -> Result<()> {
    let method = &config.method;
    if !method.is_baseline() {
        let build = Build {
            clip,
            classes: task.classes.len(),
            seed: 0,
        };
        let method = method.build(&build).map_err(train)?;
        method
            .texts(&clip.tokenizer, &task.classes)
            .map_err(train)?;
    }
    for &shots in shots {
        let mut config = config.clone();
        config.few_shot.shots = Shots::Count(shots);
        let data = TrainingData::of_tasks(std::slice::from_ref(task), &config)?;
        if config.train.select.judges_epochs() && data.val.is_empty() {
            return Err(setting(
                "methods",
                &format!(
                    "train.select = \"{}\", but {} brings no images to choose by",
                    config.train.select.name(),
                    task.name
                ),
                "train.select = \"last\", or few_shot.rule = \"elevater\"",
            ));
        }
    }
    Ok(())
}

fn train(error: vlpt_methods::MethodError) -> StudyError {
    StudyError::Train(error.into())
}

fn setting(key: &'static str, found: &str, expected: &str) -> StudyError {
    StudyError::Setting {
        key,
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}
