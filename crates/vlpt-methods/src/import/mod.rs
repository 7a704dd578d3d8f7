//! Which method a published checkpoint is of, from the names and shapes of its tensors alone.
//!
//! What is a method's own about it stands in the method's file, as an [`Import`] of its
//! description.

mod base_names;
mod names;
mod reader;

use serde::Serialize;
use vlpt_clip::ClipConfig;

use crate::{METHODS, MethodConfig, MethodSpec, Place, Position, method};

pub use names::{Names, Unused};
pub use reader::Reader;

/// Which published code wrote a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// CoOp and CoCoOp's: the class name stands at the end.
    Coop,
    /// MVLPT's, for all its methods: the class name stands in the middle.
    Mvlpt,
    /// That of the method's authors.
    Own,
    /// The PEFT library.
    Peft,
}

/// What a user says of a checkpoint that it does not say itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ImportHints {
    /// The code that wrote it.
    pub source: Option<Source>,
    /// Where the class name stands.
    pub position: Option<Position>,
    /// Where the visual prompts of the first block enter.
    pub place: Option<Place>,
    /// What a file beside the tensors says of low-rank updates.
    pub low_rank: Option<LowRankHints>,
}

/// What is said of low-rank updates beside their tensors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowRankHints {
    /// The rank that is said; the tensors have to be of it.
    pub rank: usize,
    /// An update is multiplied with this over the square root of its rank.
    pub alpha: f64,
    /// Dropout of an update's input in training.
    pub dropout: f64,
}

/// How checkpoints of one method are recognised and read.
#[derive(Debug, Clone, Copy)]
pub struct Import {
    /// Whether tensors of these names are its parameters.
    pub matches: fn(&Names) -> bool,
    /// Its options, as far as shapes tell them.
    pub read: fn(&mut Reader) -> MethodConfig,
    /// The code that wrote the file, where no name tells MVLPT's; the first is taken without a hint.
    pub sources: &'static [Source],
    /// Whether the position of the class name can be chosen.
    pub position: bool,
    /// Whether it has visual prompts whose place can be chosen.
    pub place: bool,
    /// The names of its tensors, for a message.
    pub tensors: &'static str,
}

/// A method with the options that the shapes tell, and what they do not tell.
#[derive(Debug, PartialEq)]
pub struct Recognised {
    /// The method.
    pub method: MethodConfig,
    /// The code that wrote it.
    pub source: Source,
    /// Options taken for granted, each with its reason.
    pub assumed: Vec<String>,
}

/// Why a checkpoint is of no method, or not for this model.
#[derive(Debug, PartialEq)]
pub enum Unknown {
    /// Its tensors are those of no method.
    Method,
    /// Options asked for that its method does not have.
    Option(String),
    /// Tensors that are missing or misshapen, one sentence each.
    Tensors(&'static str, Vec<String>),
    /// Sizes that are not the model's, one sentence each.
    Sizes(Vec<String>),
}

/// The methods whose checkpoints can be imported.
pub fn importable() -> impl Iterator<Item = (&'static MethodSpec, &'static Import)> {
    let with = |spec: &&'static MethodSpec| Some((*spec, spec.import.as_ref()?));
    METHODS.iter().filter_map(with)
}

/// The method of these tensors, for a model of these sizes; `asked` is its name where it is not to
/// be recognised.
///
/// # Errors
/// Why it is none, or not for this model.
pub fn recognise(
    names: &Names,
    model: &ClipConfig,
    asked: Option<&str>,
    hints: &ImportHints,
) -> Result<Recognised, Unknown> {
    let (spec, import) = match asked {
        None => importable()
            .find(|(_, import)| (import.matches)(names))
            .ok_or(Unknown::Method)?,
        Some(asked) => method(asked)
            .and_then(|spec| Some((spec, spec.import.as_ref()?)))
            .ok_or_else(|| {
                let known: Vec<&str> = importable().map(|(spec, _)| spec.name).collect();
                Unknown::Option(format!(
                    "there is no method \"{asked}\" to import: expected one of {}",
                    known.join(", ")
                ))
            })?,
    };
    let refuse = |option: &str| {
        Err(Unknown::Option(format!(
            "the checkpoint is of {}, which has no {option}",
            spec.name
        )))
    };
    if hints.position.is_some() && !import.position {
        return refuse("choice of the class's position");
    }
    if hints.place.is_some() && !import.place {
        return refuse("visual prompts");
    }
    let source = hints.source.unwrap_or(match import.sources {
        _ if names.mvlpt => Source::Mvlpt,
        [first, ..] => *first,
        [] => Source::Own,
    });
    let mut reader = Reader {
        names,
        model,
        hints,
        source,
        problems: Vec::new(),
        sizes: Vec::new(),
        assumed: Vec::new(),
    };
    let config = (import.read)(&mut reader);
    if !reader.problems.is_empty() {
        return Err(Unknown::Tensors(spec.name, reader.problems));
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

#[cfg(test)]
mod tests;
