//! Two features of an image: how they make one loss, and one logit for each class.
//!
//! A method whose learned rows have a projection of their own gives each image two features: `f` of
//! its class token, and `r` of the learned rows. With the text feature `g` of a class and the logit
//! scale `s`, the class has the logit
//!
//! ```text
//! a s cos(f, g) + (1 - a) s cos(r, g)      where `r` counts: it is fused
//! s cos(f, g)                              where it does not
//! ```
//!
//! `r` is tuned to the classes of the training, and means little of others.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::class_text;

/// How the two features of an image are weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// The share of the class token's feature, 0 to 1: of the loss, and of fused logits. The rest is
    /// that of the learned rows.
    pub share: f64,
    /// The classes whose logits are fused.
    pub classes: FusedClasses,
}

/// The classes whose logits are fused when a list of classes is told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FusedClasses {
    /// Those of the training, by name; others in the same list are not.
    #[default]
    Trained,
    /// All of a list that holds no other class than the training's; else none.
    Split,
    /// All.
    All,
    /// None.
    None,
}

impl Fusion {
    /// For each of `classes` the share of the class token's feature in its logit, after a training on
    /// `trained`: 1 where logits are not fused. Names are the same that make the same text.
    pub fn shares(&self, classes: &[String], trained: &[String]) -> Vec<f32> {
        let trained: BTreeSet<String> = trained.iter().map(|name| class_text(name)).collect();
        let known = |name: &String| trained.contains(&class_text(name));
        let whole = match self.classes {
            FusedClasses::Split => classes.iter().all(known),
            FusedClasses::All => true,
            FusedClasses::Trained | FusedClasses::None => false,
        };
        let fused = |name: &String| whole || (self.classes == FusedClasses::Trained && known(name));
        let share = |name: &String| if fused(name) { self.share as f32 } else { 1.0 };
        classes.iter().map(share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(classes: FusedClasses, list: &[&str]) -> Vec<f32> {
        let names =
            |names: &[&str]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
        let fusion = Fusion {
            share: 0.7,
            classes,
        };
        fusion.shares(&names(list), &names(&["cat", "polar_bear"]))
    }

    #[test]
    fn classes_of_the_training_are_known_by_name_in_any_list() {
        let of = |list: &[&str]| shares(FusedClasses::Trained, list);
        assert_eq!(of(&["cat", "polar_bear"]), [0.7, 0.7]);
        assert_eq!(of(&["dog", "cow"]), [1.0, 1.0]);
        assert_eq!(of(&["dog", "polar bear", "cow"]), [1.0, 0.7, 1.0]);
    }

    #[test]
    fn a_split_is_fused_as_a_whole_or_not_at_all() {
        let of = |list: &[&str]| shares(FusedClasses::Split, list);
        assert_eq!(of(&["polar bear"]), [0.7]);
        assert_eq!(of(&["cat", "dog"]), [1.0, 1.0]);
    }

    #[test]
    fn all_or_none_ask_for_no_names() {
        let list = ["cat", "dog"];
        assert_eq!(shares(FusedClasses::All, &list), [0.7, 0.7]);
        assert_eq!(shares(FusedClasses::None, &list), [1.0, 1.0]);
    }
}
