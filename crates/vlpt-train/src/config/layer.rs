//! One layer of settings: a file's text, or one `key=value`, as a checked table.

use serde::Deserialize;
use toml::{Table, Value};
use vlpt_methods::option_tables;

use super::describe::describe;
use super::method::full_key;
use super::when::{self, When};
use super::{RunConfig, all_keys, nearest};
use crate::{Result, TrainError};

/// The key of the table with the method's name and options.
const METHOD: &str = "method";

/// Settings that lie over others.
pub(super) struct Layer {
    table: Table,
    /// For some models or methods alone, over the table.
    when: Vec<When<Table>>,
}

impl Layer {
    /// What holds for every model and method.
    pub(super) fn plain(table: Table) -> Self {
        let when = Vec::new();
        Self { table, when }
    }

    /// From a file's text, after all its keys and types were checked with their places in it.
    pub(super) fn read(text: &str, origin: &str) -> Result<Self> {
        let mut table: Table = checked(text, origin)?;
        let mut when = when::taken(&mut table, origin)?;
        for when in &mut when {
            when.set = as_written_today(std::mem::take(&mut when.set));
        }
        let table = as_written_today(table);
        Ok(Self { table, when })
    }

    /// Names of methods that it has settings of their own for, each as often as it is named.
    pub(super) fn methods(&self) -> impl Iterator<Item = &str> {
        self.when.iter().flat_map(When::methods)
    }

    /// Without what it says of a method and its options.
    pub(super) fn but_for_the_method(mut self) -> Self {
        self.table.remove(METHOD);
        for when in &mut self.when {
            when.set.remove(METHOD);
        }
        self
    }

    /// From one `key=value`.
    pub(super) fn one(setting: &str) -> Result<Self> {
        Ok(Self::plain(table_of(setting)?))
    }
}

/// Each layer over the one before.
pub(super) fn over_each_other(layers: &[Layer]) -> Result<RunConfig> {
    let plain = merged(layers, |_| false)?;
    if layers.iter().all(|layer| layer.when.is_empty()) {
        return Ok(plain);
    }
    merged(layers, |when| when.holds(&plain.model, plain.method.name()))
}

/// Each layer over the one before, with those of its conditions that hold.
fn merged(layers: &[Layer], holds: impl Fn(&When<Table>) -> bool) -> Result<RunConfig> {
    let mut all = Table::new();
    for layer in layers {
        merge(&mut all, layer.table.clone());
        for when in layer.when.iter().filter(|when| holds(when)) {
            merge(&mut all, when.set.clone());
        }
    }
    RunConfig::deserialize(all).map_err(|error| describe(&error, None, "settings"))
}

/// A layer's table, after all its keys and types were checked with their places in the text.
fn checked(text: &str, origin: &str) -> Result<Table> {
    // Every struct has defaults, so a layer alone is a configuration too.
    toml::from_str::<RunConfig>(text).map_err(|error| describe(&error, Some(text), origin))?;
    toml::from_str(text).map_err(|error| describe(&error, Some(text), origin))
}

/// A layer as files have it today, where an older one has the method's name and tables by
/// themselves.
fn as_written_today(layer: Table) -> Table {
    let mut method = Table::new();
    let mut rest = Table::new();
    for (key, value) in layer {
        match value {
            Value::String(name) if key == METHOD => {
                method.insert("name".to_owned(), Value::String(name));
            }
            Value::Table(section) if key == METHOD => method.extend(section),
            value if option_tables().iter().any(|table| table.name == key) => {
                method.insert(key, value);
            }
            value => {
                rest.insert(key, value);
            }
        }
    }
    if !method.is_empty() {
        rest.insert(METHOD.to_owned(), Value::Table(method));
    }
    rest
}

/// One `key=value` as a table.
fn table_of(setting: &str) -> Result<Table> {
    let (key, value) = setting
        .split_once('=')
        .ok_or_else(|| TrainError::BadSetting {
            setting: setting.to_owned(),
        })?;
    let given = key.trim();
    let key = &*full_key(given);
    if !all_keys().iter().any(|known| known == key) {
        return Err(TrainError::UnknownKey {
            place: "setting".to_owned(),
            key: given.to_owned(),
            suggestion: nearest(given, &all_keys()),
        });
    }
    let value = value.trim();
    let parsed = toml::from_str::<Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"));
    let typed = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    let place = format!("setting {given}");
    let layer = |value: Value| {
        let put = |value, name: &str| Value::Table(Table::from_iter([(name.to_owned(), value)]));
        let Value::Table(layer) = key.rsplit('.').fold(value, put) else {
            return Table::new();
        };
        layer
    };
    let first = layer(typed);
    match RunConfig::deserialize(first.clone()) {
        Ok(_) => Ok(first),
        // `model=1` and `data.path=2024` are texts although they look like numbers.
        Err(error) => {
            let text = layer(Value::String(value.to_owned()));
            match RunConfig::deserialize(text.clone()) {
                Ok(_) => Ok(text),
                Err(_) => Err(describe(&error, None, &place)),
            }
        }
    }
}

/// The ways to say how long a run is: a layer that takes one of them takes the place of all.
const LENGTHS: [&str; 3] = ["epochs", "steps", "steps_per_shot"];

/// Puts `over` on top of `base`, table by table.
fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => {
                if key == "train" && LENGTHS.iter().any(|length| value.contains_key(*length)) {
                    // a number of epochs plays no part beside the others, and may stay
                    for length in &LENGTHS[1..] {
                        inner.remove(*length);
                    }
                }
                merge(inner, value);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
