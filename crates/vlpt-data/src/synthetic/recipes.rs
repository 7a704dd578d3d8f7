//! The list of all synthetic tasks.

use super::recipe::Recipe;
use super::{colours, counts, digits, landscapes, shapes, stripes, textures};

/// Every synthetic task, by name.
pub(super) const RECIPES: [&Recipe; 7] = [
    &colours::RECIPE,
    &counts::RECIPE,
    &digits::RECIPE,
    &landscapes::RECIPE,
    &shapes::RECIPE,
    &stripes::RECIPE,
    &textures::RECIPE,
];

/// Their names, in the same order.
const NAMES: [&str; RECIPES.len()] = {
    let mut names = [""; RECIPES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = RECIPES[i].name;
        i += 1;
    }
    names
};

/// What stands before the name of a synthetic task where a path is expected.
pub const PREFIX: &str = "synthetic:";
/// The older spelling, which configurations and plans may hold.
const OLD_PREFIX: &str = "drawn:";

/// The name in `synthetic:NAME`, or in the older spelling `drawn:NAME`; `None` for any other path.
pub fn name_in(path: &str) -> Option<&str> {
    path.strip_prefix(PREFIX)
        .or_else(|| path.strip_prefix(OLD_PREFIX))
}

/// The names of the synthetic tasks, sorted.
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// What to say to a user who asked for a synthetic task that does not exist.
pub(super) fn suggestion(found: &str) -> String {
    let known = NAMES.join(", ");
    let near = NAMES
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(name, found), name))
        .min()
        .filter(|&(distance, _)| distance <= 3);
    match near {
        Some((_, name)) => format!("did you mean `{name}`? The synthetic tasks are {known}"),
        None => format!("the synthetic tasks are {known}"),
    }
}
