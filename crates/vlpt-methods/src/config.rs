//! A method and its options, as configurations and prompt folders hold them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{
    Build, Fit, HeadSize, METHODS, Method, MethodError, MethodOptions, MethodSpec, Needs,
    OptionTable, Result, method,
};

/// One method with all of its options.
///
/// It is written as `{ NAME: OPTIONS }`, or `{ NAME: { TABLE: OPTIONS, ... } }` where the method has
/// several tables.
#[derive(Debug)]
pub struct MethodConfig {
    spec: &'static MethodSpec,
    /// Options by the name of their table: those of `spec.tables`, no other.
    tables: BTreeMap<&'static str, Box<dyn MethodOptions>>,
}

/// The largest whole number that an option can have.
const MAX_COUNT: u64 = 1_000_000;

impl MethodConfig {
    /// A method with its built-in options.
    pub fn new(spec: &'static MethodSpec) -> Self {
        Self::with_tables(spec, BTreeMap::new())
    }

    /// A method with these options; tables that are left out have built-in values, tables of other
    /// methods play no part.
    pub fn with_tables(
        spec: &'static MethodSpec,
        mut given: BTreeMap<&'static str, Box<dyn MethodOptions>>,
    ) -> Self {
        let table = |table: &&'static OptionTable| {
            let options = given.remove(table.name);
            (table.name, options.unwrap_or_else(|| table.default()))
        };
        let tables = spec.tables.iter().map(table).collect();
        Self { spec, tables }
    }

    /// The method of that name with these options in its only table that has them.
    pub fn of<T: MethodOptions>(spec: &'static MethodSpec, options: T) -> Self {
        let mut config = Self::new(spec);
        config.set(options);
        config
    }

    /// Replaces the options of the table of type `T`; nothing happens where there is none.
    pub fn set<T: MethodOptions>(&mut self, options: T) {
        let own = |table: &&mut Box<dyn MethodOptions>| (***table).as_any().is::<T>();
        if let Some(table) = self.tables.values_mut().find(own) {
            *table = Box::new(options);
        }
    }

    /// Its description.
    pub fn spec(&self) -> &'static MethodSpec {
        self.spec
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    /// Whether it holds no prompt: a classifier made at once.
    pub fn is_baseline(&self) -> bool {
        self.spec.is_baseline()
    }

    /// What it asks for.
    pub fn needs(&self) -> Needs {
        (self.spec.needs)(self)
    }

    /// Checks what can be said of the options without a model.
    ///
    /// # Errors
    /// The first option whose value makes no sense.
    pub fn check(&self) -> Result<()> {
        self.check_counts()?;
        (self.spec.check)(self)
    }

    /// No number of epochs, tokens or values of a grid is larger than a machine could ever hold or do.
    fn check_counts(&self) -> Result<()> {
        for (table, options) in self.to_tables() {
            for (key, value) in options.as_object().into_iter().flatten() {
                let list = value
                    .as_array()
                    .map_or(std::slice::from_ref(value), Vec::as_slice);
                let Some(count) = list
                    .iter()
                    .filter_map(Value::as_u64)
                    .find(|&n| n > MAX_COUNT)
                else {
                    continue;
                };
                return Err(MethodError::Incompatible {
                    what: format!("{table}.{key} = {count}: expected at most {MAX_COUNT}"),
                    hint: None,
                });
            }
        }
        Ok(())
    }

    /// The options of its table of type `T`.
    ///
    /// # Panics
    /// When the method has no such table: its own file asks for its own types.
    pub fn options<T: MethodOptions>(&self) -> &T {
        self.find().expect("a method asks for its own options")
    }

    /// The options of the table of type `T`, where it has one.
    pub fn find<T: MethodOptions>(&self) -> Option<&T> {
        let mut tables = self.tables.values();
        tables.find_map(|table| (**table).as_any().downcast_ref())
    }

    /// The options of its table of type `T`, to be changed.
    ///
    /// # Panics
    /// When the method has no such table.
    pub fn options_mut<T: MethodOptions>(&mut self) -> &mut T {
        let mut tables = self.tables.values_mut();
        let own = tables.find_map(|table| (**table).as_any_mut().downcast_mut());
        own.expect("a method is asked for its own options")
    }

    /// Its tables by name, each a JSON object.
    pub fn to_tables(&self) -> Map<String, Value> {
        let table = |table: &&'static OptionTable| {
            let options = &self.tables[table.name];
            (table.name.to_owned(), options.to_json())
        };
        self.spec.tables.iter().map(table).collect()
    }

    /// How many numbers it learns with so many training images of each class; none where a baseline
    /// does not say.
    ///
    /// # Errors
    /// As [`MethodConfig::build`].
    pub fn learned(&self, build: &Build, shots: usize) -> Result<Option<usize>> {
        if !self.is_baseline() {
            return Ok(Some(self.build(build)?.parameter_count()));
        }
        let size = HeadSize {
            embed: build.clip.config.embed_dim,
            width: build.clip.vision.width(),
            classes: build.classes,
            images: build.classes * shots,
        };
        Ok(self.spec.learns.map(|learns| learns(self, &size)))
    }

    /// The method with its initial values.
    ///
    /// # Errors
    /// Options that make no sense, initial words that cannot be used, or a baseline.
    pub fn build(&self, build: &Build) -> Result<Box<dyn Method>> {
        match self.spec.fit {
            Fit::Tune(tune) => tune(self, build),
            Fit::Head(_) => Err(MethodError::Baseline { name: self.name() }),
        }
    }
}

impl Default for MethodConfig {
    /// The first method of the list.
    fn default() -> Self {
        Self::new(METHODS[0])
    }
}

