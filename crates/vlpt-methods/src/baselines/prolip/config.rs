//! Options of ProLIP.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::TemplateChoice;
use crate::{MethodError, Result};

options! {
    /// Options of [`ProjectionObjective`](super::ProjectionObjective)'s method, ProLIP.
    pub struct ProLipConfig = "prolip" {
        /// What the squared distance from the model's own projection weighs in the loss: a number, or
        /// one that falls with K, the images of a class.
        lambda: Lambda = Lambda::INVERSE, "0 or more, 1/K or 1/K^2";
        /// Templates of the text features.
        templates: TemplateChoice = TemplateChoice::Ensemble, "one or ensemble";
        /// Steps, each on all images; step e uses view e + 1, and begins again after the last one.
        epochs: usize = 300, "at least 1";
        /// Learning rate of the first step; half a cosine brings it to 0.
        lr: f64 = 1e-5, "above 0";
        /// Added to the denominator of Adam.
        eps: f64 = 1e-4, "above 0";
    }
}

/// The weight of the distance from the model's own projection: a number, or a rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, \"1/K\" or \"1/K^2\"")]
pub enum Lambda {
    /// This value.
    Value(f64),
    /// Made of the number of images.
    Rule(LambdaRule),
}

/// How a [`Lambda`] is made of the mean number K of training images of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LambdaRule {
    /// 1 / K.
    #[serde(rename = "1/K")]
    Inverse,
    /// 1 / K^2.
    #[serde(rename = "1/K^2")]
    InverseSquare,
}

impl Lambda {
    /// 1 / K.
    pub const INVERSE: Self = Self::Rule(LambdaRule::Inverse);

    /// The value for so many images of each of so many classes.
    pub fn of(self, images: usize, classes: usize) -> f64 {
        let inverse = classes as f64 / images.max(1) as f64;
        match self {
            Self::Value(value) => value,
            Self::Rule(LambdaRule::Inverse) => inverse,
            Self::Rule(LambdaRule::InverseSquare) => inverse * inverse,
        }
    }
}

impl fmt::Display for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Rule(LambdaRule::Inverse) => f.write_str("1/K"),
            Self::Rule(LambdaRule::InverseSquare) => f.write_str("1/K^2"),
        }
    }
}

impl ProLipConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<()> {
        let error = |key, found: String, expected: &str| {
            Err(MethodError::Option {
                key,
                found,
                expected: expected.to_owned(),
            })
        };
        if let Lambda::Value(value) = self.lambda
            && !(value.is_finite() && value >= 0.0)
        {
            let expected = "0 or more, \"1/K\" or \"1/K^2\"";
            return error("prolip.lambda", value.to_string(), expected);
        }
        if self.epochs == 0 {
            return error("prolip.epochs", "0".to_owned(), "at least 1");
        }
        for (key, value) in [("prolip.lr", self.lr), ("prolip.eps", self.eps)] {
            if !(value.is_finite() && value > 0.0) {
                return error(key, value.to_string(), "a number above 0");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_falls_with_the_images_of_a_class_or_is_a_number() {
        let squared = Lambda::Rule(LambdaRule::InverseSquare);
        assert_eq!(Lambda::INVERSE.of(160, 10), 1.0 / 16.0);
        assert_eq!(squared.of(160, 10), 1.0 / 256.0);
        assert_eq!(Lambda::Value(0.3).of(160, 10), 0.3);
        for (lambda, text) in [
            (Lambda::INVERSE, "\"1/K\""),
            (squared, "\"1/K^2\""),
            (Lambda::Value(0.5), "0.5"),
        ] {
            assert_eq!(serde_json::to_string(&lambda).unwrap(), text);
            assert_eq!(serde_json::from_str::<Lambda>(text).unwrap(), lambda);
            assert_eq!(lambda.to_string(), text.trim_matches('"'));
        }
        assert!(serde_json::from_str::<Lambda>("\"K\"").is_err());
    }

    #[test]
    fn options_that_make_no_sense_are_refused_by_name() {
        let good = ProLipConfig::default;
        assert!(good().check().is_ok());
        let bad = [
            (
                ProLipConfig {
                    lambda: Lambda::Value(-1.0),
                    ..good()
                },
                "prolip.lambda = -1",
            ),
            (
                ProLipConfig {
                    lambda: Lambda::Value(f64::NAN),
                    ..good()
                },
                "prolip.lambda = NaN",
            ),
            (
                ProLipConfig {
                    epochs: 0,
                    ..good()
                },
                "prolip.epochs = 0",
            ),
            (ProLipConfig { lr: 0.0, ..good() }, "prolip.lr = 0"),
            (
                ProLipConfig {
                    lr: f64::INFINITY,
                    ..good()
                },
                "prolip.lr = inf",
            ),
            (
                ProLipConfig {
                    eps: -1e-4,
                    ..good()
                },
                "prolip.eps = -0.0001",
            ),
        ];
        for (config, expected) in bad {
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
