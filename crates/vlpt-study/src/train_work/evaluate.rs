//! The score of a classifier on a task.
//!
//! Without visual prompts the features of a task's test images are the same for every unit: they
//! are computed once, kept in the study's folder, and a score costs the texts of the target's
//! classes. With visual prompts the images go through the tower again; their pixels are kept in
//! memory as far as the budget goes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use vlpt_adapter::{
    Classifier, FeatureMaker, ImageAdaptation, PromptFolder, Scored, View, hash_images, metrics,
};
use vlpt_base::hash::sha256;
use vlpt_data::image::{Limits, Preprocess};
use vlpt_methods::{Family, VptConfig};
use vlpt_train::ComputeConfig;

use super::tasks::Opened;
use super::{TrainWork, Watch};
use crate::work::{Desk, WorkError};

/// Pixels of all test images of a task, one tensor a batch.
pub(super) type Pixels = Vec<(usize, Vec<f32>)>;

impl TrainWork {
    /// The classifier of a prompt for a task. Texts that no prompt is in are encoded once.
    pub(super) fn classifier(
        &self,
        folder: &PromptFolder,
        task: &vlpt_data::Task,
    ) -> Result<Classifier, WorkError> {
        let method = &folder.adapter.method;
        let config = match method.find::<VptConfig>() {
            Some(config) if method.spec().family == Some(Family::Visual) => config,
            _ => return Ok(folder.classifier_for_task(&self.clip, task)?),
        };
        let name = format!("{} {:?}", config.template, task.classes);
        let texts = self.texts.get(&name, || {
            let made = folder.classifier_for_task(&self.clip, task);
            Ok::<_, WorkError>(made?.with_visual(None))
        })?;
        let method = Arc::from(folder.method(&self.clip)?);
        let visual = ImageAdaptation::of_method(&method)?;
        Ok((*texts).clone().with_visual(visual))
    }

    /// The task's own metric on its test images, as `vlpt eval` gives it.
    pub(super) fn score(
        &self,
        classifier: &Classifier,
        opened: &Opened,
        preprocess: &Preprocess,
        desk: &Desk<'_>,
    ) -> Result<f64, WorkError> {
        let task = &opened.task;
        let features = match &classifier.visual {
            None => self.frozen(opened, preprocess, desk)?,
            Some(visual) => Arc::new(self.prompted(opened, preprocess, visual, desk)?),
        };
        let logits = classifier.logits(&self.clip, &features)?;
        let labels = opened.test.samples.iter().map(|item| item.labels.clone());
        let scored = Scored::from_f32(&logits, task.classes.len(), labels.collect())?;
        Ok(metrics::evaluate(task.metric, &scored.softmax())?)
    }

    pub(super) fn maker(&self, preprocess: &Preprocess) -> FeatureMaker<'_> {
        FeatureMaker {
            clip: &self.clip,
            preprocess: preprocess.clone(),
            limits: Limits::default(),
            batch: ComputeConfig::default().image_batch,
            adaptation: None,
            cache: None,
        }
    }

    /// What the images of a task under one preprocessing are known by.
    fn name(&self, opened: &Opened, preprocess: &Preprocess) -> String {
        let text = format!(
            "{}\n{}\n{}",
            self.clip.fingerprint,
            preprocess.fingerprint(),
            opened.settings.fingerprint
        );
        format!("features-{}", sha256(text.as_bytes()))
    }

    /// Features without visual prompts, computed once for all processes of the study (with a cache of
    /// one's own: once for this process, where the cache does not have them).
    fn frozen(
        &self,
        opened: &Opened,
        preprocess: &Preprocess,
        desk: &Desk<'_>,
    ) -> Result<Arc<Vec<f32>>, WorkError> {
        let name = self.name(opened, preprocess);
        self.features.get(&name, || {
            let watch = Watch(Some(desk));
            let items = &opened.test.samples;
            let hashes = &hash_images(items, &watch)?;
            let mut maker = self.maker(preprocess);
            let folder = match &self.cache {
                Some(folder) => folder.clone(),
                None => desk.once(&name, |folder| {
                    let mut maker = maker.clone();
                    maker.cache = Some(folder.to_owned());
                    maker.features(items, hashes, View::Centre, &watch)?;
                    Ok(())
                })?,
            };
            maker.cache = Some(folder);
            Ok(maker.features(items, hashes, View::Centre, &watch)?)
        })
    }

    /// Features under visual prompts.
    fn prompted(
        &self,
        opened: &Opened,
        preprocess: &Preprocess,
        visual: &ImageAdaptation,
        desk: &Desk<'_>,
    ) -> Result<Vec<f32>, WorkError> {
        let name = self.name(opened, preprocess);
        let pixels = self.pixels.get(&name, || self.decode(opened, preprocess))?;
        let Some(pixels) = &*pixels else {
            let mut maker = self.maker(preprocess);
            maker.adaptation = Some(visual.clone());
            let watch = Watch(Some(desk));
            return Ok(maker.features(&opened.test.samples, &[], View::Centre, &watch)?);
        };
        let mut features = Vec::new();
        for (count, batch) in pixels {
            let own = ImageAdaptation::features(Some(visual), &self.clip, batch, *count)?;
            features.extend(own);
        }
        Ok(features)
    }

    /// The pixels of a task's test images, if they fit what is left of the budget.
    fn decode(
        &self,
        opened: &Opened,
        preprocess: &Preprocess,
    ) -> Result<Option<Pixels>, WorkError> {
        let side = preprocess.image_size as usize;
        let bytes = opened.test.len() * 3 * side * side * size_of::<f32>();
        let take = |left: usize| left.checked_sub(bytes);
        let left = self
            .pixel_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        if left.is_err() {
            return Ok(None);
        }
        let size = ComputeConfig::default().image_batch;
        let batches = opened.test.samples.chunks(size).map(|items| {
            let decoded: Vec<_> = items
                .par_iter()
                .map(|item| Ok(preprocess.apply(&item.load(&Limits::default())?)))
                .collect();
            let rows: Result<Vec<Vec<f32>>, WorkError> = decoded.into_iter().collect();
            Ok((items.len(), rows?.concat()))
        });
        batches.collect::<Result<Pixels, WorkError>>().map(Some)
    }
}
