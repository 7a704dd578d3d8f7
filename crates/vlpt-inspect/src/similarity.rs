//! How alike prompts are.
//!
//! Every measure is a cosine, from -1 to 1, of two flattened lists of numbers, or the mean of
//! cosines; pairs that a measure does not fit have none. The order of learned tokens means
//! something to the text tower, which adds positions, and nothing to the image tower: two sets of
//! visual prompts in another order are the same function and still have a low cosine.

use serde::Serialize;
use vlpt_clip::Clip;

use crate::{InspectError, OpenPrompt, Result};

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// All trainable values, where both prompts have the same parameters of the same shapes.
    Parameters,
    /// Learned text tokens as they enter the text tower, where there are as many.
    TextTokens,
    /// Mean over the classes that both were tuned for of the cosine of their text features.
    ClassFeatures,
    /// Visual prompts of all blocks that have some in both, where blocks have as many.
    VisualPrompts,
    /// Visual prompts of one block, counted from 1.
    VisualBlock(usize),
}

impl Measure {
    /// The name in tables and files.
    pub fn name(&self) -> String {
        match self {
            Self::Parameters => "parameters".to_owned(),
            Self::TextTokens => "text tokens".to_owned(),
            Self::ClassFeatures => "class features".to_owned(),
            Self::VisualPrompts => "visual prompts".to_owned(),
            Self::VisualBlock(block) => format!("visual prompts of block {block}"),
        }
    }
}

/// One measure over all pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimilarityMatrix {
    /// What is compared.
    pub measure: Measure,
    /// Prompts x prompts, symmetric; none where the measure does not fit the pair.
    pub values: Vec<Vec<Option<f64>>>,
}

impl SimilarityMatrix {
    /// Whether two different prompts have a value.
    pub fn says_something(&self) -> bool {
        let pairs = self.values.iter().enumerate();
        pairs
            .flat_map(|(i, row)| row[..i].iter())
            .any(Option::is_some)
    }
}

/// What a prompt is compared by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Trainable values by name and shape.
    pub parameters: Vec<(String, Vec<usize>, Vec<f32>)>,
    /// Learned text tokens; empty where there are none.
    pub text: Vec<f32>,
    /// Class names with their text features; empty where features depend on the image.
    pub features: Vec<(String, Vec<f32>)>,
    /// Visual prompts of each block that has some.
    pub visual: Vec<Vec<f32>>,
}

impl Profile {
    /// The profile of an open prompt.
    ///
    /// # Errors
    /// Parameters that cannot be read.
    pub fn of(prompt: &OpenPrompt, clip: &Clip) -> Result<Self> {
        let parameters = prompt.method.parameters().iter().map(|p| {
            let values = p.values().map_err(vlpt_adapter::AdapterError::from)?;
            Ok((p.name().to_owned(), p.shape().to_vec(), values))
        });
        let visual = prompt.visual_prompts().map_or_else(Vec::new, |visual| {
            let of_block = visual.values.len() / visual.blocks.max(1);
            let blocks = visual.values.chunks_exact(of_block.max(1));
            blocks.map(<[f32]>::to_vec).collect()
        });
        let features = prompt.class_features(clip)?;
        Ok(Self {
            parameters: parameters.collect::<Result<_>>()?,
            text: prompt.text.clone(),
            features,
            visual,
        })
    }
}

/// Opens prompt folders for comparison; all of one model.
///
/// # Errors
/// [`InspectError::TooFew`], [`InspectError::OtherModel`], or a folder that is damaged.
pub fn check_same_model(folders: &[vlpt_adapter::PromptFolder]) -> Result<()> {
    let [first, others @ ..] = folders else {
        return Err(InspectError::TooFew { found: 0 });
    };
    if others.is_empty() {
        return Err(InspectError::TooFew { found: 1 });
    }
    let model = |folder: &vlpt_adapter::PromptFolder| {
        let a = &folder.adapter;
        format!("{} ({:.12})", a.base_model, a.base_model_fingerprint)
    };
    let fingerprint = &first.adapter.base_model_fingerprint;
    match others
        .iter()
        .find(|f| f.adapter.base_model_fingerprint != *fingerprint)
    {
        None => Ok(()),
        Some(other) => Err(InspectError::OtherModel {
            path: other.path.clone(),
            found: model(other),
            first: first.path.clone(),
            expected: model(first),
        }),
    }
}

/// Every measure over all pairs of prompts; first the four over whole prompts, then visual prompts
/// block by block.
pub fn similarities(profiles: &[Profile]) -> Vec<SimilarityMatrix> {
    let blocks = profiles.iter().map(|p| p.visual.len()).max().unwrap_or(0);
    let mut measures = vec![
        Measure::Parameters,
        Measure::TextTokens,
        Measure::ClassFeatures,
        Measure::VisualPrompts,
    ];
    measures.extend((1..=blocks).map(Measure::VisualBlock));
    let matrix = |measure: Measure| {
        let row = |a: &Profile| {
            let pairs = profiles.iter();
            pairs.map(|b| compare(&measure, a, b)).collect()
        };
        SimilarityMatrix {
            values: profiles.iter().map(row).collect(),
            measure,
        }
    };
    measures.into_iter().map(matrix).collect()
}

