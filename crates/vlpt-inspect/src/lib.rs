//! Reading learned prompts, and what a data set says about them beforehand.
//!
//! * [`words`]: the vocabulary's tokens nearest to learned text tokens, with a yardstick.
//! * [`similarity`]: how alike prompts are, by parameters, tokens and class features.
//! * [`attention`]: how the class token shares its attention among itself, patches and prompts.
//! * [`variance`]: the analysis of the UPT paper: intra-class visual variance and inter-class text
//!   variance, against the gains of text, visual and unified prompts ([`gains`], [`rank`]).
//!
//! Nothing is drawn or printed here; every result is a plain struct.

pub mod attention;
mod error;
pub mod gains;
mod prompt;
pub mod rank;
pub mod similarity;
pub mod variance;
pub mod words;

pub use error::{InspectError, Result};
pub use prompt::{OpenPrompt, TextToken};
