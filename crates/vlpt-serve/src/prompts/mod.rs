//! The prompts being served: each whole, replaced in one step while requests go on.

mod name;
mod prompt;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use vlpt_adapter::PromptFolder;
use vlpt_clip::Clip;

use crate::ServeError;

pub use name::NamedFolder;
pub(crate) use prompt::{Prompt, TowerKey, ZERO_SHOT};
pub(crate) use watch::watch;

/// All prompts by name. Cloning is cheap, and all clones see the same prompts.
#[derive(Clone)]
pub(crate) struct Prompts {
    clip: Arc<Clip>,
    all: Arc<RwLock<Map>>,
}

type Map = Arc<BTreeMap<String, Arc<Prompt>>>;

impl Prompts {
    /// None yet, for this model.
    pub(crate) fn new(clip: Arc<Clip>) -> Self {
        Self {
            clip,
            all: Arc::default(),
        }
    }

    /// The prompts as they are now; what changes later does not change these.
    pub(crate) fn now(&self) -> Map {
        match self.all.read() {
            Ok(all) => Arc::clone(&all),
            // a whole map is all that is ever written
            Err(poisoned) => Arc::clone(&poisoned.into_inner()),
        }
    }

    /// The prompt of a name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Prompt>> {
        self.now().get(name).cloned()
    }

    /// Reads a folder whole, then takes it in under a name, in place of what had it.
    ///
    /// # Errors
    /// A folder that is damaged or of another model; nothing changes then.
    pub(crate) fn put(&self, name: &str, folder: &Path) -> Result<Arc<Prompt>, ServeError> {
        let folder = PromptFolder::open(folder)?;
        folder.check_model(&self.clip)?;
        let prompt = Arc::new(Prompt::new(name, &folder, &self.clip)?);
        self.change(|all| {
            all.insert(name.to_owned(), Arc::clone(&prompt));
        });
        Ok(prompt)
    }

    /// Takes a prompt out; requests that have begun with it end with it.
    pub(crate) fn remove(&self, name: &str) {
        self.change(|all| {
            all.remove(name);
        });
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Arc<Prompt>>)) {
        let mut all = match self.all.write() {
            Ok(all) => all,
            Err(poisoned) => poisoned.into_inner(),
        };
        let mut next = BTreeMap::clone(&all);
        change(&mut next);
        *all = Arc::new(next);
    }

    /// Takes in all these.
    ///
    /// # Errors
    /// The first that cannot be served, or two of one name.
    pub(crate) fn put_all(&self, folders: &[NamedFolder]) -> Result<(), ServeError> {
        let mut seen = BTreeMap::<&str, &PathBuf>::new();
        for NamedFolder { name, folder } in folders {
            if let Some(first) = seen.insert(name, folder) {
                return Err(ServeError::SameName {
                    name: name.clone(),
                    first: first.display().to_string(),
                    second: folder.display().to_string(),
                });
            }
            self.put(name, folder)?;
        }
        Ok(())
    }
}
