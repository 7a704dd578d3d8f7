//! What file systems, archives and tools leave between a user's files: one list for folders,
//! archives and walks over images.

/// Names in lower case, of folders and files.
const NAMES: [&str; 30] = [
    // network storage
    "@eadir",
    "@tmp",
    "@recycle",
    "@recently-snapshot",
    "#recycle",
    "#snapshot",
    // Windows
    "$recycle.bin",
    "recycler",
    "system volume information",
    "thumbs.db",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "zbthumbnail.info",
    "picasa.ini",
    // macOS
    "__macosx",
    ".ds_store",
    ".appledouble",
    ".spotlight-v100",
    ".fseventsd",
    ".trashes",
    "icon\r",
    // Linux and tools
    "lost+found",
    ".ipynb_checkpoints",
    "__pycache__",
    ".git",
    ".gitattributes",
    ".thumbnails",
    ".cache",
    ".huggingface",
];

/// Whether a file or folder of this name is no part of a data set: one of the names that systems
/// and tools use for themselves, `._x` (macOS's second half of a file), `~$x` (an open document's
/// lock), `.Trash-1000`, `.nfs000...` (a removed file that is still open). Case does not count.
pub fn is_junk(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["._", "~$", ".trash-", ".nfs", ".fuse_hidden", ".~lock."]
        .iter()
        .any(|start| lower.starts_with(start))
        || NAMES.contains(&&*lower)
}

/// Whether some part of a path in an archive is junk, or begins with a dot as hidden files do.
pub fn is_junk_path(path: &str) -> bool {
    path.split(['/', '\\'])
        .any(|part| is_junk(part) || (part.starts_with('.') && part != "." && part != ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_systems_and_tools_are_junk_in_any_case() {
        for name in [
            "@eaDir",
            "THUMBS.DB",
            "._cat.jpg",
            "lost+found",
            ".Trash-1000",
            "Icon\r",
        ] {
            assert!(is_junk(name), "{name}");
        }
        for name in ["cat", "trash", "recycled", "_x.jpg", "git", ".hidden"] {
            assert!(!is_junk(name), "{name}");
        }
    }

    #[test]
    fn one_part_makes_a_path_junk() {
        assert!(is_junk_path("__MACOSX/cat/._1.jpg"));
        assert!(is_junk_path("cat/.hidden/1.jpg"));
        assert!(!is_junk_path("./cat/1.jpg"));
    }
}