/// One measure of one pair; the same whichever comes first.
pub fn compare(measure: &Measure, a: &Profile, b: &Profile) -> Option<f64> {
    match measure {
        Measure::Parameters => {
            let same = |((name, shape, _), (other, of, _)): (&Shaped, &Shaped)| {
                name == other && shape == of
            };
            let pairs = || a.parameters.iter().zip(&b.parameters);
            if a.parameters.len() != b.parameters.len() || !pairs().all(same) {
                return None;
            }
            cosine(pairs().map(|(a, b)| (&*a.2, &*b.2)))
        }
        Measure::TextTokens => {
            let fits = a.text.len() == b.text.len();
            fits.then(|| cosine([(&*a.text, &*b.text)].into_iter()))?
        }
        Measure::ClassFeatures => {
            let feature = |class: &str| b.features.iter().find(|(name, _)| name == class);
            let pair = |(class, ours): &(String, Vec<f32>)| {
                let (_, theirs) = feature(class)?;
                (ours.len() == theirs.len()).then(|| cosine([(&**ours, &**theirs)].into_iter()))?
            };
            // in the order of the names, so that it does not matter which prompt comes first
            let mut found: Vec<(&str, f64)> = a
                .features
                .iter()
                .filter_map(|f| Some((&*f.0, pair(f)?)))
                .collect();
            found.sort_by(|a, b| a.0.cmp(b.0));
            let sum: f64 = found.iter().map(|f| f.1).sum();
            (!found.is_empty()).then(|| sum / found.len() as f64)
        }
        Measure::VisualPrompts => {
            let pairs = || a.visual.iter().zip(&b.visual);
            if !pairs().all(|(a, b)| a.len() == b.len()) {
                return None;
            }
            cosine(pairs().map(|(a, b)| (&**a, &**b)))
        }
        Measure::VisualBlock(block) => {
            let (a, b) = (a.visual.get(block - 1)?, b.visual.get(block - 1)?);
            (a.len() == b.len()).then(|| cosine([(&**a, &**b)].into_iter()))?
        }
    }
}

/// A parameter: name, shape, values.
type Shaped = (String, Vec<usize>, Vec<f32>);

/// The cosine of two vectors given in parts; none where one of them is empty or zero.
fn cosine<'a>(parts: impl Iterator<Item = (&'a [f32], &'a [f32])>) -> Option<f64> {
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in parts {
        for (&a, &b) in a.iter().zip(b) {
            let (a, b) = (f64::from(a), f64::from(b));
            aa += a * a;
            bb += b * b;
            ab += a * b;
        }
    }
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(ctx: &[f32], classes: &[(&str, [f32; 2])], visual: &[&[f32]]) -> Profile {
        Profile {
            parameters: vec![("ctx".to_owned(), vec![ctx.len()], ctx.to_vec())],
            text: ctx.to_vec(),
            features: classes
                .iter()
                .map(|(name, f)| ((*name).to_owned(), f.to_vec()))
                .collect(),
            visual: visual.iter().map(|block| block.to_vec()).collect(),
        }
    }

    #[test]
    fn cosines_come_out_by_hand() {
        let a = profile(
            &[3.0, 4.0],
            &[("cat", [1.0, 0.0]), ("dog", [0.0, 1.0])],
            &[],
        );
        let b = profile(
            &[4.0, 3.0],
            &[("dog", [0.0, 1.0]), ("cat", [0.6, 0.8])],
            &[],
        );
        let close = |found: Option<f64>, want: f64| (found.unwrap() - want).abs() < 1e-7;
        assert!(close(compare(&Measure::Parameters, &a, &b), 24.0 / 25.0));
        assert!(close(compare(&Measure::TextTokens, &a, &b), 24.0 / 25.0));
        // classes are matched by name: (0.6 + 1) / 2
        assert!(close(compare(&Measure::ClassFeatures, &a, &b), 0.8));
        assert_eq!(compare(&Measure::VisualPrompts, &a, &b), None);
    }

    #[test]
    fn what_does_not_fit_has_no_value() {
        let a = profile(&[1.0, 2.0], &[("cat", [1.0, 0.0])], &[&[1.0], &[1.0]]);
        let b = profile(&[1.0], &[("dog", [1.0, 0.0])], &[&[2.0]]);
        for measure in [
            Measure::Parameters,
            Measure::TextTokens,
            Measure::ClassFeatures,
            Measure::VisualBlock(2),
        ] {
            assert_eq!(compare(&measure, &a, &b), None, "{measure:?}");
        }
        assert_eq!(compare(&Measure::VisualBlock(1), &a, &b), Some(1.0));
        assert_eq!(compare(&Measure::VisualPrompts, &a, &b), Some(1.0));
    }

    #[test]
    fn matrices_are_symmetric_to_the_bit_with_ones_on_the_diagonal() {
        let of = |s: f32| {
            let values = [0.1 * s, -0.7, s * s, 0.3];
            profile(
                &values,
                &[("b", [s, 0.4]), ("a", [0.2, -s]), ("c", [1.0, s])],
                &[&values, &[s, 1.0, 0.0, 0.5]],
            )
        };
        let profiles = [of(1.0), of(-2.0), of(0.5)];
        let matrices = similarities(&profiles);
        assert_eq!(matrices.len(), 6);
        for matrix in matrices {
            assert!(matrix.says_something());
            for i in 0..3 {
                let own = matrix.values[i][i].unwrap();
                assert!((own - 1.0).abs() < 1e-12);
                for j in 0..3 {
                    let (a, b) = (matrix.values[i][j], matrix.values[j][i]);
                    assert_eq!(a.map(f64::to_bits), b.map(f64::to_bits));
                }
            }
        }
    }
}
