//! From layers of partial settings to one checked configuration.

use std::path::Path;

use toml::Table;
use vlpt_adapter::Adapter;
use vlpt_methods::MethodConfig;

use super::layer::{Layer, over_each_other};
use super::{Epochs, RECIPES, Recipe, RunConfig, default_recipe, nearest, recipe};
use crate::{Result, TrainError};

/// Layers of settings, each over the one before: built-in values, then a prompt that is followed,
/// a recipe, a file, and `key=value` overrides. A recipe and a file may have settings for some models
/// or methods alone (`[[when]]`), which lie over their own others.
///
/// A value of an override is TOML (`5`, `0.1`, `true`, `[1, 2]`, `"text"`); what is not valid TOML
/// is taken as text, so `model=ViT-B-16/openai` needs no quotes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layers<'a> {
    /// What stands for the built-in values, such as the configuration of a run that goes on.
    pub base: Option<&'a RunConfig>,
    /// A prompt whose base model, method and options are taken over; a recipe's are left out then.
    pub follow: Option<&'a Adapter>,
    /// Name of a recipe; without one, and without a base, it is the [`default_recipe`] of the method.
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
        let recipe = match self.recipe {
            Some(name) => Some(named(name)?),
            None if self.base.is_some() => None,
            None => Some(default_recipe(self.over(None)?.method.name())),
        };
        self.over(recipe)
    }

    /// All layers, with that recipe among them.
    fn over(&self, recipe: Option<Recipe>) -> Result<RunConfig> {
        let mut first = self.base.cloned().unwrap_or_default();
        if let Some(adapter) = self.follow {
            first.model.clone_from(&adapter.base_model);
            first.method = adapter.method.clone();
        }
        let first = Table::try_from(first).expect("plain data is always TOML");
        let mut layers = vec![Layer::plain(first)];
        if let Some(recipe) = recipe {
            let layer = recipe.layer()?;
            layers.push(match self.follow {
                Some(_) => layer.but_for_the_method(),
                None => layer,
            });
        }
        if let Some(path) = self.file {
            // It is read once for the method and once more for all, which a pipe does not allow.
            if fs_err::metadata(path).is_ok_and(|found| !found.is_file()) {
                return Err(TrainError::Setting {
                    key: "--config",
                    found: path.display().to_string(),
                    expected: "a file, and no pipe or folder".to_owned(),
                });
            }
            let text = fs_err::read_to_string(path)?;
            layers.push(Layer::read(&text, &path.display().to_string())?);
        }
        for setting in self.overrides {
            layers.push(Layer::one(setting)?);
        }
        over_each_other(&layers)
    }
}

/// The recipe of that name, or an error with the nearest there is.
fn named(name: &str) -> Result<Recipe> {
    recipe(name).ok_or_else(|| {
        let names: Vec<&str> = RECIPES.iter().map(|r| r.name).collect();
        TrainError::UnknownRecipe {
            found: name.to_owned(),
            known: names.join(", "),
            suggestion: nearest(name, &names),
        }
    })
}

/// Reads one whole configuration from text; `origin` names it in errors.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, origin: &str) -> Result<RunConfig> {
    let first = Table::try_from(RunConfig::default()).expect("plain data is always TOML");
    let layers = [Layer::plain(first), Layer::read(text, origin)?];
    resolve(over_each_other(&layers)?)
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
