//! Settings of some models or methods alone: `[[when]]` in a recipe or a configuration file.
//!
//! ```toml
//! [train]
//! lr = 0.002
//!
//! [[when]]
//! models = ["mini-clip"]
//! methods = ["coop"]
//! set.train.lr = 0.15
//! ```
//!
//! They lie over the layer that they stand in and below every later one, so a flag still decides. The model
//! and the method that they are compared with are those of all layers together. A resolved configuration has
//! none.

use serde::Deserialize;
use toml::{Table, Value};
use vlpt_methods::METHODS;

use super::nearest;
use crate::TrainError;

/// The key of a file.
pub(super) const WHEN: &str = "when";
/// What a condition is about, and so cannot set.
const GIVEN: [&str; 3] = ["model", "method.name", WHEN];

/// One `[[when]]` of a file: whose settings they are, and the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When<S> {
    /// Names of models, as a run names its own; none: every model.
    #[serde(default)]
    models: Vec<String>,
    /// Names of methods; none: every method.
    #[serde(default)]
    methods: Vec<String>,
    /// The settings.
    pub(super) set: S,
}

impl<S> When<S> {
    /// The methods that it names.
    pub(super) fn methods(&self) -> impl Iterator<Item = &str> {
        self.methods.iter().map(String::as_str)
    }

    /// Whether these are settings of a run with that model and method.
    pub(super) fn holds(&self, model: &str, method: &str) -> bool {
        let among = |names: &[String], name| names.is_empty() || names.iter().any(|n| n == name);
        among(&self.models, model) && among(&self.methods, method)
    }
}

/// Takes the conditions out of a layer whose keys and types were checked; `origin` names it in errors.
pub(super) fn taken(layer: &mut Table, origin: &str) -> Result<Vec<When<Table>>, TrainError> {
    let Some(list) = layer.remove(WHEN) else {
        return Ok(Vec::new());
    };
    let bad = |what: String, suggestion| TrainError::BadValue {
        place: format!("{origin}: [[{WHEN}]]"),
        what,
        suggestion,
    };
    let list: Vec<When<Table>> = list
        .try_into()
        .map_err(|error: toml::de::Error| bad(error.message().to_owned(), None))?;
    let known: Vec<&str> = METHODS.iter().map(|spec| spec.name).collect();
    for when in &list {
        if when.models.is_empty() && when.methods.is_empty() {
            return Err(bad(
                "expected `models`, `methods`, or both".to_owned(),
                None,
            ));
        }
        if let Some(wrong) = when.methods.iter().find(|name| !known.contains(&&***name)) {
            let what = format!("unknown method `{wrong}`");
            return Err(bad(what, nearest(wrong, &known)));
        }
        if let Some(key) = GIVEN.iter().find(|key| is_set(&when.set, key)) {
            let what = format!("`{key}` is what a condition is about, and cannot be set by one");
            return Err(bad(what, None));
        }
    }
    Ok(list)
}

/// Whether a table has that dotted key; `method = "name"` of older files counts as `method.name`.
fn is_set(table: &Table, key: &str) -> bool {
    match key.split_once('.') {
        Some((section, rest)) => match table.get(section) {
            Some(Value::Table(inner)) => is_set(inner, rest),
            other => other.is_some(),
        },
        None => table.contains_key(key),
    }
}
