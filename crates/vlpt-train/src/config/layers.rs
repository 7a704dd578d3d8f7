//! From layers of partial settings to one checked configuration.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::method::full_key;
use super::{Epochs, RECIPES, RunConfig, all_keys, nearest, recipe};
use crate::{Result, TrainError};
use vlpt_adapter::Adapter;
use vlpt_methods::{MethodConfig, option_tables};

/// Layers of settings, each over the one before: built-in values, then a prompt that is followed,
/// a recipe, a file, and `key=value` overrides.
///
/// A value of an override is TOML (`5`, `0.1`, `true`, `[1, 2]`, `"text"`); what is not valid TOML
/// is taken as text, so `model=ViT-B-16/openai` needs no quotes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layers<'a> {
    /// What stands for the built-in values, such as the configuration of a run that goes on.
    pub base: Option<&'a RunConfig>,
    /// A prompt whose base model, method and options are taken over.
    pub follow: Option<&'a Adapter>,
    /// Name of a recipe.
    pub recipe: Option<&'a str>,
    /// A TOML file.
    pub file: Option<&'a Path>,
    /// `key=value`, one after the other.
    pub overrides: &'a [String],
}

/// Builds a configuration from a recipe, a file and overrides: see [`Layers`].
///
/// # Errors
/// As [`Layers::load`].
pub fn load(recipe: Option<&str>, file: Option<&Path>, overrides: &[String]) -> Result<RunConfig> {
    Layers {
        recipe,
        file,
        overrides,
        ..Layers::default()
    }
    .load()
}

/// The method that [`load`] would end with; nothing else is checked against each other.
///
/// # Errors
/// As [`load`].
pub fn method_of(
    recipe: Option<&str>,
    file: Option<&Path>,
    overrides: &[String],
) -> Result<MethodConfig> {
    Layers {
        recipe,
        file,
        overrides,
        ..Layers::default()
    }
    .method()
}

impl Layers<'_> {
    /// One configuration, checked and resolved.
    ///
    /// # Errors
    /// An unknown recipe or key (with the nearest known one), a value of the wrong type (with its
    /// place), or a value that makes no sense.
    pub fn load(&self) -> Result<RunConfig> {
        resolve(self.merged()?)
    }

    /// The method that [`Layers::load`] would end with; nothing else is checked against each other.
    ///
    /// # Errors
    /// As [`Layers::load`].
    pub fn method(&self) -> Result<MethodConfig> {
        Ok(self.merged()?.method)
    }

    fn merged(&self) -> Result<RunConfig> {
        let mut first = self.base.cloned().unwrap_or_default();
        if let Some(adapter) = self.follow {
            first.model.clone_from(&adapter.base_model);
            first.method = adapter.method.clone();
        }
        let mut merged = Table::try_from(first).expect("plain data is always TOML");
        if let Some(name) = self.recipe {
            let recipe = recipe(name).ok_or_else(|| {
                let names: Vec<&str> = RECIPES.iter().map(|r| r.name).collect();
                TrainError::UnknownRecipe {
                    found: name.to_owned(),
                    known: names.join(", "),
                    suggestion: nearest(name, &names),
                }
            })?;
            merge(&mut merged, table(recipe.text, &format!("recipe {name}"))?);
        }
        if let Some(path) = self.file {
            let text = fs_err::read_to_string(path)?;
            merge(&mut merged, table(&text, &path.display().to_string())?);
        }
        for setting in self.overrides {
            merge(&mut merged, one(setting)?);
        }
        RunConfig::deserialize(merged).map_err(|error| describe(&error, None, "settings"))
    }
}

/// Reads one whole configuration from text; `origin` names it in errors.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, origin: &str) -> Result<RunConfig> {
    let mut merged = Table::try_from(RunConfig::default()).expect("plain data is always TOML");
    merge(&mut merged, table(text, origin)?);
    let config = RunConfig::deserialize(merged).map_err(|error| describe(&error, None, origin))?;
    resolve(config)
}

/// Reads the resolved configuration of a run folder.
///
/// # Errors
/// As [`load`], and a file that cannot be read.
pub fn read_resolved(path: &Path) -> Result<RunConfig> {
    parse(&fs_err::read_to_string(path)?, &path.display().to_string())
}

fn resolve(mut config: RunConfig) -> Result<RunConfig> {
    config.check()?;
    config.train.epochs = Epochs::Count(config.epochs());
    Ok(config)
}

/// A layer as a table, after all its keys and types were checked with their places in the text.
fn table(text: &str, origin: &str) -> Result<Table> {
    // Every struct has defaults, so a layer alone is a configuration too.
    toml::from_str::<RunConfig>(text).map_err(|error| describe(&error, Some(text), origin))?;
    let table = toml::from_str(text).map_err(|error| describe(&error, Some(text), origin))?;
    Ok(as_written_today(table))
}

/// A layer as files have it today, where an older one has the method's name and tables by
/// themselves.
fn as_written_today(layer: Table) -> Table {
    let mut method = Table::new();
    let mut rest = Table::new();
    for (key, value) in layer {
        match value {
            Value::String(name) if key == "method" => {
                method.insert("name".to_owned(), Value::String(name));
            }
            Value::Table(section) if key == "method" => method.extend(section),
            value if option_tables().iter().any(|table| table.name == key) => {
                method.insert(key, value);
            }
            value => {
                rest.insert(key, value);
            }
        }
    }
    if !method.is_empty() {
        rest.insert("method".to_owned(), Value::Table(method));
    }
    rest
}

/// One `key=value` as a table.
fn one(setting: &str) -> Result<Table> {
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

/// Turns the parser's error into ours, with line and column where the text is at hand.
fn describe(error: &toml::de::Error, text: Option<&str>, origin: &str) -> TrainError {
    let place = match (text, error.span()) {
        (Some(text), Some(span)) => {
            let (line, column) = position(text, &span);
            format!("{origin}:{line}:{column}")
        }
        _ => origin.to_owned(),
    };
    let message = error.message();
    if message.starts_with("unknown field") {
        let key = quoted(message).next().unwrap_or_default().to_owned();
        let siblings: Vec<String> = quoted(message).skip(1).map(str::to_owned).collect();
        let suggestion = nearest(&key, &siblings).or_else(|| nearest(&key, &all_keys()));
        return TrainError::UnknownKey {
            place,
            key,
            suggestion,
        };
    }
    let suggestion = message.starts_with("unknown variant").then(|| {
        let found = quoted(message).next().unwrap_or_default();
        let known: Vec<&str> = quoted(message).skip(1).collect();
        nearest(found, &known)
    });
    TrainError::BadValue {
        place,
        what: message.to_owned(),
        suggestion: suggestion.flatten(),
    }
}

/// The parts of a message between back quotes.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// Line and column, counted from 1, of the beginning of a span.
fn position(text: &str, span: &Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    (line, column)
}
