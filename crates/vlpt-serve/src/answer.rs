//! From image bytes to what prompts say of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use vlpt_clip::Clip;
use vlpt_data::DataError;
use vlpt_data::image::{Limits, Preprocess, decode_then};

use crate::engine::{Engine, Job};
use crate::error::RequestError;
use crate::metrics::Metrics;
use crate::options::ServeOptions;
use crate::prompts::{Prompt, Prompts, ZERO_SHOT};

/// How many lists of class names are remembered.
const REMEMBERED: usize = 64;
/// The most class names of a request.
const LABELS: usize = 1000;
/// The most characters of a class name or a template: a model has positions for some hundred tokens at most.
const CHARACTERS: usize = 1000;

/// Everything that handlers share.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) clip: Arc<Clip>,
    pub(crate) prompts: Prompts,
    pub(crate) engine: Engine,
    pub(crate) metrics: Metrics,
    pub(crate) options: ServeOptions,
    pub(crate) permits: Arc<tokio::sync::Semaphore>,
    pub(crate) remembered: Mutex<VecDeque<(Names, Arc<Prompt>)>>,
}

/// What class names are remembered by: prompt, its version, template, names.
pub(crate) type Names = (String, String, Option<String>, Vec<String>);

/// What one prompt says of an image.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// A logit for each class.
    pub(crate) logits: Vec<f32>,
    /// A share of attention for each patch, where it was asked for.
    pub(crate) attention: Option<Vec<f32>>,
}

/// An image as it came.
#[derive(Debug, Clone)]
pub(crate) enum Image {
    /// An image file's bytes.
    File(Bytes),
    /// A tensor, 3 x side x side, made ready by the one who asks.
    Pixels(Vec<f32>),
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Of these parts.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The prompt of a name.
    ///
    /// # Errors
    /// No such prompt, with those that there are.
    pub(crate) fn prompt(&self, name: &str) -> Result<Arc<Prompt>, RequestError> {
        self.prompts.get(name).ok_or_else(|| {
            let all = self.prompts.now();
            let names: Vec<&str> = all.keys().map(String::as_str).take(20).collect();
            RequestError::NotFound(format!(
                "no prompt is called `{name}`; there are {}",
                if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                }
            ))
        })
    }

    /// A prompt, or the model as it is, for class names that a request brings.
    ///
    /// # Errors
    /// Names or a template that cannot be used.
    pub(crate) async fn for_names(
        &self,
        name: &str,
        labels: Vec<String>,
        template: Option<String>,
    ) -> Result<Arc<Prompt>, RequestError> {
        if labels.is_empty() || labels.len() > LABELS {
            return Err(RequestError::Bad(format!(
                "{} candidate labels: expected 1 to {LABELS}",
                labels.len()
            )));
        }
        let mut texts = labels.iter().chain(&template);
        if let Some(text) = texts.find(|text| text.chars().nth(CHARACTERS).is_some()) {
            return Err(RequestError::Bad(format!(
                "a candidate label or template of {} characters: expected {CHARACTERS} at most",
                text.chars().count()
            )));
        }
        let own = if name == ZERO_SHOT {
            None
        } else {
            Some(self.prompt(name)?)
        };
        if own.is_some() && template.is_some() {
            return Err(RequestError::Bad(format!(
                "the prompt `{name}` has learned what stands around the names: leave the template out, or ask `{ZERO_SHOT}`"
            )));
        }
        let version = own.as_ref().map(|prompt| prompt.version.clone());
        let names: Names = (
            name.to_owned(),
            version.unwrap_or_default(),
            template.clone(),
            labels,
        );
        if let Some(prompt) = self.remember(|all| {
            let place = all.iter().position(|(known, _)| *known == names)?;
            let found = all.remove(place)?;
            let prompt = Arc::clone(&found.1);
            all.push_back(found);
            Some(prompt)
        }) {
            return Ok(prompt);
        }
        let app = self.clone();
        blocking(move || {
            let template = template.as_deref().unwrap_or("a photo of a {}.");
            let made = match own {
                Some(prompt) => prompt.for_classes(&app.clip, &names.3),
                None => Prompt::zero_shot(&app.clip, &names.3, template),
            };
            let prompt = Arc::new(made.map_err(|error| RequestError::Bad(error.to_string()))?);
            app.remember(|all| {
                all.push_back((names, Arc::clone(&prompt)));
                while all.len() > REMEMBERED {
                    all.pop_front();
                }
            });
            Ok(prompt)
        })
        .await
    }

    fn remember<T>(&self, work: impl FnOnce(&mut VecDeque<(Names, Arc<Prompt>)>) -> T) -> T {
        match self.remembered.lock() {
            Ok(mut all) => work(&mut all),
            Err(poisoned) => work(&mut poisoned.into_inner()),
        }
    }

    /// What each prompt says of an image, in their order.
    ///
    /// # Errors
    /// An image that cannot be read, a tensor of another size, or a server that ends.
    pub(crate) async fn ask(
        &self,
        image: Image,
        prompts: &[Arc<Prompt>],
        attention: bool,
    ) -> Result<Vec<Said>, RequestError> {
        let mut said: Vec<Option<Said>> = vec![None; prompts.len()];
        let mut left: Vec<usize> = (0..prompts.len()).collect();
        // prompts that make images ready alike share one tensor
        while let Some(&first) = left.first() {
            let preprocess = &prompts[first].preprocess;
            let (these, others) = left
                .iter()
                .partition(|&&number| prompts[number].preprocess == *preprocess);
            left = others;
            let these: Vec<usize> = these;
            let job = Job {
                pixels: self.tensor(image.clone(), preprocess.clone()).await?,
                prompts: these.iter().map(|&n| Arc::clone(&prompts[n])).collect(),
                attention,
            };
            let answer = self.engine.ask(job).await?;
            let mut maps = answer.attention.into_iter();
            for (number, logits) in these.into_iter().zip(answer.logits) {
                said[number] = Some(Said {
                    logits,
                    attention: maps.next(),
                });
            }
        }
        Ok(said.into_iter().flatten().collect())
    }

    /// The tensor of an image.
    async fn tensor(&self, image: Image, preprocess: Preprocess) -> Result<Vec<f32>, RequestError> {
        let side = preprocess.image_size as usize;
        let bytes = match image {
            Image::File(bytes) => bytes,
            Image::Pixels(pixels) if pixels.len() == 3 * side * side => return Ok(pixels),
            Image::Pixels(pixels) => {
                return Err(RequestError::Bad(format!(
                    "{} values of pixels: expected 3 x {side} x {side}",
                    pixels.len()
                )));
            }
        };
        let limits = Limits {
            max_pixels: self.options.pixels,
            ..Limits::default()
        };
        blocking(move || {
            let options = preprocess.decoding(&limits);
            decode_then(&bytes, "the image", &options, |image| {
                preprocess.apply(&image)
            })
            .map_err(|error| match error {
                DataError::ImageTooLarge { .. } | DataError::NoMemory { .. } => {
                    RequestError::TooLarge(error.to_string())
                }
                error => RequestError::Bad(error.to_string()),
            })
        })
        .await
    }
}

/// Runs what computes on a thread where waiting holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RequestError> + Send + 'static,
) -> Result<T, RequestError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(RequestError::Own("a worker failed".to_owned())))
}
