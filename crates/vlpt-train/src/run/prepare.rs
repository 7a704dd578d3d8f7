//! What a run works on: the model, the images, their features, and whether they go together.

use std::path::Path;

use vlpt_adapter::AdapterError;
use vlpt_clip::{Clip, Hub};
use vlpt_data::check::warnings;
use vlpt_methods::Build;

use crate::init::Initial;
use crate::trainer::check_length;
use crate::{
    Result, RunConfig, Select, TrainError, TrainObserver, TrainingData, Views, open_tasks_watched,
};

/// Model and data of a configuration for a new run in `dir`: what could mislead is said, and a folder
/// that would become part of the data is refused, before the model is looked for.
pub(super) fn new_inputs(
    config: &RunConfig,
    dir: &Path,
    observer: &dyn TrainObserver,
) -> Result<(Clip, TrainingData)> {
    let tasks = open_tasks_watched(config, observer)?;
    for task in &tasks {
        if let Some(why) = task.would_hold(dir) {
            return Err(TrainError::OutInData {
                dir: dir.to_owned(),
                why,
            });
        }
        for warning in warnings(task, &config.image.decoding()) {
            observer.note(&format!("{}: {warning}", task.name));
        }
    }
    Ok((
        model(config, observer)?,
        TrainingData::of_tasks(&tasks, config)?,
    ))
}

/// Model and data of a configuration.
pub(super) fn inputs(
    config: &RunConfig,
    observer: &dyn TrainObserver,
) -> Result<(Clip, TrainingData)> {
    let data = TrainingData::of_tasks(&open_tasks_watched(config, observer)?, config)?;
    Ok((model(config, observer)?, data))
}

fn model(config: &RunConfig, observer: &dyn TrainObserver) -> Result<Clip> {
    let files = Hub::from_env().resolve(&config.model.parse()?, observer)?;
    let precision = config.compute.precision.resolve();
    Ok(Clip::load_as(&files, precision)?)
}

/// The configuration with the number format of the model, which it may have left open.
pub(super) fn in_precision(config: &RunConfig, clip: &Clip) -> Result<RunConfig> {
    if let Some(named) = config.compute.precision.named()
        && named != clip.precision
    {
        return Err(TrainError::Incompatible {
            what: format!(
                "the run computes in {named}, but the model was loaded to compute in {}",
                clip.precision
            ),
            hint: Some(format!("load it in {named}: --precision {named}")),
        });
    }
    let mut config = config.clone();
    config.compute.precision = clip.precision.into();
    Ok(config)
}

/// Says what the user should know of tasks and initial values.
pub(super) fn tell(
    config: &RunConfig,
    initial: Option<&Initial>,
    data: &TrainingData,
    observer: &dyn TrainObserver,
) {
    if config.train.select == Select::BestTest {
        observer.note(
            "train.select = \"best_test\": test images choose the epoch, so that what they say of the \
             result is too good",
        );
    }
    if config.train.select.judges_epochs() {
        for member in data.members.iter().filter(|member| member.val.is_empty()) {
            observer.note(&format!(
                "{} brings no validation images and has no part in the mean that chooses the epoch",
                member.name
            ));
        }
    }
    for shared in data.shared_names() {
        let tasks = shared.tasks.join(", ");
        observer.note(&format!(
            "the class name \"{}\" is in {tasks}: under a context that classes share, their texts \
             are the same, and a union of the label spaces cannot tell them apart",
            shared.name
        ));
    }
    if let Some(initial) = initial {
        observer.note(&initial.describe());
        for note in &initial.notes {
            observer.note(&format!("{}: {note}", initial.source.folder));
        }
    }
}

/// What can be refused before anything is computed or written.
pub(super) fn check_together(config: &RunConfig, clip: &Clip, data: &TrainingData) -> Result<()> {
    if let Some(name) = data
        .task
        .classes
        .iter()
        .find(|name| name.contains(['\n', '\r']))
    {
        return Err(TrainError::Incompatible {
            what: format!("the class name {name:?} has a line break: expected one line"),
            hint: Some("rename the class, or name it with --class-file".to_owned()),
        });
    }
    let method = &config.method;
    let tuned = !method.is_baseline();
    let weighed = config.train.class_weights.of(data)?.is_some();
    if weighed && !tuned && !method.spec().weighs_classes {
        return Err(TrainError::Incompatible {
            what: format!("{method} has no weights of classes, but train.class_weights is set"),
            hint: Some("leave --class-weights out, or choose another method".to_owned()),
        });
    }
    if tuned && config.train.select.judges_epochs() && data.val.is_empty() {
        let (what, hint) = if config.few_shot.merge_val && config.train.select == Select::BestVal {
            (
                "few_shot.merge_val learns from the validation images, so that none are left"
                    .to_owned(),
                "use train.select = \"last\"",
            )
        } else {
            let kind = match config.train.select {
                Select::BestTest => "test",
                _ => "validation",
            };
            (
                format!("{} brings no {kind} images", data.task.name),
                "use train.select = \"last\", or few_shot.rule = \"elevater\", which takes a fifth \
                 of the training images for validation",
            )
        };
        return Err(TrainError::Incompatible {
            what: format!(
                "train.select = \"{}\", but {what}",
                config.train.select.name()
            ),
            hint: Some(hint.to_owned()),
        });
    }
    if !tuned && config.views.mode == Views::Online && !method.needs().no_images {
        return Err(TrainError::Incompatible {
            what: format!(
                "{} works on image features computed once, but views.mode = \"online\"",
                config.method
            ),
            hint: Some("set views.mode to \"none\" or \"bank\"".to_owned()),
        });
    }
    if data.task.multi_label && data.task.classes.is_empty() {
        return Err(AdapterError::NoImages {
            task: data.task.name.clone(),
            split: "labelled",
        }
        .into());
    }
    if !tuned && data.members.len() > 1 {
        return Err(TrainError::Incompatible {
            what: format!(
                "{} is fitted to one data set, but {} were given",
                config.method,
                data.members.len()
            ),
            hint: Some("fit it to each of them, or choose a prompt method".to_owned()),
        });
    }
    if tuned {
        let classes = &data.task.classes;
        let method = method.build(&Build {
            clip,
            classes: classes.len(),
            seed: config.seed,
        })?;
        method.texts(&clip.tokenizer, classes)?;
        check_length(config, method.as_ref())?;
        let averaged = method.average_weight(1, config.epochs()).is_some();
        if averaged && config.train.select.judges_epochs() {
            return Err(TrainError::Incompatible {
                what: format!(
                    "{} ends with an average over all epochs, but train.select = \"{}\" takes one",
                    config.method,
                    config.train.select.name()
                ),
                hint: Some("set train.select to \"last\"".to_owned()),
            });
        }
    }
    Ok(())
}
