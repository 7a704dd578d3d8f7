//! Class texts without any learned token, for methods that leave the text side as it is.

use vlpt_clip::{PromptToken, Tokenizer};

use crate::zeroshot::fill;
use crate::{MethodError, Result, class_text};

/// For each class, the tokens of `template` filled with its name. White space is collapsed by the
/// tokenizer, so `"a photo of a  {}."` gives the same tokens as with one space.
///
/// # Errors
/// A template without a place for the name, a name without a token, or a text longer than the
/// tower's positions.
pub fn template_texts(
    tokenizer: &Tokenizer,
    template: &str,
    classes: &[String],
) -> Result<Vec<Vec<PromptToken>>> {
    let text = |(index, class): (usize, &String)| {
        if tokenizer.bpe(&class_text(class)).is_empty() {
            return Err(MethodError::EmptyName {
                index,
                name: class.clone(),
            });
        }
        let ids = tokenizer.encode(&fill(template, class)?)?;
        Ok(ids.into_iter().map(PromptToken::Token).collect())
    };
    classes.iter().enumerate().map(text).collect()
}
