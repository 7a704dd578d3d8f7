//! Reading a JSON configuration so that nothing in it is overlooked.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::error::{ClipError, Result};

/// One object of a configuration file; remembers which keys were asked for.
pub(super) struct Fields<'a> {
    file: &'a str,
    /// Dotted path of the object in the file, empty for the whole.
    path: String,
    map: &'a Map<String, Value>,
    asked: BTreeSet<&'static str>,
}

impl<'a> Fields<'a> {
    /// The object that is the whole file.
    pub(super) fn root(file: &'a str, value: &'a Value) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self {
                file,
                path: String::new(),
                map,
                asked: BTreeSet::new(),
            }),
            other => Err(ClipError::config(
                file,
                format!("{}, expected an object", kind(other)),
            )),
        }
    }

    /// The object under a key, if it is there and not null.
    pub(super) fn object(&mut self, key: &'static str) -> Result<Option<Fields<'a>>> {
        let path = self.name(key);
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields {
                file: self.file,
                path,
                map,
                asked: BTreeSet::new(),
            })),
            Some(other) => Err(self.wrong(key, other, "an object")),
        }
    }

    /// The value under a key; null counts as absent.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.insert(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A size.
    pub(super) fn size(&mut self, key: &'static str) -> Result<Option<usize>> {
        self.value(key)
            .map(|value| match value.as_u64().map(u32::try_from) {
                Some(Ok(size)) => Ok(size as usize),
                Some(Err(_)) => Err(self.wrong(key, value, "a number below 4294967296")),
                None => Err(self.wrong(key, value, "a whole number")),
            })
            .transpose()
    }

    /// A size that must be there.
    pub(super) fn needed_size(&mut self, key: &'static str) -> Result<usize> {
        self.size(key)?.ok_or_else(|| self.absent(key))
    }

    /// A number.
    pub(super) fn number(&mut self, key: &'static str) -> Result<Option<f64>> {
        self.value(key)
            .map(|value| {
                value
                    .as_f64()
                    .ok_or_else(|| self.wrong(key, value, "a number"))
            })
            .transpose()
    }

    /// A truth value.
    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<bool>> {
        self.value(key)
            .map(|value| {
                value
                    .as_bool()
                    .ok_or_else(|| self.wrong(key, value, "true or false"))
            })
            .transpose()
    }

    /// A text.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<&'a str>> {
        self.value(key)
            .map(|value| {
                value
                    .as_str()
                    .ok_or_else(|| self.wrong(key, value, "a string"))
            })
            .transpose()
    }

    /// What is taken off each channel; one number stands for all three.
    pub(super) fn means(&mut self, key: &'static str) -> Result<Option<[f32; 3]>> {
        self.channels(key, "three numbers", f32::is_finite)
    }

    /// What each channel is divided by; one number stands for all three.
    pub(super) fn deviations(&mut self, key: &'static str) -> Result<Option<[f32; 3]>> {
        let divides = |value: f32| value > 0.0 && value.is_normal();
        self.channels(key, "three numbers above 0", divides)
    }

    fn channels(
        &mut self,
        key: &'static str,
        expected: &'static str,
        fits: impl Fn(f32) -> bool,
    ) -> Result<Option<[f32; 3]>> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let number = |value: &Value| value.as_f64().map(|v| v as f32);
        let numbers: Option<Vec<f32>> = match value.as_array() {
            Some(list) => list.iter().map(number).collect(),
            None => number(value).map(|one| vec![one; 3]),
        };
        match numbers.as_deref() {
            Some(&[r, g, b]) if [r, g, b].into_iter().all(fits) => Ok(Some([r, g, b])),
            _ => Err(self.wrong(key, value, expected)),
        }
    }

    /// Accepts a key that changes nothing here.
    pub(super) fn ignore(&mut self, keys: &[&'static str]) {
        self.asked.extend(keys);
    }

    /// Refuses, by name, a setting that would change what the model computes, unless it has its
    /// neutral value.
    pub(super) fn only(&mut self, key: &'static str, neutral: &[Value]) -> Result<()> {
        match self.value(key) {
            Some(value) if !neutral.contains(value) => Err(ClipError::Unsupported {
                file: self.file.to_owned(),
                what: format!("{} = {value}", self.name(key)),
                hint: None,
            }),
            _ => Ok(()),
        }
    }

    /// Refuses keys nobody asked for: they may change what the model computes.
    pub(super) fn finish(self) -> Result<()> {
        let unknown = self.map.iter().find(|(key, value)| {
            !self.asked.contains(key.as_str()) && !value.is_null() && **value != Value::Bool(false)
        });
        match unknown {
            None => Ok(()),
            Some((key, value)) => Err(ClipError::Unsupported {
                file: self.file.to_owned(),
                what: format!("the unknown setting {} = {value}", self.name(key)),
                hint: Some("if it does not change the towers, remove it from the file".to_owned()),
            }),
        }
    }

    /// The error for a key that must be there.
    pub(super) fn absent(&self, key: &str) -> ClipError {
        ClipError::config(self.file, format!("no {}", self.name(key)))
    }

    /// The error for a value of the wrong kind.
    pub(super) fn wrong(&self, key: &str, value: &Value, expected: &str) -> ClipError {
        let what = format!("{} is {value}, expected {expected}", self.name(key));
        ClipError::config(self.file, what)
    }

    /// The dotted path of a key.
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
