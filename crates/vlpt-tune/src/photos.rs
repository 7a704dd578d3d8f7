//! The photos, their classes, and what the frozen tower makes of them.

use std::path::PathBuf;

use vlpt_adapter::{FeatureExtractor, View, hash_images, preprocess};
use vlpt_clip::{Clip, Observer};
use vlpt_data::Sample;
use vlpt_data::image::Limits;
use vlpt_methods::UnitRows;
use vlpt_train::{RunConfig, TrainingData};

use crate::{Result, TuneError};

/// Photos with their features.
pub struct Photos<'a> {
    /// The model.
    pub clip: &'a Clip,
    /// The task; all photos are its training images.
    pub data: &'a TrainingData,
    /// SHA-256 of each photo.
    pub hashes: Vec<String>,
    /// The class of each photo.
    pub labels: Vec<usize>,
    /// Rows of the image tower before its projection, photos x width.
    pub rows: Vec<f32>,
    /// Features, photos x embed, not normalised.
    pub features: Vec<f32>,
    /// Makes features.
    pub extractor: FeatureExtractor<'a>,
}

impl<'a> Photos<'a> {
    /// Sends the photos through the frozen tower, or takes their features from the cache.
    ///
    /// # Errors
    /// Photos of several classes, fewer than two classes with photos, or a photo that cannot be read.
    pub fn open(
        clip: &'a Clip,
        data: &'a TrainingData,
        config: &RunConfig,
        cache: Option<PathBuf>,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let items = &data.train.samples;
        let labels = labels(&data.task.name, data.task.multi_label, items)?;
        let counts = data.train.class_counts(data.task.classes.len());
        if counts.iter().filter(|&&count| count > 0).count() < 2 {
            return Err(TuneError::Photos {
                task: data.task.name.clone(),
                what: "photos of fewer than two classes: nothing is to be told apart".to_owned(),
                hint: "put the photos of each class into a folder of its own",
            });
        }
        let hashes = hash_images(items, observer)?;
        let extractor = FeatureExtractor {
            clip,
            preprocess: preprocess(clip, &config.image),
            limits: Limits::default(),
            batch: config.compute.image_batch,
            adaptation: None,
            cache,
        };
        let rows = extractor.unprojected(items, &hashes, View::Centre, observer)?;
        let features = extractor.projected(&rows);
        Ok(Self {
            clip,
            data,
            hashes,
            labels,
            rows,
            features,
            extractor,
        })
    }

    /// Number of photos.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.data.task.classes.len()
    }

    /// Number of photos of each class.
    pub fn counts(&self) -> Vec<usize> {
        self.data.train.class_counts(self.classes())
    }

    /// The photos themselves.
    pub fn samples(&self) -> &[Sample] {
        &self.data.train.samples
    }

    /// What a photo is called.
    pub fn name(&self, photo: usize) -> String {
        self.data.train.samples[photo].image.id()
    }

    /// Some photos as the data of a training.
    pub fn part(&self, photos: &[usize]) -> TrainingData {
        let mut data = self.data.clone();
        let samples = photos
            .iter()
            .map(|&photo| data.train.samples[photo].clone());
        data.train.samples = samples.collect();
        if let Some(member) = data.members.first_mut() {
            member.train = 0..photos.len();
        }
        data.order = (0..photos.len()).collect();
        data
    }

    /// Features of length one.
    ///
    /// # Errors
    /// A model without features.
    pub fn unit(&self) -> Result<UnitRows> {
        let width = self.clip.config.embed_dim;
        Ok(UnitRows::new(&self.features, width).map_err(vlpt_train::TrainError::from)?)
    }
}

/// The rows of some photos.
pub(crate) fn rows_of(rows: &[f32], photos: &[usize], width: usize) -> Vec<f32> {
    let row = |&photo: &usize| &rows[photo * width..(photo + 1) * width];
    photos.iter().flat_map(row).copied().collect()
}

fn labels(task: &str, multi_label: bool, items: &[Sample]) -> Result<Vec<usize>> {
    let one = |item: &Sample| match item.labels[..] {
        [label] if !multi_label => Ok(label as usize),
        _ => Err(TuneError::Photos {
            task: task.to_owned(),
            what: format!(
                "{} has {} classes: expected one a photo",
                item.image.id(),
                item.labels.len()
            ),
            hint: "photos of several classes are for `vlpt train`",
        }),
    };
    items.iter().map(one).collect()
}
