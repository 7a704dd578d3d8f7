//! What can go wrong between a method's options and its prompts.

use thiserror::Error;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, MethodError>;

/// An option, a class name or a tensor that a prompt method cannot work with.
#[derive(Debug, Error)]
pub enum MethodError {
    /// An option has a value that makes no sense.
    #[error("{key} = {found}: expected {expected}")]
    Option {
        /// The option's name in a configuration file.
        key: &'static str,
        /// The value found.
        found: String,
        /// The values that are accepted.
        expected: String,
    },
    /// The context length and the number of tokens of the initial words differ.
    #[error(
        "{key} = {context}, but the initial words \"{words}\" are {tokens} tokens: expected \
         equal lengths"
    )]
    InitLength {
        /// The option's name.
        key: &'static str,
        /// The context length asked for.
        context: usize,
        /// The initial words.
        words: String,
        /// How many tokens they are.
        tokens: usize,
    },
    /// A class name with no letter in it.
    #[error("class {index} has the name {name:?}, which is no token at all")]
    EmptyName {
        /// The class's position.
        index: usize,
        /// Its name.
        name: String,
    },
    /// Start, context, name and end do not fit in the text tower.
    #[error(
        "class \"{name}\" needs {tokens} tokens with {context} of context: expected at most {limit}"
    )]
    TooLong {
        /// The option for the context's length.
        key: &'static str,
        /// The class name.
        name: String,
        /// Tokens of the whole prompt, start and end included.
        tokens: usize,
        /// Learned tokens among them.
        context: usize,
        /// Positions of the text tower.
        limit: usize,
    },
    /// A prompt with one context per class meets another number of classes.
    #[error(
        "the prompt has one context for each of its {expected} classes, but {found} class names \
         were given"
    )]
    ClassCount {
        /// The option that asked for them.
        key: &'static str,
        /// Number of contexts.
        expected: usize,
        /// Number of class names.
        found: usize,
    },
    /// Features, classes or parts of a classifier that do not go together.
    #[error("{what}")]
    Incompatible {
        /// What was found and what was expected.
        what: String,
        /// The way out.
        hint: Option<String>,
    },
    /// Whoever watches asked for an end.
    #[error("stopped on request")]
    Stopped,
    /// The optimiser refused a gradient.
    #[error(transparent)]
    Optim(#[from] vlpt_optim::OptimError),
    /// A baseline where a prompt method is needed.
    #[error("{name} is a baseline: it has no prompt")]
    Baseline {
        /// Its name.
        name: &'static str,
    },
    /// A template without a place for the class name.
    #[error("template \"{template}\" has no place for the class name: expected one {{}}")]
    Template {
        /// The template.
        template: String,
    },
    /// No template to make zero-shot prompts from.
    #[error("no template was given: expected at least one, such as \"a photo of a {{}}.\"")]
    NoTemplate,
    /// A method that makes its prompts from images got none, or something else.
    #[error(
        "{method} makes text prompts from images: expected their features (images x {embed}), \
         found {found}"
    )]
    Images {
        /// The method's name.
        method: &'static str,
        /// Width of the joint space.
        embed: usize,
        /// What was found.
        found: String,
    },
    /// A parameter's values have the wrong length.
    #[error("parameter `{name}` has shape {expected:?}, but {found} values were given")]
    Shape {
        /// The parameter's name.
        name: String,
        /// Its shape.
        expected: Vec<usize>,
        /// How many values were given.
        found: usize,
    },
    /// A parameter that the prompts do not depend on: the graph was cut.
    #[error("parameter `{name}` got no gradient: the prompts do not depend on it")]
    NoGradient {
        /// The parameter's name.
        name: String,
    },
    /// Tensors that do not fit an operation.
    #[error("tensor operation: {0}")]
    Tensor(#[from] vlpt_autograd::TensorError),
    /// The tokenizer or a tower refused a text.
    #[error(transparent)]
    Clip(#[from] vlpt_clip::ClipError),
}

impl MethodError {
    /// The way out, where there is a general one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::InitLength { key, tokens, .. } => {
                format!("set {key} to {tokens}, or choose other words")
            }
            Self::EmptyName { .. } => "give the class a name of at least one letter".to_owned(),
            Self::TooLong {
                key,
                tokens,
                context,
                limit,
                ..
            } => {
                let over = tokens - limit;
                if *context > over {
                    format!(
                        "use a context of at most {} ({key}), or shorten the class name",
                        context - over
                    )
                } else {
                    "shorten the class name".to_owned()
                }
            }
            Self::ClassCount { key, .. } => {
                format!("train with {key} = false to use a prompt on other classes")
            }
            Self::Template { .. } => "write it like \"a photo of a {}.\"".to_owned(),
            Self::Clip(error) => return error.hint(),
            Self::Incompatible { hint, .. } => return hint.clone(),
            _ => return None,
        };
        Some(hint)
    }
}
