//! Training images of one class each: what fits that know no other begin with.

use crate::head::HeadInputs;
use crate::{MethodConfig, MethodError, Result};

/// The class of each training image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shots {
    /// One for each image.
    pub(super) labels: Vec<u32>,
    /// How many images each class has.
    pub(super) counts: Vec<usize>,
}

impl Shots {
    /// Those of a run.
    ///
    /// # Errors
    /// No image, images of several classes or of none, a class beyond the names, or a feature that is
    /// no number.
    pub(super) fn of(method: &MethodConfig, inputs: &HeadInputs) -> Result<Self> {
        inputs.check(method)?;
        let refuse = |what: String, hint: Option<&str>| {
            let hint = hint.map(str::to_owned);
            Err(MethodError::Incompatible { what, hint })
        };
        if inputs.multi_label {
            return refuse(
                format!("{method} fits images of one class each, but these may show several"),
                Some("use the linear probe or Tip-Adapter, which know images of several classes"),
            );
        }
        if inputs.train.is_empty() || inputs.views.is_empty() {
            return refuse(format!("{method} has no training image to fit"), None);
        }
        let mut labels = Vec::with_capacity(inputs.train.len());
        let mut counts = vec![0; inputs.classes.len()];
        for (own, id) in inputs.train.labels.iter().zip(inputs.train.ids) {
            let count = own.first().and_then(|&c| counts.get_mut(c as usize));
            let (&[class], Some(count)) = (own.as_slice(), count) else {
                let classes = inputs.classes.len();
                let what = format!("{id} has the classes {own:?}: expected one below {classes}");
                return refuse(what, None);
            };
            *count += 1;
            labels.push(class);
        }
        for view in inputs.views {
            if let Some(at) = view.iter().position(|value| !value.is_finite()) {
                let id = &inputs.train.ids[at / inputs.embed()];
                let what = format!("a feature of {id} is {}: expected a number", view[at]);
                return refuse(what, Some("look at the image, and at the model's weights"));
            }
        }
        Ok(Self { labels, counts })
    }

    /// Refuses a class without a training image, of which such a fit could say nothing.
    ///
    /// # Errors
    /// The first such class.
    pub(super) fn every_class(&self, method: &MethodConfig, inputs: &HeadInputs) -> Result<()> {
        let Some(class) = self.counts.iter().position(|&count| count == 0) else {
            return Ok(());
        };
        Err(MethodError::Incompatible {
            what: format!(
                "\"{}\" has no training image: {method} needs at least one of every class",
                inputs.classes[class]
            ),
            hint: Some(
                "add images of it, name the classes that have some, or tune a prompt, which knows \
                 a class by its name"
                    .to_owned(),
            ),
        })
    }

    /// The share of each image in a loss that is divided by the images' weights: those of their
    /// classes, or all alike. They add up to 1.
    pub(super) fn shares(&self, weights: Option<&[f64]>) -> Vec<f64> {
        let weight = |&class: &u32| weights.map_or(1.0, |weights| weights[class as usize]);
        let each: Vec<f64> = self.labels.iter().map(weight).collect();
        let total: f64 = each.iter().sum();
        each.iter().map(|weight| weight / total).collect()
    }
}

/// A value that is no number ends a fit: says what became one, and where.
///
/// # Errors
/// [`MethodError::Incompatible`] unless `value` is finite.
pub(super) fn finite(
    what: &str,
    value: f64,
    at: impl FnOnce() -> String,
    hint: &str,
) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(MethodError::Incompatible {
        what: format!("{what} became {value} in {}", at()),
        hint: Some(hint.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_weights_of_classes_and_add_up_to_one() {
        let shots = Shots {
            labels: vec![0, 1, 1, 0],
            counts: vec![2, 2],
        };
        assert_eq!(shots.shares(None), [0.25; 4]);
        assert_eq!(
            shots.shares(Some(&[3.0, 1.0])),
            [0.375, 0.125, 0.125, 0.375]
        );
    }

    #[test]
    fn a_loss_that_is_no_number_is_told_with_its_place() {
        assert!(finite("the loss", 1.0, || unreachable!(), "").is_ok());
        let place = || "epoch 3".to_owned();
        let error = finite("the loss", f64::NAN, place, "lower the rate").unwrap_err();
        assert_eq!(error.to_string(), "the loss became NaN in epoch 3");
        assert_eq!(error.hint().unwrap(), "lower the rate");
    }
}
