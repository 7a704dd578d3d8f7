//! Which method a checkpoint is of, from the names and shapes of its tensors alone.

use std::collections::BTreeMap;

use vlpt_clip::{CheckpointTensor, ClipConfig};
use vlpt_methods::{
    Attention, CoCoOpConfig, CoOpConfig, Depth, MethodConfig, Position, UptConfig, UptShape,
    VptConfig,
};

use super::{ImportOptions, LeftOut, Source};

/// What MVLPT's prompts of that kind are called in its older files, and now.
const RENAMED: (&str, &str) = ("upt_proj", "mvlpt_proj");
/// The state dict's prefix of a model trained on several devices.
const PARALLEL: &str = "module.";
/// The prompts' prefix in the state dict of the whole model.
const LEARNER: &str = "prompt_learner.";
/// The methods that can be imported.
pub(super) const METHODS: [&str; 5] = ["coop", "cocoop", "vpt", "vlpt", "upt"];

/// Tensors by the names that the methods' parameters have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Names {
    pub(super) tensors: BTreeMap<String, CheckpointTensor>,
    /// Tensors that are no parameters.
    pub(super) left: Vec<LeftOut>,
    /// Whether a name tells MVLPT's code.
    mvlpt: bool,
}

/// Takes prefixes off, brings old spellings up to date and sorts buffers out.
///
/// # Errors
/// Two tensors that come out with the same name.
pub(super) fn names(tensors: Vec<CheckpointTensor>) -> Result<Names, String> {
    let bare = |name: &str| name.strip_prefix(PARALLEL).unwrap_or(name).to_owned();
    let whole = tensors.iter().any(|t| bare(&t.name).starts_with(LEARNER));
    let mut names = Names::default();
    for tensor in tensors {
        let mut left = |why: &str| {
            names.left.push(LeftOut {
                name: tensor.name.clone(),
                why: why.to_owned(),
            });
        };
        let name = bare(&tensor.name);
        let name = match name.strip_prefix(LEARNER) {
            Some(name) => name.to_owned(),
            None if whole => {
                left("outside the prompt learner; the base model is not taken from a checkpoint");
                continue;
            }
            None => name,
        };
        if matches!(name.as_str(), "token_prefix" | "token_suffix") {
            left("a buffer: token embeddings of the class names it was trained with");
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
    Ok(names)
}

/// A method with the options that the shapes tell, and what they do not tell.
#[derive(Debug, PartialEq)]
pub(super) struct Recognised {
    pub(super) method: MethodConfig,
    pub(super) source: Source,
    /// Options taken for granted, each with its reason.
    pub(super) assumed: Vec<String>,
}

/// Why a checkpoint is of no method, or not for this model.
#[derive(Debug, PartialEq)]
pub(super) enum Unknown {
    /// Its tensors are those of no method.
    Method,
    /// Options asked for that its method does not have.
    Option(String),
    /// Tensors that are missing or misshapen, one sentence each.
    Tensors(&'static str, Vec<String>),
    /// Sizes that are not the model's, one sentence each.
    Sizes(Vec<String>),
}

/// The method of these tensors, for a model of these sizes.
pub(super) fn recognise(
    names: &Names,
    model: &ClipConfig,
    options: &ImportOptions,
) -> Result<Recognised, Unknown> {
    let method = match options.method.as_deref() {
        None => method_of(names).ok_or(Unknown::Method)?,
        Some(asked) => *METHODS.iter().find(|name| **name == asked).ok_or_else(|| {
            Unknown::Option(format!(
                "there is no method \"{asked}\" to import: expected one of {}",
                METHODS.join(", ")
            ))
        })?,
    };
    let mut reader = Reader {
        names,
        model,
        problems: Vec::new(),
        sizes: Vec::new(),
        assumed: Vec::new(),
    };
    let certain = names.mvlpt || !matches!(method, "coop" | "cocoop");
    let source = options
        .source
        .unwrap_or(if certain { Source::Mvlpt } else { Source::Coop });
    if !certain && options.source.is_none() && method == "coop" {
        reader.assumed.push(
            "written by CoOp's own code: its files and MVLPT's have the same names here \
             (--source mvlpt for MVLPT's)"
                .to_owned(),
        );
    }
    let config = reader.method(method, source, options)?;
    if !reader.problems.is_empty() {
        return Err(Unknown::Tensors(method, reader.problems));
    }
    if !reader.sizes.is_empty() {
        return Err(Unknown::Sizes(reader.sizes));
    }
    Ok(Recognised {
        method: config,
        source,
        assumed: reader.assumed,
    })
}

/// The method whose tensors these are.
fn method_of(names: &Names) -> Option<&'static str> {
    let has = |name: &str| names.tensors.contains_key(name);
    let any = |prefix: &str| names.tensors.keys().any(|name| name.starts_with(prefix));
    match (
        has("ctx"),
        has("vpt_embeddings"),
        any("meta_net."),
        any(RENAMED.1),
    ) {
        (true, false, false, false) => Some("coop"),
        (true, false, true, false) => Some("cocoop"),
        (false, true, false, false) => Some("vpt"),
        (true, true, false, false) => Some("vlpt"),
        (true, true, false, true) => Some("upt"),
        _ => None,
    }
}

struct Reader<'a> {
    names: &'a Names,
    model: &'a ClipConfig,
    problems: Vec<String>,
    sizes: Vec<String>,
    assumed: Vec<String>,
}

impl Reader<'_> {
    fn method(
        &mut self,
        method: &'static str,
        source: Source,
        options: &ImportOptions,
    ) -> Result<MethodConfig, Unknown> {
        let text = matches!(method, "coop" | "vlpt" | "upt");
        let visual = matches!(method, "vpt" | "vlpt" | "upt");
        let refuse = |option: &str| {
            Err(Unknown::Option(format!(
                "the checkpoint is of {method}, which has no {option}"
            )))
        };
        if options.position.is_some() && !text {
            return refuse("choice of the class's position");
        }
        if options.place.is_some() && !visual {
            return refuse("visual prompts");
        }
        let position = if text {
            self.position(source, options)
        } else {
            Position::End
        };
        let place = options.place.unwrap_or_default();
        if visual && options.place.is_none() {
            self.assumed.push(
                "visual prompts enter after the layer norm before the first block (ln_pre), as in \
                 MVLPT's code (--place)"
                    .to_owned(),
            );
        }
        Ok(match method {
            "coop" => MethodConfig::CoOp(self.coop(position)),
            "cocoop" => MethodConfig::CoCoOp(self.cocoop()),
            "vpt" => {
                let vpt = VptConfig {
                    place,
                    ..self.vpt()
                };
                self.assumed.push(format!(
                    "the classes' texts are \"{}\", as in MVLPT's code",
                    vpt.template
                ));
                MethodConfig::Vpt(vpt)
            }
            "vlpt" => MethodConfig::Vlpt {
                coop: self.coop(position),
                vpt: VptConfig {
                    place,
                    ..self.vpt()
                },
            },
            _ => MethodConfig::Upt(UptConfig {
                position,
                place: Some(place),
                ..self.upt()
            }),
        })
    }

    fn position(&mut self, source: Source, options: &ImportOptions) -> Position {
        options.position.unwrap_or_else(|| {
            let (position, words) = match source {
                Source::Coop => (Position::End, "at the end, as in CoOp's code"),
                Source::Mvlpt => (Position::Middle, "in the middle, as in MVLPT's code"),
            };
            self.assumed
                .push(format!("the class name stands {words} (--position)"));
            position
        })
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.names.tensors.get(name).map(|t| t.shape.as_slice())
    }

    fn misshapen(&mut self, name: &str, expected: &str) {
        self.problems.push(match self.shape(name) {
            Some(shape) => format!("`{name}` has shape {shape:?}: expected {expected}"),
            None => format!("`{name}` is missing"),
        });
    }

    /// Notes a size that is not the model's.
    fn same(&mut self, what: &str, found: usize, of: &str, expected: usize) {
        if found != expected {
            let sentence = format!("{what} is {found}, {of} {expected}");
            self.sizes.push(sentence);
        }
    }

    fn coop(&mut self, position: Position) -> CoOpConfig {
        let (context, class_specific) = self.context(true);
        CoOpConfig {
            context: Some(context),
            class_specific,
            position,
            init: String::new(),
        }
    }

    /// Number of context tokens, and whether each class has its own.
    fn context(&mut self, class_specific: bool) -> (usize, bool) {
        let (tokens, width, specific) = match self.shape("ctx") {
            Some(&[tokens, width]) => (tokens, width, false),
            Some(&[_, tokens, width]) if class_specific => (tokens, width, true),
            _ => {
                let also = if class_specific {
                    ", or classes before it"
                } else {
                    ""
                };
                self.misshapen("ctx", &format!("tokens x text width{also}"));
                return (1, false);
            }
        };
        let width_of_model = self.model.text.width;
        self.same(
            "the width of `ctx`",
            width,
            "that of the text tower",
            width_of_model,
        );
        (tokens, specific)
    }

    fn cocoop(&mut self) -> CoCoOpConfig {
        let (context, _) = self.context(false);
        let name = "meta_net.linear1.weight";
        let hidden = match self.shape(name) {
            Some(&[hidden, embed]) => {
                let expected = self.model.embed_dim;
                self.same(
                    "the width of image features in the meta-net",
                    embed,
                    "the model's",
                    expected,
                );
                Some(hidden)
            }
            // listed among all that are missing
            None => None,
            _ => {
                self.misshapen(name, "hidden x embed");
                None
            }
        };
        CoCoOpConfig {
            context: Some(context),
            init: String::new(),
            hidden,
        }
    }

    fn vpt(&mut self) -> VptConfig {
        let project = self.names.tensors.contains_key("vpt_proj.weight");
        let (count, width, depth) = self.visual(!project);
        VptConfig {
            count,
            depth,
            project: if project { width } else { 0 },
            ..VptConfig::default()
        }
    }

    /// Prompts a block, their width, and the blocks that have some.
    fn visual(&mut self, tower_width: bool) -> (usize, usize, Depth) {
        let Some(&[1, count, width]) = self.shape("vpt_embeddings") else {
            self.misshapen("vpt_embeddings", "1 x prompts x width");
            return (1, 1, Depth::Shallow);
        };
        if tower_width {
            let expected = self.model.vision.width;
            self.same(
                "the width of `vpt_embeddings`",
                width,
                "that of the image tower",
                expected,
            );
        }
        let deep = "vpt_embeddings_deep";
        let depth = match self.shape(deep) {
            None => Depth::Shallow,
            Some(&[blocks, ..]) => {
                let expected = self.model.vision.layers.saturating_sub(1);
                let of = "the image tower's blocks after the first are";
                self.same(
                    "the number of blocks of `vpt_embeddings_deep`",
                    blocks,
                    of,
                    expected,
                );
                Depth::Deep
            }
            Some([]) => {
                self.misshapen(deep, "blocks x prompts x width");
                Depth::Deep
            }
        };
        (count, width, depth)
    }

    fn upt(&mut self) -> UptConfig {
        let (text_count, class_specific) = self.context(true);
        let (visual_count, _, depth) = self.visual(true);
        let name = "mvlpt_proj.resblocks.0.attn.out_proj.weight";
        let width = self.shape(name).and_then(|shape| match *shape {
            [width, _] => Some(width),
            _ => None,
        });
        if width.is_none() {
            self.misshapen(name, "width x width");
        }
        self.assumed.push(
            "one attention head, and attention of each token to itself alone, as MVLPT's code \
             computes it"
                .to_owned(),
        );
        UptConfig {
            shape: UptShape::Mvlpt,
            attention: Attention::Tokenwise,
            text_count,
            visual_count,
            width,
            heads: 1,
            depth: Some(depth),
            class_specific,
            init: String::new(),
            ..UptConfig::default()
        }
    }
}

#[cfg(test)]
mod tests;
