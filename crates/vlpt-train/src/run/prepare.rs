//! What a run works on: the model, the images, their features, and whether they go together.

use vlpt_clip::{Clip, Hub};

use crate::{Method, Observer, Result, RunConfig, Select, TrainError, TrainingData, Views};

/// Model and data of a configuration.
pub(super) fn inputs(config: &RunConfig, observer: &dyn Observer) -> Result<(Clip, TrainingData)> {
    let data = TrainingData::open(config)?;
    let files = Hub::from_env().resolve(&config.model.parse()?, observer)?;
    Ok((Clip::load(&files)?, data))
}

/// What can be refused before anything is computed or written.
pub(super) fn check_together(config: &RunConfig, clip: &Clip, data: &TrainingData) -> Result<()> {
    let method = config.method_config();
    let tuned = !method.is_baseline();
    if tuned && config.train.select == Select::BestVal && data.val.is_empty() {
        return Err(TrainError::Unfit {
            what: format!(
                "train.select = \"best_val\", but {} brings no validation images",
                data.task.name
            ),
            hint: Some(
                "use train.select = \"last\", or few_shot.rule = \"elevater\", which takes a fifth \
                 of the training images for validation"
                    .to_owned(),
            ),
        });
    }
    if !tuned && config.views.mode == Views::Fresh && config.method != Method::ZeroShot {
        return Err(TrainError::Unfit {
            what: format!(
                "{} works on image features computed once, but views.mode = \"fresh\"",
                config.method
            ),
            hint: Some("set views.mode to \"none\" or \"bank\"".to_owned()),
        });
    }
    if data.task.multi_label && data.task.classes.is_empty() {
        return Err(TrainError::NoImages {
            task: data.task.name.clone(),
            split: "labelled",
        });
    }
    if tuned {
        let classes = &data.task.classes;
        let method = method.build(clip, classes.len(), config.seed)?;
        method.texts(&clip.tokenizer, classes)?;
    }
    Ok(())
}
