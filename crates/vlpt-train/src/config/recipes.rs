//! Named recipes: complete files whose heads say the command, the time and the result to expect.

use super::layer::{Layer, over_each_other};
use crate::Result;

/// A recipe that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Its name.
    pub name: &'static str,
    /// The file, comments included.
    pub text: &'static str,
}

impl Recipe {
    /// Names of the methods that it is for: the one that it tunes, and those that it has settings of their
    /// own for (`[[when]]`).
    ///
    /// # Errors
    /// A recipe that cannot be read, which a test rules out.
    pub fn methods(&self) -> Result<Vec<String>> {
        let layer = self.layer()?;
        let mut names: Vec<String> = layer.methods().map(str::to_owned).collect();
        let own = over_each_other(&[layer])?.method.name().to_owned();
        names.retain(|name| *name != own);
        names.insert(0, own);
        Ok(names)
    }

    /// Its settings.
    pub(super) fn layer(&self) -> Result<Layer> {
        Layer::read(self.text, &format!("recipe {}", self.name))
    }

    /// Whether [`Recipe::methods`] has a method.
    pub fn is_for(&self, method: &str) -> bool {
        let names = self.methods();
        names.is_ok_and(|names| names.iter().any(|name| name == method))
    }
}

macro_rules! recipes {
    ($($name:literal),* $(,)?) => {
        &[$(Recipe { name: $name, text: include_str!(concat!("../../recipes/", $name, ".toml")) }),*]
    };
}

/// Every recipe.
pub const RECIPES: &[Recipe] = recipes![
    "quick",
    "quick-csc",
    "coop-paper",
    "coop-paper-imagenet",
    "coop-csc",
    "coop-base2new",
    "coop-base2new-imagenet",
    "kgcoop-base2new",
    "coop-mvlpt",
    "coop-mvlpt-elevater",
    "quick-visual",
    "vpt-mvlpt",
    "vpt-mvlpt-elevater",
    "vlpt-mvlpt",
    "upt-mvlpt",
    "upt-mvlpt-elevater",
    "upt-release",
    "cocoop-paper",
    "tcp-base2new",
    "maple-base2new",
    "maple-cross-dataset",
    "ivlp-base2new",
    "promptsrc-base2new",
    "promptsrc-cross-dataset",
    "promptsrc-few-shot-mean30",
    "promptsrc-few-shot-mean45",
    "mmrl-base2new",
    "mmrl-few-shot",
    "mmrlpp-base2new",
    "quick-mmrl",
    "clip-lora-paper",
    "2sfs-paper",
    "2sfs-quick",
    "source-quick",
    "source-mvlpt",
    "source-mvlpt-elevater",
    "linear-probe",
    "tip-adapter",
    "tip-adapter-f",
    "gda",
    "lp++",
    "clap",
    "prolip",
    "prolip-paper",
];

/// The recipe of a run that names none, where its method has no other among those for trying things out.
pub const DEFAULT_RECIPE: &str = RECIPES[0].name;

/// What the recipes for trying things out have in their names.
const QUICK: &str = "quick";

/// The recipe of a run that names none: the first for its method that is called quick, and else
/// [`DEFAULT_RECIPE`].
pub fn default_recipe(method: &str) -> Recipe {
    let mut quick = RECIPES.iter().filter(|recipe| recipe.name.contains(QUICK));
    let own = quick.find(|recipe| recipe.is_for(method));
    *own.unwrap_or(&RECIPES[0])
}

/// The recipe of that name.
pub fn recipe(name: &str) -> Option<Recipe> {
    RECIPES.iter().find(|recipe| recipe.name == name).copied()
}
