//! Text features of class names that were just made: several fits to the same classes, as of folds, ask
//! for the same ones, and eighty templates a class take longer than most fits.

use std::sync::{Arc, Mutex, PoisonError};

use vlpt_base::hash::fingerprint;
use vlpt_clip::Clip;

use crate::Result;

/// So many are kept, the last ones.
const KEPT: usize = 4;

/// Those of this process.
pub(super) static KNOWN: KnownTexts = KnownTexts::new();

/// The last few text features, by name, the oldest first.
pub(super) struct KnownTexts(Mutex<Vec<(String, Arc<Vec<f32>>)>>);

impl KnownTexts {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The features of these classes in these templates that `make` gives, or those that it gave
    /// before.
    pub(super) fn get(
        &self,
        clip: &Clip,
        (classes, templates): (&[String], &[String]),
        each_normalised: bool,
        make: impl FnOnce() -> Result<Vec<f32>>,
    ) -> Result<Vec<f32>> {
        let head = [
            clip.fingerprint.clone(),
            clip.precision.to_string(),
            each_normalised.to_string(),
            templates.len().to_string(),
        ];
        let key = fingerprint(head.iter().chain(templates).chain(classes));
        let places = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = places()
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, features)| Arc::clone(features));
        if let Some(features) = found {
            return Ok(features.to_vec());
        }
        let features = make()?;
        let mut places = places();
        if places.len() >= KEPT {
            places.remove(0);
        }
        places.push((key, Arc::new(features.clone())));
        Ok(features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_not_made_again_and_other_names_are() {
        let clip = Clip::mini();
        let own = KnownTexts::new();
        let words = |text: &str| vec![text.to_owned()];
        let templates = words("a {}");
        let ask = |class: &str, normalised, value| {
            let classes = words(class);
            own.get(&clip, (&classes, &templates), normalised, || {
                Ok(vec![value])
            })
            .unwrap()
        };
        assert_eq!(ask("cat", true, 1.0), [1.0]);
        assert_eq!(ask("cat", true, 2.0), [1.0]);
        assert_eq!(ask("cat", false, 3.0), [3.0]);
        for (class, value) in ["dog", "fox", "owl"].into_iter().zip([4.0, 5.0, 6.0]) {
            assert_eq!(ask(class, true, value), [value]);
        }
        // The oldest is forgotten.
        assert_eq!(ask("cat", true, 7.0), [7.0]);
    }
}
