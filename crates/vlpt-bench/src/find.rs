//! Where the tasks of a benchmark lie: folders below the roots that people name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use vlpt_data::catalogue::{self, Entry, Suite};

/// How deep below a root is looked.
const DEPTH: usize = 3;
/// A folder with more folders than this holds classes, and no sets.
const MOST_FOLDERS: usize = 160;

/// Folders that may hold a task, the likelier first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `suite/name` of the task.
    pub name: String,
    /// Where it may lie.
    pub places: Vec<PathBuf>,
}

/// Looks for tasks below `roots`: folders (or files) called as the catalogue calls the set or its folder, or
/// that hold its split file. Of several, those in the order of the roots, the shallower first, names in
/// alphabetical order. What cannot be listed is passed over.
pub fn find(roots: &[PathBuf], entries: &[&'static Entry]) -> Vec<Found> {
    let mut places: BTreeMap<usize, Vec<PathBuf>> = BTreeMap::new();
    for root in roots {
        let mut level = vec![root.clone()];
        for depth in 0..=DEPTH {
            let mut below = Vec::new();
            for folder in level {
                let mut own = false;
                for (number, entry) in entries.iter().enumerate() {
                    if is_of(&folder, entry) {
                        let known = places.entry(number).or_default();
                        if !known.contains(&folder) {
                            known.push(folder.clone());
                        }
                        // archives of FGVC Aircraft and of DTD, as torchvision unpacks them, have the set
                        // one folder further in
                        let called = folder.file_name().unwrap_or_default();
                        for inside in [folder.join("data"), folder.join(called)] {
                            if inside.is_dir() && !known.contains(&inside) {
                                known.push(inside);
                            }
                        }
                        own = true;
                    }
                }
                // folders of a set are its classes; but the root may be called like a set and hold others
                if (!own || depth == 0) && folder.is_dir() {
                    below.extend(inside(&folder));
                }
            }
            level = below;
        }
    }
    let of = |number: usize| places.get(&number).cloned().unwrap_or_default();
    entries
        .iter()
        .enumerate()
        .map(|(number, entry)| Found {
            name: entry.full_name(),
            places: of(number),
        })
        .collect()
}

/// Folders in a folder, and files that may be a whole set, sorted.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let Ok(listed) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.') && (path.is_dir() || is_set_file(path))
        })
        .collect();
    if names.iter().filter(|path| path.is_dir()).count() > MOST_FOLDERS {
        return Vec::new();
    }
    names.sort();
    names
}

/// Whether a file may be a data set by itself.
fn is_set_file(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    matches!(
        ending.as_deref(),
        Some("parquet" | "tar" | "zip" | "csv" | "jsonl")
    )
}

/// Whether a folder or file is called like an entry, or holds its split file.
fn is_of(path: &Path, entry: &'static Entry) -> bool {
    if let Some(file) = &entry.split_file
        && path.join(file).is_file()
    {
        return true;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = if path.is_dir() {
        name.as_ref()
    } else {
        name.split_once('.').map_or(name.as_ref(), |(stem, _)| stem)
    };
    let bare = ["wds_vtab-", "wds_vtab_", "vtab-", "vtab_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    // the same set in another suite has its images too
    let called = |name: &str| {
        let mut known = Suite::ALL.into_iter();
        known.any(|suite| {
            catalogue::find_in(suite, name).is_some_and(|known| known.title == entry.title)
        })
    };
    called(name) || bare.is_some_and(called)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vlpt_data::catalogue::find_in;

    #[test]
    fn sets_are_found_by_their_names_and_split_files_wherever_they_lie() {
        let root = tempfile::tempdir().unwrap();
        let make = |path: &str| fs::create_dir_all(root.path().join(path)).unwrap();
        make("a/coop/eurosat/2750/Forest");
        make("a/elevater/classification/mnist_20211008");
        make("a/my-textures");
        fs::write(
            root.path()
                .join("a/my-textures/split_zhou_DescribableTextures.json"),
            "{}",
        )
        .unwrap();
        make("a/wds/wds_vtab-eurosat");
        make("b/.hidden/ucf101");
        for folder in [
            "MNIST/raw",
            "cifar-10-batches-py",
            "cifar-100-python",
            "dtd/dtd",
        ] {
            make(&format!("b/{folder}"));
        }
        fs::write(root.path().join("b/fer2013.csv"), "").unwrap();
        let of = |suite, name| find_in(suite, name).unwrap();
        let entries = [
            of(Suite::Coop, "EuroSAT"),
            of(Suite::Elevater, "mnist"),
            of(Suite::Coop, "DescribableTextures"),
            of(Suite::Coop, "UCF101"),
            of(Suite::Elevater, "eurosat_clip"),
            of(Suite::Elevater, "cifar-10"),
            of(Suite::Elevater, "cifar-100"),
            of(Suite::Elevater, "fer-2013"),
        ];
        let roots = ["a", "b", "gone"].map(|name| root.path().join(name));
        let found = find(&roots, &entries);
        let places = |number: usize| -> Vec<String> {
            let places = found[number].places.iter();
            let relative = places.map(|path| path.strip_prefix(root.path()).unwrap());
            relative.map(|path| path.display().to_string()).collect()
        };
        assert_eq!(places(0)[0], "a/coop/eurosat");
        assert_eq!(
            places(1),
            ["a/elevater/classification/mnist_20211008", "b/MNIST"]
        );
        assert_eq!(places(2), ["a/my-textures", "b/dtd", "b/dtd/dtd"]);
        assert!(places(3).is_empty());
        assert!(places(4).contains(&"a/wds/wds_vtab-eurosat".to_owned()));
        assert_eq!(places(5), ["b/cifar-10-batches-py"]);
        assert_eq!(places(6), ["b/cifar-100-python"]);
        assert_eq!(places(7), ["b/fer2013.csv"]);
        assert_eq!(found[0].name, "coop/EuroSAT");
    }
}
