//! The folder that a search writes, where none is named.

use std::path::{Path, PathBuf};

/// What the photos' folder is called.
pub(super) fn name_of(path: &str) -> String {
    let last = path.trim_end_matches(['/', '\\']);
    let last = last.rsplit(['/', '\\', ':']).next().unwrap_or(last);
    match last {
        "" | "." | ".." => "photos".to_owned(),
        name if Path::new(path).is_dir() => name.to_owned(),
        name => {
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            if stem.is_empty() { name } else { stem }.to_owned()
        }
    }
}

/// The first free folder beside an earlier one: `NAME-2`, `NAME-3`, ...
pub(super) fn next_to(dir: &Path) -> PathBuf {
    let name = dir.file_name().map_or_else(
        || "photos".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    let (stem, first) = match name.rsplit_once('-') {
        Some((stem, number)) => match number.parse::<u32>() {
            Ok(number @ 2..) => (stem.to_owned(), number + 1),
            _ => (name.clone(), 2),
        },
        None => (name.clone(), 2),
    };
    (first..=u32::MAX)
        .map(|number| dir.with_file_name(format!("{stem}-{number}")))
        .find(|folder| !folder.exists())
        .unwrap_or_else(|| dir.with_file_name(format!("{stem}-{first}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_called_as_the_photos_are() {
        for (path, name) in [
            ("photos", "photos"),
            ("a/b/", "b"),
            ("../cats.zip", "cats"),
            (".", "photos"),
            ("synthetic:shapes", "shapes"),
        ] {
            assert_eq!(name_of(path), name, "{path}");
        }
    }

    #[test]
    fn a_result_with_more_photos_lies_beside_the_one_before() {
        let home = tempfile::tempdir().unwrap();
        let run = home.path().join("photos");
        assert_eq!(next_to(&run), home.path().join("photos-2"));
        fs_err::create_dir(home.path().join("photos-2")).unwrap();
        assert_eq!(next_to(&run), home.path().join("photos-3"));
        assert_eq!(
            next_to(&home.path().join("photos-2")),
            home.path().join("photos-3")
        );
    }
}
