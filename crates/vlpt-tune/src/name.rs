//! What a result is called.

use std::path::Path;

/// What the folder of photos is called, and the result of tuning on them where nothing else is said.
pub fn name_of(path: &str) -> String {
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
}
