//! The tensors of a checkpoint by the names that the methods' parameters have.

use std::collections::BTreeMap;

use vlpt_clip::CheckpointTensor;

use super::base_names::is_base;
use crate::METHODS;

/// What MVLPT's prompts of that kind are called in its older files, and now.
const RENAMED: (&str, &str) = ("upt_proj", "mvlpt_proj");
/// The state dict's prefix of a model trained on several devices.
const PARALLEL: &str = "module.";
/// The prefix of prompts in the state dict of the whole model.
const LEARNER: &str = "prompt_learner.";
/// What names of PromptSRC's teacher, a frozen image tower in the prompt learner, begin with.
const TEACHER: &str = "ZS_image_encoder.";

/// A tensor that plays no part, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Its name in the checkpoint.
    pub name: String,
    /// Why.
    pub why: String,
}

/// Tensors by the names that the methods' parameters have.
#[derive(Debug, Default, PartialEq)]
pub struct Names {
    /// By name.
    pub tensors: BTreeMap<String, CheckpointTensor>,
    /// Tensors that are no parameters.
    pub left: Vec<Unused>,
    /// Whether a name tells MVLPT's code.
    pub mvlpt: bool,
    /// Whether a frozen image tower, a teacher, lies among the prompts.
    pub teacher: bool,
}

impl Names {
    /// Takes prefixes off, brings old spellings up to date and sorts buffers out.
    ///
    /// # Errors
    /// Two tensors that come out with the same name.
    pub fn of(tensors: Vec<CheckpointTensor>) -> Result<Self, String> {
        let bare = |name: &str| name.strip_prefix(PARALLEL).unwrap_or(name).to_owned();
        let whole = tensors.iter().any(|t| bare(&t.name).starts_with(LEARNER));
        let mut names = Names::default();
        for tensor in tensors {
            let mut left = |why: &str| {
                names.left.push(Unused {
                    name: tensor.name.clone(),
                    why: why.to_owned(),
                });
            };
            let name = bare(&tensor.name);
            let name = match name.strip_prefix(LEARNER) {
                Some(name) => name.to_owned(),
                None if whole && is_base(&name) => {
                    left(
                        "outside the prompt learner; the base model is not taken from a checkpoint",
                    );
                    continue;
                }
                // Beside the learner: prompts inside the towers, and whatever else was learned there,
                // which the method has to know.
                None => name,
            };
            if matches!(name.as_str(), "token_prefix" | "token_suffix") {
                left("a buffer: token embeddings of the class names it was trained with");
                continue;
            }
            if name.starts_with(TEACHER) {
                left("the frozen image tower that it was compared with: the base model's");
                names.teacher = true;
                continue;
            }
            if !tensor.float {
                left("no floats");
                continue;
            }
            let name = match name.strip_prefix(RENAMED.0) {
                Some(rest) => format!("{}{rest}", RENAMED.1),
                None if name == "cocoop_ctx" => {
                    names.mvlpt = true;
                    "ctx".to_owned()
                }
                None => name,
            };
            names.mvlpt |= name.starts_with("vpt_") || name.starts_with(RENAMED.1);
            let first = names.tensors.get(&name).map(|first| first.name.clone());
            if let Some(first) = first {
                return Err(format!(
                    "`{first}` and `{}` are the same parameter, `{name}`",
                    tensor.name
                ));
            }
            names.tensors.insert(name, tensor);
        }
        for spec in METHODS {
            (spec.renamed)(&mut names.tensors);
        }
        Ok(names)
    }

    /// Whether there is a tensor of that name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Whether a name begins like this.
    pub fn any(&self, prefix: &str) -> bool {
        self.tensors.keys().any(|name| name.starts_with(prefix))
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|t| t.shape.as_slice())
    }
}
