//! Images below a folder, and what is passed over on the way.

use std::path::{Path, PathBuf};

use crate::error::{LayoutError, Result};
use crate::image::is_image_path;
use crate::junk::is_junk;

/// Folders that are entered through links at most: more is a web of links, not a collection.
pub(crate) const MOST_LINKED: usize = 10_000;
/// Folders within folders at most.
const DEEPEST: usize = 128;

/// The images of a folder in name order, and what was passed over.
#[derive(Debug, Default)]
pub struct Walk {
    /// The images, paths that begin with the folder's.
    pub images: Vec<PathBuf>,
    /// Files of other kinds: how many, and the first, below the folder.
    others: usize,
    first_other: Option<PathBuf>,
    /// Links back to a folder above them.
    loops: usize,
    first_loop: Option<PathBuf>,
    linked: usize,
}

impl Walk {
    /// Walks a folder and all below it. A link to a folder is followed, each real folder once on the
    /// way down to it.
    ///
    /// # Errors
    /// A folder that cannot be listed, or too many of them behind links.
    pub fn of(folder: &Path) -> Result<Self> {
        let mut walk = Self::default();
        let mut above = vec![fs_err::canonicalize(folder)?];
        walk.enter(folder, folder, &mut above)?;
        Ok(walk)
    }

    fn enter(&mut self, folder: &Path, top: &Path, above: &mut Vec<PathBuf>) -> Result<()> {
        let mut entries = Vec::new();
        for entry in fs_err::read_dir(folder)? {
            entries.push(entry?.path());
        }
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || is_junk(&name) {
                continue;
            }
            let below = || path.strip_prefix(top).unwrap_or(&path).to_owned();
            if path.is_dir() {
                let real = fs_err::canonicalize(&path)?;
                if above.contains(&real) {
                    self.loops += 1;
                    self.first_loop.get_or_insert_with(below);
                    continue;
                }
                self.linked += usize::from(fs_err::symlink_metadata(&path)?.is_symlink());
                if self.linked > MOST_LINKED || above.len() > DEEPEST {
                    return Err(LayoutError::TooManyLinks { path }.into());
                }
                above.push(real);
                self.enter(&path, top, above)?;
                above.pop();
            } else if is_image_path(&path) {
                self.images.push(path);
            } else {
                self.others += 1;
                self.first_other.get_or_insert_with(below);
            }
        }
        Ok(())
    }

    /// What was passed over, in words.
    pub fn passed_over(&self) -> Vec<String> {
        let files = self.first_other.as_ref().map(|first| {
            let (files, were) = plural(self.others, "file of another kind", "files of other kinds");
            format!(
                "{} {files} {were} passed over, such as {}",
                self.others,
                first.display()
            )
        });
        let loops = self.first_loop.as_ref().map(|first| {
            let (links, were) = plural(
                self.loops,
                "link back to a folder above it",
                "links back to folders above them",
            );
            format!(
                "{} {links} {were} passed over, such as {}",
                self.loops,
                first.display()
            )
        });
        files.into_iter().chain(loops).collect()
    }
}

fn plural<'a>(count: usize, one: &'a str, several: &'a str) -> (&'a str, &'static str) {
    match count {
        1 => (one, "was"),
        _ => (several, "were"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, "x").unwrap();
    }

    #[test]
    fn files_of_other_kinds_are_counted_and_named() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b/a.mov", "b/c.JPG", "d.txt", "e.png", ".hidden"] {
            touch(&dir.path().join(name));
        }
        let walk = Walk::of(dir.path()).unwrap();
        let names: Vec<_> = walk.images.iter().map(|p| p.file_name().unwrap()).collect();
        assert_eq!(names, ["c.JPG", "e.png"]);
        let said = walk.passed_over();
        assert_eq!(
            said,
            ["2 files of other kinds were passed over, such as b/a.mov"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn loops_of_links_end_and_are_told() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        touch(&root.join("a/photo.png"));
        touch(&root.join("b/other.png"));
        symlink("..", root.join("a/up")).unwrap();
        symlink("..", root.join("a/up2")).unwrap();
        symlink("../b", root.join("a/z-side")).unwrap();
        symlink("../a", root.join("b/back")).unwrap();
        symlink("nowhere", root.join("c.png")).unwrap();
        let walk = Walk::of(root).unwrap();
        let images: Vec<_> = walk
            .images
            .iter()
            .map(|p| p.strip_prefix(root).unwrap().display().to_string())
            .collect();
        // A link to a folder beside is followed; one to a folder above is not.
        assert_eq!(
            images,
            [
                "a/photo.png",
                "a/z-side/other.png",
                "b/back/photo.png",
                "b/other.png",
                "c.png"
            ]
        );
        let said = walk.passed_over().join("; ");
        assert!(
            said.contains("links back to folders above them were passed over, such as a/up"),
            "{said}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_web_of_links_ends() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        for i in 0..30 {
            let folder = dir.path().join(format!("{i:02}"));
            touch(&folder.join("photo.png"));
            for name in ["x", "y"] {
                symlink(format!("../{:02}", i + 1), folder.join(name)).unwrap();
            }
        }
        touch(&dir.path().join("30/photo.png"));
        let error = Walk::of(dir.path()).unwrap_err().to_string();
        assert!(error.contains("too many folders behind links"), "{error}");
    }
}