impl Clone for MethodConfig {
    fn clone(&self) -> Self {
        let tables = self.tables.iter();
        Self {
            spec: self.spec,
            tables: tables
                .map(|(name, options)| (*name, (**options).boxed()))
                .collect(),
        }
    }
}

impl PartialEq for MethodConfig {
    fn eq(&self, other: &Self) -> bool {
        let mut tables = self.tables.iter().zip(&other.tables);
        self.spec == other.spec && tables.all(|((_, ours), (_, theirs))| (**ours).equals(&**theirs))
    }
}

impl fmt::Display for MethodConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for MethodConfig {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut tables = self.to_tables();
        let value = match (self.spec.tables, tables.len()) {
            ([only], _) => tables.remove(only.name).unwrap_or_default(),
            _ => Value::Object(tables),
        };
        Map::from_iter([(self.name().to_owned(), value)]).serialize(to)
    }
}

impl<'de> Deserialize<'de> for MethodConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let map = Map::deserialize(from)?;
        let mut entries = map.into_iter();
        let (Some((name, value)), None) = (entries.next(), entries.next()) else {
            return Err(D::Error::custom("expected one method and its options"));
        };
        let older = |spec: &&&'static MethodSpec| (spec.reads)(&name, &value);
        let spec = METHODS
            .iter()
            .find(older)
            .copied()
            .or_else(|| method(&name));
        let Some(spec) = spec else {
            let known: Vec<&str> = METHODS.iter().map(|spec| spec.name).collect();
            return Err(D::Error::custom(format!(
                "there is no method `{name}`: expected one of {}",
                known.join(", ")
            )));
        };
        let read = |table: &'static OptionTable, value: Value| {
            let options = table.read(value).map_err(D::Error::custom)?;
            Ok((table.name, options))
        };
        let given = match (spec.tables, value) {
            ([only], value) => BTreeMap::from([read(only, value)?]),
            (tables, Value::Object(values)) => values
                .into_iter()
                .map(|(key, value)| match spec.table(&key) {
                    Some(table) => read(table, value),
                    None => Err(D::Error::custom(format!(
                        "the method `{name}` has no options `{key}`: expected {}",
                        tables.iter().map(|t| t.name).collect::<Vec<_>>().join(", ")
                    ))),
                })
                .collect::<std::result::Result<_, _>>()?,
            _ => return Err(D::Error::custom("expected a table of options")),
        };
        Ok(Self::with_tables(spec, given))
    }
}

/// The `[method]` part of a configuration file while it is read: a name, and tables of options.
#[derive(Debug, Default)]
pub struct MethodSection {
    /// The method's name.
    pub name: Option<String>,
    /// Options by table.
    pub tables: BTreeMap<&'static str, Box<dyn MethodOptions>>,
}

impl MethodSection {
    /// The method with its own options; the others are dropped.
    ///
    /// # Errors
    /// A name of no method, as the format says it.
    pub fn resolve<E: serde::de::Error>(self) -> std::result::Result<MethodConfig, E> {
        let spec = match &self.name {
            None => METHODS[0],
            Some(name) => method(name).ok_or_else(|| unknown_method(name))?,
        };
        Ok(MethodConfig::with_tables(spec, self.tables))
    }
}

/// The error for a name that is no method's, with all names for a suggestion to be taken from.
fn unknown_method<E: serde::de::Error>(name: &str) -> E {
    let known: Vec<String> = METHODS
        .iter()
        .map(|spec| format!("`{}`", spec.name))
        .collect();
    E::custom(format!(
        "unknown variant `{name}`, expected one of {}",
        known.join(", ")
    ))
}

/// Reads a table of options where a format stands before it.
#[derive(Debug, Clone, Copy)]
pub struct ReadTable(pub &'static OptionTable);

impl<'de> DeserializeSeed<'de> for ReadTable {
    type Value = Box<dyn MethodOptions>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        from: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        self.0.read(from)
    }
}

/// Reads a method's name or a table of options into a [`MethodSection`]: `"NAME"`, as older files
/// have it, or a table.
#[derive(Debug)]
pub struct ReadSection<'a>(pub &'a mut MethodSection);

impl<'de> DeserializeSeed<'de> for ReadSection<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadSection<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a method, or a table with `name` and tables of options")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> std::result::Result<(), E> {
        if method(name).is_none() {
            return Err(unknown_method(name));
        }
        self.0.name = Some(name.to_owned());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(SectionKey)? {
            match key {
                None => self.0.name = Some(map.next_value_seed(MethodName)?),
                Some(table) => {
                    let options = map.next_value_seed(ReadTable(table))?;
                    self.0.tables.insert(table.name, options);
                }
            }
        }
        Ok(())
    }
}

/// A key of `[method]`: `name`, or a table.
struct SectionKey;

impl<'de> DeserializeSeed<'de> for SectionKey {
    type Value = Option<&'static OptionTable>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        from: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        let key = String::deserialize(from)?;
        if key == "name" {
            return Ok(None);
        }
        let tables = crate::option_tables();
        let unknown = || {
            let known = tables.iter().map(|table| format!("`{}`", table.name));
            D::Error::custom(format!(
                "unknown field `{key}`, expected one of `name`, {}",
                known.collect::<Vec<_>>().join(", ")
            ))
        };
        let table = tables.iter().find(|table| table.name == key);
        table.map(|table| Some(*table)).ok_or_else(unknown)
    }
}

/// A name that is a method's.
struct MethodName;

impl<'de> DeserializeSeed<'de> for MethodName {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(
        self,
        from: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        let name = String::deserialize(from)?;
        if method(&name).is_none() {
            return Err(unknown_method(&name));
        }
        Ok(name)
    }
}
