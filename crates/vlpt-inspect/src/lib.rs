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

/// Rows of cells below a header as CSV text, quoted where needed, lines ending in a line feed.
pub fn csv_text(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    let mut lines = vec![header.iter().map(|c| (*c).to_owned()).collect()];
    lines.extend_from_slice(rows);
    for line in lines {
        writer
            .write_record(&line)
            .expect("memory takes rows of any length");
    }
    let bytes = writer.into_inner().expect("memory takes every byte");
    String::from_utf8_lossy(&bytes).into_owned()
}
