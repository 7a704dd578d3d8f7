//! Examples of layouts on disk, and flags as options.

use vlpt_data::OpenOptions;
use vlpt_data::readers::Item;

use crate::fixtures::{Dir, features, png};

impl Dir {
    /// Writes the files of an example; no two images are equal.
    pub(crate) fn items(&self, items: &[Item]) {
        let mut seed = 0;
        for item in items {
            self.item(item, &mut seed);
        }
    }

    fn item(&self, item: &Item, seed: &mut u8) {
        match item {
            Item::Image(path) => {
                self.image(path, next(seed));
            }
            Item::Images(paths) => {
                for path in *paths {
                    self.image(path, next(seed));
                }
            }
            Item::Text(path, text) => {
                self.text(path, text);
            }
            Item::Zip(path, items) => {
                let members: Vec<(String, Vec<u8>)> = members(items, seed);
                self.zip_of(path, &members);
            }
            Item::Tar(path, items) => {
                let members = members(items, seed);
                let members: Vec<(&str, Vec<u8>)> = members
                    .iter()
                    .map(|(name, bytes)| (&**name, bytes.clone()))
                    .collect();
                self.tar(path, &members);
            }
            Item::Parquet {
                path,
                classes,
                labels,
            } => {
                let rows: Vec<(u8, i64)> =
                    labels.iter().map(|label| (next(seed), *label)).collect();
                self.parquet(path, &rows, &features(classes, false), 2);
            }
            Item::Arrow {
                path,
                classes,
                labels,
            } => {
                let rows: Vec<(u8, i64)> =
                    labels.iter().map(|label| (next(seed), *label)).collect();
                self.arrow(path, &rows, &features(classes, false), 2);
            }
            Item::Bytes(path, bytes) => {
                self.bytes(path, bytes);
            }
            Item::Pixels(path, header, rows) => {
                let numbers = vec!["128"; 48 * 48].join(" ");
                let rows = rows.iter().map(|row| row.replace('@', &numbers));
                let rows: Vec<String> = rows.collect();
                self.text(path, &format!("{header}\n{}\n", rows.join("\n")));
            }
            Item::Link(path, to) => {
                #[cfg(unix)]
                {
                    let path = self.path(path);
                    fs_err::create_dir_all(path.parent().expect("a parent")).expect("folders");
                    std::os::unix::fs::symlink(to, path).expect("a link");
                }
                #[cfg(not(unix))]
                panic!("links such as {path} to {to} need Unix");
            }
            other => panic!("an item that no test can write: {other:?}"),
        }
    }

    /// Flags of the command line as options; `DATA` in them is this folder.
    pub(crate) fn options(&self, flags: &str) -> OpenOptions {
        let mut options = OpenOptions::default();
        let mut words = flags.split_whitespace();
        while let Some(flag) = words.next() {
            let mut value = || {
                let word = words
                    .next()
                    .unwrap_or_else(|| panic!("{flag} without a value"));
                let root = self.path("");
                let root = root.display().to_string();
                word.trim_matches('\'')
                    .replace("DATA", root.trim_end_matches('/'))
            };
            match flag {
                "--format" => options.format = Some(value().parse().expect("a format")),
                "--name" => options.name = Some(value()),
                "--image-column" => options.image_column = Some(value()),
                "--label-column" => options.label_column = Some(value()),
                "--image-root" => options.image_root = Some(value().into()),
                "--label-separator" => {
                    options.label_separator = Some(value().parse().expect("a separator"));
                }
                "--label-from-name" => {
                    options.label_from_name = Some(value().parse().expect("a part of a name"));
                }
                "--class-file" => options.class_file = Some(value().into()),
                "--drop-empty-classes" => options.drop_empty_classes = true,
                "--skip-missing-images" => options.skip_missing_images = true,
                other => panic!("a flag that no test knows: {other}"),
            }
        }
        options
    }
}

fn next(seed: &mut u8) -> u8 {
    *seed = seed.wrapping_add(1);
    *seed
}

/// Names and bytes of an archive's members.
fn members(items: &[Item], seed: &mut u8) -> Vec<(String, Vec<u8>)> {
    let mut members = Vec::new();
    for item in items {
        match item {
            Item::Image(path) => members.push(((*path).to_owned(), png(next(seed)))),
            Item::Images(paths) => {
                for path in *paths {
                    members.push(((*path).to_owned(), png(next(seed))));
                }
            }
            Item::Text(path, text) => members.push(((*path).to_owned(), text.as_bytes().to_vec())),
            other => panic!("no member of an archive: {other:?}"),
        }
    }
    members
}
