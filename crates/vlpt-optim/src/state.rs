//! What an optimiser remembers from step to step.

use std::collections::BTreeMap;

use crate::{OptimError, Result};

/// The memory of an optimiser: named vectors, to be stored beside the parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizerState {
    /// Moments: `momentum/<parameter>`, `first/<parameter>`, `second/<parameter>`.
    pub floats: BTreeMap<String, Vec<f32>>,
    /// Counters: `steps/<parameter>`.
    pub counters: BTreeMap<String, u64>,
}

impl OptimizerState {
    /// The vector of one parameter, made of zeros where it is new.
    pub(crate) fn moment(&mut self, kind: &str, name: &str, len: usize) -> Result<&mut [f32]> {
        let key = format!("{kind}/{name}");
        let moment = self.floats.entry(key).or_insert_with(|| vec![0.0; len]);
        if moment.len() != len {
            return Err(OptimError::StateLength {
                name: name.to_owned(),
                len,
                found: moment.len(),
            });
        }
        Ok(moment)
    }

    /// An error that names the first vector or counter whose kind is not among the given ones.
    pub(crate) fn check(&self, optimizer: &str, floats: &[&str], counters: &[&str]) -> Result<()> {
        let known = |key: &str, kinds: &[&str]| {
            kinds
                .iter()
                .any(|kind| key.strip_prefix(kind).is_some_and(|k| k.starts_with('/')))
        };
        let odd = self.floats.keys().find(|key| !known(key, floats));
        let odd = odd.or_else(|| self.counters.keys().find(|key| !known(key, counters)));
        match odd {
            None => Ok(()),
            Some(key) => Err(OptimError::OtherState {
                optimizer: optimizer.to_owned(),
                key: key.clone(),
            }),
        }
    }
}

/// Refuses a gradient of another length than its parameter.
pub(crate) fn check_lengths(name: &str, values: &[f32], gradient: &[f32]) -> Result<()> {
    if values.len() == gradient.len() {
        return Ok(());
    }
    Err(OptimError::GradientLength {
        name: name.to_owned(),
        len: values.len(),
        found: gradient.len(),
    })
}
