//! The endings of file names that are taken for images: one list for readers of data sets, for folders of `predict`
//! and `embed`, and for what errors say.
//!
//! What a file is, is told by its content ([`format_of`](super::format_of)); an ending only says that it is worth a look.

use std::path::Path;

/// All endings, in lower case and without the dot.
pub const ENDINGS: [&str; 18] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "dib", "gif", "webp", "tif", "tiff", "ppm", "pgm",
    "pbm", "pnm", "heic", "heif", "avif",
];

/// Whether a file of this name is taken for an image: its ending is one of [`ENDINGS`], in capitals or not, and the
/// name does not begin with a dot.
pub fn has_image_ending(name: &str) -> bool {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let Some((_, ending)) = base.rsplit_once('.') else {
        return false;
    };
    !base.starts_with('.')
        && ENDINGS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ending))
}

/// As [`has_image_ending`], of the last part of a path. Names that are not Unicode have endings too.
pub fn is_image_path(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| has_image_ending(&name.to_string_lossy()))
}

/// The endings in words, for errors: `.jpg, .jpeg, ...`.
pub fn endings_in_words() -> String {
    ENDINGS.map(|ending| format!(".{ending}")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_count_in_any_case_and_hidden_files_do_not() {
        for name in [
            "a.jpg",
            "a.JPE",
            "a.JfIf",
            "x/y.z/b.PPM",
            "a.b.heic",
            "ä.AVIF",
            "c.dib",
        ] {
            assert!(has_image_ending(name), "{name}");
        }
        for name in [".jpg", "x/.a.png", "png", "a.png.txt", "a.jpg/", "", "a."] {
            assert!(!has_image_ending(name), "{name}");
        }
    }

    #[test]
    fn the_list_is_in_lower_case_and_has_no_ending_twice() {
        let mut sorted = ENDINGS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), ENDINGS.len());
        assert!(ENDINGS.iter().all(|e| *e == e.to_ascii_lowercase()));
    }
}
