//! What a case holds, and the adaptations of both towers that it stands for.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use vlpt_clip::{
    LayerName, PromptRows, PromptToken, TextRows, TextRowsAt, Tokenizer, TowerAdaptation, Update,
    UpdateKind, VisualPlace,
};

use crate::Result;

/// Tensors by name: shapes and values.
pub(crate) struct Case(BTreeMap<String, (Vec<usize>, Vec<f32>)>);

/// One of the towers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tower {
    Text,
    Vision,
}

impl Case {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in SafeTensors::deserialize(&bytes)?.tensors() {
            let (numbers, _) = view.data().as_chunks();
            let values = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
            tensors.insert(name, (view.shape().to_vec(), values));
        }
        Ok(Self(tensors))
    }

    /// The shape and values of a tensor that every case has.
    pub(crate) fn tensor(&self, name: &str) -> (&[usize], &[f32]) {
        let (shape, values) = &self.0[name];
        (shape, values)
    }

    fn find(&self, name: &str) -> Option<(&[usize], &[f32])> {
        self.0
            .get(name)
            .map(|(shape, values)| (shape.as_slice(), values.as_slice()))
    }

    /// The shape of the first of two tensors of a tower, and the values of both.
    fn pair(&self, tower: Tower, names: [&str; 2]) -> Option<(&[usize], &[f32], &[f32])> {
        let [first, second] = names.map(|name| self.find(&format!("{}_{name}", tower.name())));
        let (shape, values) = first?;
        Some((shape, values, second?.1))
    }

    /// A number, or 0 where the case has none.
    fn number(&self, name: &str) -> f32 {
        self.find(name).map_or(0.0, |(_, values)| values[0])
    }

    /// Start token, learned tokens, the name's tokens, end token.
    pub(crate) fn texts(&self, tokenizer: &Tokenizer) -> Vec<Vec<PromptToken>> {
        let rows = self.tensor("context").0[1] as u32;
        let (shape, names) = self.tensor("names");
        let text = |name: &[f32]| {
            let mut text = vec![PromptToken::Token(tokenizer.sot())];
            text.extend((0..rows).map(PromptToken::Learned));
            let words = name.iter().filter(|&&id| id >= 0.0);
            text.extend(words.map(|&id| PromptToken::Token(id as u32)));
            text.push(PromptToken::Token(tokenizer.eot()));
            text
        };
        names.chunks_exact(shape[1]).map(text).collect()
    }

    /// Updates of a tower: the low-rank ones, or those of its layer norms.
    pub(crate) fn updates(&self, tower: Tower) -> Vec<Update<'_>> {
        let mut all = self.low_rank(tower);
        all.extend(self.norms(tower));
        all
    }

    fn low_rank(&self, tower: Tower) -> Vec<Update<'_>> {
        let Some((shape, a, b)) = self.pair(tower, ["a", "b"]) else {
            return Vec::new();
        };
        let layers = [LayerName::Q, LayerName::K, LayerName::V];
        let size = shape[2] * shape[3];
        let pairs = a.chunks_exact(size).zip(b.chunks_exact(size));
        let update = |(place, (a, b))| Update {
            block: place / layers.len(),
            layer: layers[place % layers.len()],
            kind: UpdateKind::LowRank {
                a,
                b,
                scale: self.number("scale"),
                dropout: None,
            },
        };
        pairs.enumerate().map(update).collect()
    }

    /// Factors and terms of every layer norm of a tower, in the order of their computation.
    fn norms(&self, tower: Tower) -> Vec<Update<'_>> {
        let Some((shape, scales, shifts)) = self.pair(tower, ["scale", "shift"]) else {
            return Vec::new();
        };
        let (count, width) = (shape[0], shape[1]);
        let before = usize::from(tower == Tower::Vision);
        let pairs = scales.chunks_exact(width).zip(shifts.chunks_exact(width));
        let update = |(place, (scale, shift))| {
            let (block, layer) = match place {
                0 if before == 1 => (0, LayerName::LnPre),
                place if place + 1 == count => ((place - before) / 2, LayerName::LnFinal),
                place if (place - before).is_multiple_of(2) => {
                    ((place - before) / 2, LayerName::Ln1)
                }
                place => ((place - before) / 2, LayerName::Ln2),
            };
            Update {
                block,
                layer,
                kind: UpdateKind::ScaleShift { scale, shift },
            }
        };
        pairs.enumerate().map(update).collect()
    }

    /// What the texts are under.
    pub(crate) fn of_texts<'a>(&'a self, updates: &'a [Update<'a>]) -> TowerAdaptation<'a> {
        let text_rows = self.find("text_rows").map(|(shape, values)| TextRows {
            values,
            at: TextRowsAt {
                block: self.number("text_rows_block") as usize,
                rows: shape[1],
            },
        });
        TowerAdaptation {
            prompts: self.prompts("context", VisualPlace::AfterLnPre),
            text_rows,
            updates,
            ..TowerAdaptation::NONE
        }
    }

    /// What the images are under.
    pub(crate) fn of_images<'a>(
        &'a self,
        updates: &'a [Update<'a>],
        place: VisualPlace,
    ) -> TowerAdaptation<'a> {
        TowerAdaptation {
            prompts: self.prompts("visual", place),
            updates,
            row_projection: self.find("row_projection").map(|(_, values)| values),
            ..TowerAdaptation::NONE
        }
    }

    /// The rows of a tensor (blocks x rows x width).
    fn prompts(&self, name: &str, place: VisualPlace) -> PromptRows<'_> {
        let (shape, values) = self.tensor(name);
        let first = self.number("first") as usize;
        PromptRows {
            values,
            first,
            blocks: shape[0],
            rows: shape[1],
            place: if first == 0 {
                place
            } else {
                VisualPlace::AfterLnPre
            },
            carry: self.number("carry"),
            ..PromptRows::NONE
        }
    }
}

impl Tower {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Vision => "vision",
        }
    }
}
