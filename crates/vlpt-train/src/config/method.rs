//! The `[method]` part of a configuration file: a name, and tables of options.
//!
//! ```toml
//! [method]
//! name = "coop"
//!
//! [method.coop]
//! context = 16
//! ```
//!
//! Older files, in which `method` is a name and the tables stand by themselves, are read too.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serializer};
use vlpt_methods::{
    MethodConfig, MethodSection, OptionTable, ReadSection, ReadTable, option_tables,
};

use super::RunConfig;
use super::when::{WHEN, When};

/// The keys of a configuration that are no table of a method, in the order of the file.
const FIELDS: [&str; 13] = [
    "model",
    "seed",
    "tasks",
    "init_from",
    "method",
    "data",
    "few_shot",
    "multitask",
    "train",
    "views",
    "image",
    "compute",
    WHEN,
];

/// Writes a method as the file has it.
pub(super) fn write<S: Serializer>(method: &MethodConfig, to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(None)?;
    map.serialize_entry("name", method.name())?;
    for (table, options) in method.to_tables() {
        map.serialize_entry(&table, &options)?;
    }
    map.end()
}

impl<'de> Deserialize<'de> for RunConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Reader)
    }
}

/// Reads a configuration; what is left out keeps its built-in value.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = RunConfig;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a table of settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RunConfig, A::Error> {
        let mut config = RunConfig::default();
        let mut section = MethodSection::default();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key {
                Key::Table(table) => {
                    let options = map.next_value_seed(ReadTable(table))?;
                    section.tables.insert(table.name, options);
                }
                Key::Field(field) => match field {
                    "model" => config.model = map.next_value()?,
                    "seed" => config.seed = map.next_value()?,
                    "tasks" => config.tasks = map.next_value()?,
                    "init_from" => config.init_from = map.next_value()?,
                    "method" => map.next_value_seed(ReadSection(&mut section))?,
                    "data" => config.data = map.next_value()?,
                    "few_shot" => config.few_shot = map.next_value()?,
                    "multitask" => config.multitask = map.next_value()?,
                    "train" => config.train = map.next_value()?,
                    "views" => config.views = map.next_value()?,
                    "image" => config.image = map.next_value()?,
                    "compute" => config.compute = map.next_value()?,
                    // checked with its place in the text; `Layers` applies it
                    _ => drop(map.next_value::<Vec<When<RunConfig>>>()?),
                },
            }
        }
        config.method = section.resolve()?;
        Ok(config)
    }
}

/// A key of a configuration file.
enum Key {
    /// One of [`FIELDS`].
    Field(&'static str),
    /// A table of options that stands by itself, as in older files.
    Table(&'static OptionTable),
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Key, D::Error> {
        let key = String::deserialize(from)?;
        if let Some(field) = FIELDS.iter().find(|field| **field == key) {
            return Ok(Key::Field(field));
        }
        let tables = option_tables();
        if let Some(table) = tables.into_iter().find(|table| table.name == key) {
            return Ok(Key::Table(table));
        }
        let known = FIELDS.map(|field| format!("`{field}`")).join(", ");
        Err(D::Error::custom(format!(
            "unknown field `{key}`, expected one of {known}"
        )))
    }
}

/// The key of a file for one that a user gave: `method` stands for `method.name`, and a method's
/// own table may be named alone, as in older files.
pub(super) fn full_key(key: &str) -> String {
    if key == "method" {
        return "method.name".to_owned();
    }
    let table = key.split('.').next().unwrap_or_default();
    if option_tables().iter().any(|known| known.name == table) {
        return format!("method.{key}");
    }
    key.to_owned()
}

#[cfg(test)]
mod tests {
    use vlpt_methods::METHODS;

    use super::*;
    use crate::all_keys;

    #[test]
    fn every_method_round_trips_through_a_file() {
        for spec in METHODS {
            let config = RunConfig {
                method: MethodConfig::new(spec),
                ..RunConfig::default()
            };
            let read: RunConfig = toml::from_str(&config.to_toml()).unwrap();
            assert_eq!(read, config, "{}", config.to_toml());
        }
    }

    #[test]
    fn older_files_say_the_same() {
        let older = "method = \"vlpt\"\n[coop]\ncontext = 3\n[vpt]\ncount = 2\n[upt]\nheads = 2\n";
        let newer =
            "[method]\nname = \"vlpt\"\n[method.coop]\ncontext = 3\n[method.vpt]\ncount = 2\n";
        let [older, newer] = [older, newer].map(|text| toml::from_str::<RunConfig>(text).unwrap());
        assert_eq!(older, newer);
        assert_eq!(older.method.name(), "vlpt");
    }

    #[test]
    fn the_keys_of_flags_are_there() {
        let keys = all_keys();
        for spec in METHODS {
            let flags = [spec.flags.context, spec.flags.init, spec.flags.prompts];
            for key in flags.into_iter().flatten() {
                assert!(keys.contains(&full_key(key)), "{}: {key}", spec.name);
            }
        }
    }

    #[test]
    fn documented_keys_are_those_of_the_options() {
        for table in option_tables() {
            let documented: Vec<&str> = table.keys.iter().map(|option| option.key).collect();
            let value = table.default().to_json();
            for key in value.as_object().unwrap().keys() {
                assert!(documented.contains(&key.as_str()), "{}.{key}", table.name);
            }
        }
    }
}
