//! A prompt folder with what it gives to the towers.

use std::path::Path;

use vlpt_adapter::AdapterError;
use vlpt_adapter::PromptFolder;
use vlpt_clip::{Clip, PromptToken};
use vlpt_methods::{Method, Pass, TowerValues};

use crate::{InspectError, Result};

/// The parameter that holds the tokens which a conditional method starts from.
const CONTEXT: &str = "ctx";

/// A prompt folder, its method with the stored parameters, and the prompts made of them.
pub struct OpenPrompt {
    /// The folder.
    pub folder: PromptFolder,
    /// The method with the folder's parameters.
    pub method: Box<dyn Method>,
    /// Learned text tokens as they enter the text tower, without positions, rows x text width;
    /// empty where the method has none. Of a method whose tokens depend on the image or the class's
    /// text: the tokens of the first block before anything is added for an image.
    pub text: Vec<f32>,
    /// What is changed in the image tower, the same for every image; none where nothing is.
    pub visual: Option<TowerValues>,
}

/// One learned text token: whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextToken {
    /// Its row in [`OpenPrompt::text`].
    pub row: usize,
    /// The class whose text alone has it; none where all classes share it.
    pub class: Option<String>,
    /// Its place among the learned tokens of a text, from 1.
    pub place: usize,
}

impl OpenPrompt {
    /// Reads a prompt folder, or the one in a run folder, for a model.
    ///
    /// # Errors
    /// A folder that is damaged, or whose parameters do not fit the model.
    pub fn open(path: &Path, clip: &Clip) -> Result<Self> {
        Self::of(PromptFolder::open(path)?, clip)
    }

    /// As [`OpenPrompt::open`], of a folder in memory.
    ///
    /// # Errors
    /// Parameters that do not fit the model.
    pub fn of(folder: PromptFolder, clip: &Clip) -> Result<Self> {
        let method = folder.method(clip)?;
        let (text, visual) = prompts(method.as_ref())?;
        Ok(Self {
            folder,
            method,
            text,
            visual,
        })
    }

    /// The visual prompts, where there are some.
    pub fn visual_prompts(&self) -> Option<&vlpt_methods::PromptValues> {
        self.visual.as_ref()?.prompts.as_ref()
    }

    /// Class names with their text features; none where features depend on the image or there are
    /// none.
    ///
    /// # Errors
    /// A folder that does not fit the model.
    pub fn class_features(&self, clip: &Clip) -> Result<Vec<(String, Vec<f32>)>> {
        let classifier = self.folder.classifier(clip)?;
        let rows = classifier.text_features().unwrap_or_default();
        let rows = rows
            .chunks_exact(clip.config.embed_dim)
            .map(<[f32]>::to_vec);
        Ok(self.folder.classes.iter().cloned().zip(rows).collect())
    }

    /// The learned tokens in the order of the classes' texts, each once.
    ///
    /// # Errors
    /// [`InspectError::NoTextTokens`], or a class name that cannot be put into a text.
    pub fn text_tokens(&self, clip: &Clip) -> Result<Vec<TextToken>> {
        if self.text.is_empty() {
            return Err(InspectError::NoTextTokens {
                path: self.folder.path.clone(),
                method: self.method.name().to_owned(),
            });
        }
        let classes = &self.folder.classes;
        let texts = self
            .method
            .texts(&clip.tokenizer, classes)
            .map_err(AdapterError::from)?;
        let rows = self.text.len() / clip.text.width();
        // for each row: the first text with it and its place there, and how many texts have it
        let mut seen: Vec<Option<(usize, usize, usize)>> = vec![None; rows];
        let mut order = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            let learned = text.iter().filter_map(|token| match token {
                PromptToken::Learned(row) => Some(*row as usize),
                PromptToken::Token(_) => None,
            });
            for (place, row) in learned.enumerate() {
                match seen.get_mut(row) {
                    Some(Some((first, _, texts))) if *first != i => *texts += 1,
                    Some(found @ None) => {
                        *found = Some((i, place + 1, 1));
                        order.push(row);
                    }
                    _ => {}
                }
            }
        }
        let specific = |count: usize| count == 1 && classes.len() > 1;
        let token = |row: usize| {
            seen[row].map(|(class, place, count)| TextToken {
                row,
                class: specific(count).then(|| classes[class].clone()),
                place,
            })
        };
        Ok(order.into_iter().filter_map(token).collect())
    }
}

/// Text rows of the first block, and what is changed in the image tower, of a method's current
/// parameters.
fn prompts(method: &dyn Method) -> Result<(Vec<f32>, Option<TowerValues>)> {
    let needs = method.needs();
    if needs.texts_per_image || needs.visual_per_image || needs.frozen_class_features {
        let context = method.parameters().iter().find(|p| p.name() == CONTEXT);
        let text = context.map_or(Ok(Vec::new()), vlpt_methods::Parameter::values);
        return Ok((text.map_err(AdapterError::from)?, None));
    }
    let adaptation = method.adapt(&Pass::EVAL).map_err(AdapterError::from)?;
    let values = |side: &vlpt_methods::TowerTensors| side.values().map_err(AdapterError::from);
    let (text, visual) = (values(&adaptation.text)?, values(&adaptation.visual)?);
    let rows = text.prompts.map_or_else(Vec::new, |mut prompts| {
        prompts
            .values
            .truncate(prompts.values.len() / prompts.blocks.max(1));
        prompts.values
    });
    Ok((rows, (!visual.is_empty()).then_some(visual)))
}
