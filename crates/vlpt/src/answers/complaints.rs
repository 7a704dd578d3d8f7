//! Errors of single images on standard error.

use std::collections::BTreeSet;

use vlpt_adapter::AdapterError;

use crate::console::Console;

/// Says what is wrong with an image, and each way out once: a folder of photos of one kind has one error many
/// times.
pub(crate) struct Complaints<'a> {
    console: &'a Console,
    told: BTreeSet<String>,
}

impl<'a> Complaints<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        Self {
            console,
            told: BTreeSet::new(),
        }
    }

    /// Says an error, and the way out of it where it was not said before.
    pub(crate) fn say(&mut self, error: &AdapterError) {
        self.console.complain(&format!("error: {error}"));
        if let Some(hint) = error.hint()
            && self.told.insert(hint.clone())
        {
            self.console.complain(&format!("hint: {hint}"));
        }
    }
}
