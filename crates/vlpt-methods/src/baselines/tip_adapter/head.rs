//! The cache as a classifier in a prompt folder.

use std::any::Any;
use std::sync::Arc;

use super::TipAdapter;
use crate::Result;
use crate::head::{CacheMatrices, FeatureHead, HeadFile, HeadMatrices, HeadReader, rows};

const ALPHA: &str = "alpha";
const BETA: &str = "beta";
const SCALE: &str = "logit_scale";

impl TipAdapter {
    pub(super) const READER: HeadReader = HeadReader {
        kind: "cached",
        read: |file, classes, embed| {
            let text = file.take("features", &[classes, embed])?;
            let scale = file.take(SCALE, &[1])?[0];
            let (alpha, beta) = (file.number(ALPHA)?, file.number(BETA)?);
            let (keys, values) = cache(file, embed)?;
            let adapter = Self {
                keys,
                values,
                text,
                scale,
                alpha,
                beta,
                embed,
            };
            adapter.check().map_err(|error| error.to_string())?;
            Ok(Arc::new(adapter))
        },
    };
}

impl FeatureHead for TipAdapter {
    fn kind(&self) -> &'static str {
        Self::READER.kind
    }

    fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        Self::logits(self, images)
    }

    /// The cache with the values of these classes; a key of none of them adds to no logit.
    fn part(&self, classes: &[usize]) -> Arc<dyn FeatureHead> {
        let mut numbers = vec![None; self.classes()];
        for (number, &class) in classes.iter().enumerate() {
            numbers[class] = Some(number as u32);
        }
        let renumbered = |of: &Vec<u32>| {
            of.iter()
                .filter_map(|&class| numbers[class as usize])
                .collect()
        };
        Arc::new(Self {
            values: self.values.iter().map(renumbered).collect(),
            text: rows(&self.text, classes, self.embed),
            ..self.clone()
        })
    }

    fn matrices(&self) -> Option<HeadMatrices> {
        let classes = self.classes();
        let mut values = vec![0.0; self.values.len() * classes];
        for (row, own) in values.chunks_exact_mut(classes).zip(&self.values) {
            for class in own {
                row[*class as usize] += 1.0;
            }
        }
        Some(HeadMatrices {
            weight: self.text.clone(),
            scale: f64::from(self.scale),
            bias: None,
            normalised: true,
            cache: Some(CacheMatrices {
                keys: self.keys.clone(),
                values,
                alpha: self.alpha,
                beta: self.beta,
            }),
        })
    }

    fn stored(&self) -> HeadFile {
        let mut file = HeadFile::default();
        file.put("features", &[self.classes(), self.embed], &self.text);
        file.put(SCALE, &[1], &[self.scale]);
        let keys = self.values.len();
        file.put("keys", &[keys, self.embed], &self.keys);
        let pairs: Vec<f32> = (0..keys)
            .flat_map(|key| self.values[key].iter().map(move |&class| (key, class)))
            .flat_map(|(key, class)| [key as f32, class as f32])
            .collect();
        file.put("values", &[pairs.len() / 2, 2], &pairs);
        file.facts.insert(ALPHA.to_owned(), self.alpha.to_string());
        file.facts.insert(BETA.to_owned(), self.beta.to_string());
        file
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Keys and the classes of each.
fn cache(
    file: &mut HeadFile,
    embed: usize,
) -> std::result::Result<(Vec<f32>, Vec<Vec<u32>>), String> {
    let (keys, pairs) = (file.take_rows("keys", embed)?, file.take_rows("values", 2)?);
    let mut values = vec![Vec::new(); keys.shape[0]];
    for pair in pairs.values.chunks_exact(2) {
        let whole = |v: f32| v >= 0.0 && v.fract() == 0.0;
        let key = values.get_mut(pair[0] as usize);
        match key {
            Some(key) if whole(pair[0]) && whole(pair[1]) => key.push(pair[1] as u32),
            _ => return Err(format!("`values` has the pair {pair:?}")),
        }
    }
    Ok((keys.values, values))
}
