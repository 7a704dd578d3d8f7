//! Features of classes, some of which were tuned as they are and others made of texts.

use std::sync::Arc;

use vlpt_clip::Clip;
use vlpt_methods::{Method, Pass};

use super::{Classifier, Head, check_texts};
use crate::choices::places;
use crate::{AdapterError, ImageAdaptation, Result};

impl Classifier {
    /// As [`Classifier::of_method`], for classes of which some may be among those that the method is
    /// `tuned` for: where it has [features of its own](Method::class_features) for these, a name has
    /// them, and texts are made of the other names. One list may hold both.
    ///
    /// # Errors
    /// As [`Classifier::of_method`].
    pub fn of_method_among(
        clip: &Clip,
        method: Arc<dyn Method>,
        tuned: &[String],
        classes: &[String],
    ) -> Result<Self> {
        let texts = method.texts(&clip.tokenizer, classes)?;
        let needs = method.needs();
        if needs.texts_per_image && needs.pixels {
            return Err(AdapterError::Incompatible {
                what: format!(
                    "the method {} makes texts of each image and changes the image tower too",
                    method.name()
                ),
                hint: Some("make one of the two of parameters alone".to_owned()),
            });
        }
        if needs.texts_per_image {
            return Ok(Self::with_head(
                classes,
                clip.config.embed_dim,
                Head::Conditional {
                    method,
                    texts,
                    logit_scale: clip.logit_scale,
                },
            ));
        }
        let visual = ImageAdaptation::of_method(&method)?;
        let text = method.adapt(&Pass::EVAL)?.text.values()?;
        let updates = text.updates();
        let text = text.for_tower(&updates);
        let features = match method.class_features() {
            None => clip.text.features(&texts, &text),
            Some(own) => {
                let embed = clip.config.embed_dim;
                let places = of_names(tuned, classes);
                let unknown = texts.into_iter().zip(&places);
                let unknown: Vec<_> = unknown
                    .filter_map(|(text, place)| place.is_none().then_some(text))
                    .collect();
                let made = clip.text.features(&unknown, &text);
                of_both(&places, &own.values()?, &made, embed)
            }
        };
        check_texts(classes, &features)?;
        Ok(Self::new(clip, classes, features).with_visual(visual))
    }
}

/// For each class its place among those that features were tuned for, found by name as everywhere
/// ([`places`]); where names are in doubt, by the very name alone, the first of equal ones.
fn of_names(tuned: &[String], classes: &[String]) -> Vec<Option<usize>> {
    if tuned == classes {
        return (0..classes.len()).map(Some).collect();
    }
    let exact = |name: &String| tuned.iter().position(|known| known == name);
    places(classes, tuned).unwrap_or_else(|_| classes.iter().map(exact).collect())
}

/// One row for each place: of `tuned` where there is one, else the next of `made`; rows are `embed`
/// long.
fn of_both(places: &[Option<usize>], tuned: &[f32], made: &[f32], embed: usize) -> Vec<f32> {
    let mut made = made.chunks_exact(embed);
    let row = |place: &Option<usize>| match place {
        Some(place) => &tuned[place * embed..(place + 1) * embed],
        None => made.next().unwrap_or_default(),
    };
    places.iter().flat_map(row).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_may_mix_tuned_classes_with_others() {
        let tuned = names(&["school bus", "cup", "cup"]);
        assert_eq!(of_names(&tuned, &tuned), [Some(0), Some(1), Some(2)]);
        let places = of_names(&tuned, &names(&["dog", "School_Bus", "cat"]));
        assert_eq!(places, [None, Some(0), None]);
        let features = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let rows = of_both(&places, &features, &[7.0, 8.0, 9.0, 10.0], 2);
        assert_eq!(rows, [7.0, 8.0, 1.0, 2.0, 9.0, 10.0]);
    }

    #[test]
    fn names_in_doubt_are_taken_to_the_letter() {
        let tuned = names(&["a cup", "a_cup", "dog"]);
        let places = of_names(&tuned, &names(&["A CUP", "a_cup", "dog"]));
        assert_eq!(places, [None, Some(1), Some(2)]);
    }
}
