//! What a user asks for, and which tasks are at hand for it.

mod departures;
mod plan;

use std::path::PathBuf;

use vlpt_data::catalogue::{self, Entry};
use vlpt_study::Keep;

use crate::check::Checked;
use crate::find::{Found, find};
use crate::method::BenchMethod;
use crate::methods::{SearchKind, Wishes};
use crate::protocol::{Protocol, Role, Wanted};
use crate::ways::{Asked, Ways};
use crate::{BenchError, Result};

pub use plan::Planned;

/// What a user asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The protocol.
    pub protocol: &'static Protocol,
    /// Folders below which the tasks lie.
    pub roots: Vec<PathBuf>,
    /// Places of tasks that are not called after them, by their names.
    pub named: Vec<(String, PathBuf)>,
    /// Only these tasks; empty: all of the protocol.
    pub only: Vec<String>,
    /// Another task to train on where the protocol trains on one for all.
    pub source: Option<String>,
    /// Name of the model, as in a configuration.
    pub model: String,
    /// Methods: `NAME`, or `NAME=RECIPE`.
    pub methods: Vec<String>,
    /// The program's own values for methods that name no recipe, not the published recipes.
    pub own_values: bool,
    /// A configuration file over the recipes.
    pub config: Option<PathBuf>,
    /// Settings of all methods, or `NAME:key=value` of one.
    pub settings: Vec<String>,
    /// What is tried out before each training.
    pub search: Option<SearchKind>,
    /// Which published ways are taken.
    pub ways: Ways,
    /// Images of each class; empty: as the protocol says.
    pub shots: Vec<usize>,
    /// Of a source stage; none: as many as on the target.
    pub source_shots: Option<usize>,
    /// Seeds; empty: as the protocol says.
    pub seeds: Vec<u64>,
    /// Start from the source prompt of the same seed, not from the average.
    pub same_seed: bool,
    /// A source stage over all tasks first, where the protocol has both ways.
    pub multitask: bool,
    /// Groups of targets that share a prompt.
    pub groups: Vec<Vec<String>>,
    /// At most so many test images of each task.
    pub test_images: Option<usize>,
    /// What is kept of each evaluation.
    pub keep: Keep,
    /// The command, as it was given.
    pub command: String,
}

impl Request {
    /// The tasks of the protocol, in its order, as `source` and `only` change them.
    ///
    /// # Errors
    /// A name that is none of the protocol's tasks.
    fn wanted(&self) -> Result<Vec<Wanted>> {
        let mut all = (self.protocol.tasks)();
        let find = |name: &str, all: &[Wanted]| {
            let own = |task: &Wanted| {
                let entry = task.entry;
                entry.name == name
                    || entry.full_name() == name
                    || catalogue::find_in(entry.suite, name).is_some_and(|e| e.name == entry.name)
            };
            all.iter().position(own).ok_or_else(|| {
                let names: Vec<&str> = all.iter().map(|task| task.entry.name.as_str()).collect();
                BenchError::choice(
                    format!("`{name}` is no task of {}", self.protocol.name),
                    format!("its tasks are {}", names.join(", ")),
                )
            })
        };
        if let Some(source) = &self.source {
            if !self.protocol.one_source {
                return Err(BenchError::choice(
                    format!("{} does not train on one task for all", self.protocol.name),
                    "leave --source out",
                ));
            }
            let chosen = find(source, &all)?;
            for (number, task) in all.iter_mut().enumerate() {
                task.role = if number == chosen {
                    Role::Source
                } else {
                    Role::Target
                };
            }
        }
        let mut kept = Vec::new();
        for name in &self.only {
            kept.push(find(name, &all)?);
        }
        for (name, _) in &self.named {
            find(name, &all)?;
        }
        let mut number = 0;
        all.retain(|task| {
            number += 1;
            let source = self.protocol.one_source && task.role == Role::Source;
            self.only.is_empty() || source || kept.contains(&(number - 1))
        });
        Ok(all)
    }

    /// Which tasks are at hand: looks for them and opens their lists, no image.
    ///
    /// # Errors
    /// A name that is none of the protocol's tasks, or a place given that is not there.
    pub fn survey(&self) -> Result<Vec<Checked>> {
        let wanted = self.wanted()?;
        let named = self.named.iter().map(|(_, place)| place);
        if let Some(absent) = self.roots.iter().chain(named).find(|place| !place.exists()) {
            return Err(BenchError::choice(
                format!("{}: nothing is there", absent.display()),
                "check the path; a relative one leads from the current folder",
            ));
        }
        let entries: Vec<&'static Entry> = wanted.iter().map(|task| task.entry).collect();
        let found = find(&self.roots, &entries);
        let one = |(&entry, found): (&&'static Entry, Found)| {
            let named = self.named.iter().filter(|(name, _)| {
                *name == entry.name
                    || *name == entry.full_name()
                    || catalogue::find_in(entry.suite, name).is_some_and(|e| e.name == entry.name)
            });
            let mut places: Vec<PathBuf> = named.map(|(_, path)| path.clone()).collect();
            if places.is_empty() {
                places = found.places;
            }
            let found = Found {
                name: found.name,
                places,
            };
            Checked::of(entry, &found)
        };
        Ok(entries.iter().zip(found).map(one).collect())
    }

    /// The methods, checked as far as it goes without tasks and model.
    ///
    /// # Errors
    /// A method or recipe that is not known, settings for none, or what the protocol cannot ask of one.
    pub fn methods(&self) -> Result<Vec<BenchMethod>> {
        let wishes = Wishes {
            model: &self.model,
            methods: &self.methods,
            own_values: self.own_values,
            file: self.config.clone(),
            settings: &self.settings,
            search: self.search,
            ways: self.ways.clone(),
        };
        let methods = wishes.resolve(self.protocol)?;
        let fitted = |method: &&BenchMethod| method.config.method.is_baseline();
        self.ways.check(&Asked {
            protocol: self.protocol.name,
            rule: self.protocol.rule,
            staged: self.multitask || self.protocol.prompts_only,
            one_source: self.protocol.one_source,
            seeds: self.seeds(),
            searched: self.search.is_some(),
            methods: methods.len(),
            fitted: methods.iter().filter(fitted).count(),
        })?;
        Ok(methods)
    }

    /// Images of each class.
    fn shots(&self) -> &[usize] {
        or(&self.shots, self.protocol.shots)
    }

    /// Seeds.
    fn seeds(&self) -> &[u64] {
        or(&self.seeds, self.protocol.seeds)
    }
}

fn or<'a, T>(given: &'a [T], usual: &'a [T]) -> &'a [T] {
    if given.is_empty() { usual } else { given }
}
