//! Named recipes: complete files whose heads say the command, the time and the result to expect.

/// A recipe that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Its name.
    pub name: &'static str,
    /// The file, comments included.
    pub text: &'static str,
}

/// Every recipe.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        name: "quick",
        text: include_str!("../../recipes/quick.toml"),
    },
    Recipe {
        name: "quick-csc",
        text: include_str!("../../recipes/quick-csc.toml"),
    },
    Recipe {
        name: "coop-paper",
        text: include_str!("../../recipes/coop-paper.toml"),
    },
    Recipe {
        name: "coop-csc",
        text: include_str!("../../recipes/coop-csc.toml"),
    },
    Recipe {
        name: "coop-base2new",
        text: include_str!("../../recipes/coop-base2new.toml"),
    },
    Recipe {
        name: "coop-mvlpt",
        text: include_str!("../../recipes/coop-mvlpt.toml"),
    },
    Recipe {
        name: "coop-mvlpt-elevater",
        text: include_str!("../../recipes/coop-mvlpt-elevater.toml"),
    },
];

/// The recipe of that name.
pub fn recipe(name: &str) -> Option<Recipe> {
    RECIPES.iter().find(|recipe| recipe.name == name).copied()
}
