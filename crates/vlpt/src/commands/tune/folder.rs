//! The folder that a search writes, where none is named.

use std::path::{Path, PathBuf};

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
