//! A linear classifier of image features: one product.

use std::any::Any;
use std::sync::Arc;

use crate::Result;
use crate::head::{FeatureHead, HeadFile, HeadMatrices, HeadReader, UnitRows, products, rows};

const NORMALISED: &str = "normalised";
/// Written only where it is so, so that other files keep their bytes.
const SEPARATE: &str = "separate";

/// `x W^T + b` of image features `x`.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearHead {
    /// Whether `x` is divided by its length.
    pub normalised: bool,
    /// Whether each class has a logistic function of its own, for images of several classes.
    pub separate: bool,
    /// Classes x embed.
    pub weight: Vec<f32>,
    /// One for each class.
    pub bias: Vec<f32>,
}

impl LinearHead {
    pub(super) const READER: HeadReader = HeadReader {
        kind: "linear",
        read: |file, classes, embed| {
            let weight = file.take("weight", &[classes, embed])?;
            let bias = file.take("bias", &[classes])?;
            let normalised = match file.facts.get(NORMALISED).map(String::as_str) {
                Some("true") => true,
                Some("false") => false,
                found => {
                    let found = found.unwrap_or("nothing");
                    return Err(format!(
                        "has {NORMALISED} = {found}: expected true or false"
                    ));
                }
            };
            let separate = match file.facts.get(SEPARATE).map(String::as_str) {
                Some("true") => true,
                None => false,
                Some(found) => {
                    return Err(format!(
                        "has {SEPARATE} = {found}: expected true or nothing"
                    ));
                }
            };
            Ok(Arc::new(Self {
                normalised,
                separate,
                weight,
                bias,
            }))
        },
    };

    /// Length of a feature.
    fn embed(&self) -> usize {
        self.weight.len() / self.bias.len().max(1)
    }
}

impl FeatureHead for LinearHead {
    fn kind(&self) -> &'static str {
        Self::READER.kind
    }

    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        let embed = self.embed();
        let units = UnitRows::new(images, embed)?;
        let seen = if self.normalised {
            units.rows()
        } else {
            images
        };
        let mut logits = products(seen, &self.weight, embed);
        for row in logits.chunks_exact_mut(self.bias.len().max(1)) {
            row.iter_mut().zip(&self.bias).for_each(|(v, b)| *v += b);
        }
        Ok(logits)
    }

    fn separate(&self) -> bool {
        self.separate
    }

    fn part(&self, classes: &[usize]) -> Arc<dyn FeatureHead> {
        Arc::new(Self {
            normalised: self.normalised,
            separate: self.separate,
            weight: rows(&self.weight, classes, self.embed()),
            bias: rows(&self.bias, classes, 1),
        })
    }

    fn matrices(&self) -> Option<HeadMatrices> {
        Some(HeadMatrices {
            weight: self.weight.clone(),
            scale: 1.0,
            bias: Some(self.bias.clone()),
            normalised: self.normalised,
            cache: None,
        })
    }

    fn stored(&self) -> HeadFile {
        let mut file = HeadFile::default();
        let classes = self.bias.len();
        file.put("weight", &[classes, self.embed()], &self.weight);
        file.put("bias", &[classes], &self.bias);
        let normalised = self.normalised.to_string();
        file.facts.insert(NORMALISED.to_owned(), normalised);
        if self.separate {
            file.facts.insert(SEPARATE.to_owned(), true.to_string());
        }
        file
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sees_images_of_length_one_if_told_so() {
        let logits = |normalised| {
            let (weight, bias) = (vec![1.0, 0.0, 5.0, 10.0], vec![0.5, -1.0]);
            let head = LinearHead {
                normalised,
                separate: false,
                weight,
                bias,
            };
            head.logits(&[3.0, 4.0]).unwrap()
        };
        assert_eq!(logits(false), [3.5, 54.0]);
        let unit = logits(true);
        assert!((unit[0] - 1.1).abs() < 1e-6 && (unit[1] - 10.0).abs() < 1e-5);
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let mut head = LinearHead {
            normalised: true,
            separate: false,
            weight: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            bias: vec![0.5, -0.5],
        };
        let read = |mut file: HeadFile| (LinearHead::READER.read)(&mut file, 2, 3);
        let again = read(head.stored()).unwrap();
        assert_eq!(again.as_any().downcast_ref(), Some(&head));
        assert!(!head.stored().facts.contains_key(SEPARATE));
        head.separate = true;
        let again = read(head.stored()).unwrap();
        assert_eq!(again.as_any().downcast_ref(), Some(&head));
        assert!(again.separate() && again.part(&[1]).separate());
        let mut odd = head.stored();
        odd.facts.insert(SEPARATE.to_owned(), "maybe".to_owned());
        assert!(read(odd).unwrap_err().contains("expected true or nothing"));
        let mut odd = head.stored();
        odd.facts.clear();
        assert!(read(odd).unwrap_err().contains("expected true or false"));
    }
}
