//! `bench.json`: what a bench folder was planned for.

use std::path::Path;

use serde::{Deserialize, Serialize};
use vlpt_base::files::{read_if_there, write_atomic};

use crate::check::Checked;
use crate::protocol::{Protocol, protocol};
use crate::{BenchError, Result};

/// What a bench folder was planned for: beside its plan, what its tables need.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchFile {
    /// The protocol's name.
    pub protocol: String,
    /// The command that planned it.
    pub command: String,
    /// The base model.
    pub model: String,
    /// Images of each class.
    pub shots: Vec<usize>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// The methods.
    pub methods: Vec<UsedMethod>,
    /// Every task of the protocol, and how it stands.
    pub tasks: Vec<Checked>,
    /// How many tasks a whole average is over: those judged on.
    pub judged: usize,
    /// What departs from the protocol as it was published.
    pub departures: Vec<String>,
}

/// A method of a benchmark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedMethod {
    /// Its name in tables.
    pub name: String,
    /// The recipe it follows; none: the program's own values.
    pub recipe: Option<String>,
}

impl BenchFile {
    /// Writes it into a folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        Ok(write_atomic(
            &dir.join("bench.json"),
            format!("{text}\n").as_bytes(),
        )?)
    }

    /// Reads that of a folder.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("bench.json");
        let wrong = |what: String| BenchError::File {
            path: path.clone(),
            what,
        };
        let bytes = read_if_there(&path)?
            .ok_or_else(|| wrong("is not there: expected the folder of a benchmark".to_owned()))?;
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
    }

    /// The protocol.
    ///
    /// # Errors
    /// One that this program does not know.
    pub fn protocol(&self) -> Result<&'static Protocol> {
        protocol(&self.protocol).ok_or_else(|| {
            BenchError::choice(
                format!("the protocol `{}` is not known", self.protocol),
                "use the version of the program that planned it",
            )
        })
    }
}
