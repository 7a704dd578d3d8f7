//! Features of classes, some of which were tuned as they are and others made of texts.

use vlpt_clip::{Clip, PromptToken, TowerAdaptation};
use vlpt_methods::Method;

use crate::Result;
use crate::choices::places;

/// Features of `classes` (classes x embed) whose texts are `texts`, after a training on the classes
/// `trained`: where the method has [features of its own](Method::class_features) for these, a name
/// has them, and texts are made of the other names. One list may hold both.
pub(super) fn features(
    clip: &Clip,
    method: &dyn Method,
    texts: Vec<Vec<PromptToken>>,
    adaptation: &TowerAdaptation,
    (classes, trained): (&[String], &[String]),
) -> Result<Vec<f32>> {
    let Some(own) = method.class_features() else {
        return Ok(clip.text.features(&texts, adaptation));
    };
    let places = of_names(trained, classes);
    let unknown = texts.into_iter().zip(&places);
    let unknown: Vec<_> = unknown
        .filter_map(|(text, place)| place.is_none().then_some(text))
        .collect();
    let made = clip.text.features(&unknown, adaptation);
    Ok(of_both(
        &places,
        &own.values()?,
        &made,
        clip.config.embed_dim,
    ))
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
