//! The pickled dicts of the Python version: batches of images, and the names of the classes.

use std::sync::Arc;

use vlpt_base::pickle::{self, PickleOf, Value, ValueOf};

use super::numpy::{Array, Arrays, Content, Extra};
use super::{IMAGE, SIDE};
use crate::archive::{Grid, Pixels, RawImages, Root};
use crate::error::{LayoutError, Result};
use crate::readers::pixels::{bad, label, samples, whole};
use crate::sample::Sample;

/// The most classes, and the longest name of one in bytes: memo numbers make long lists of long names cheap to
/// write.
const MOST_CLASSES: usize = 10_000;
const LONGEST_NAME: usize = 1000;

/// A pickle and what its arrays are.
struct Dict<'f> {
    arrays: Arrays<'f>,
    pickle: PickleOf<Arrays<'f>>,
    file: std::path::PathBuf,
}

impl<'f> Dict<'f> {
    fn read(file: std::path::PathBuf, bytes: &'f [u8]) -> Result<Self> {
        let mut arrays = Arrays {
            file: bytes,
            found: Vec::new(),
        };
        let read = pickle::read(bytes, 0, &mut arrays);
        let pickle = read.map_err(|refused| LayoutError::BadEntry {
            file: file.clone(),
            place: format!("byte {}", refused.position),
            found: refused.what,
            expected: "a pickled dict of arrays of uint8, lists and texts (nothing in it is run)"
                .to_owned(),
        })?;
        let dict = Self {
            arrays,
            pickle,
            file,
        };
        if dict.pickle.dict(&dict.pickle.root).is_none() {
            return Err(dict.wrong("the whole", "something else", "a dict"));
        }
        Ok(dict)
    }

    fn wrong(&self, place: &str, found: &str, expected: &str) -> crate::error::DataError {
        bad(&self.file, place, found, expected).into()
    }

    /// The value of a key: the last where there are several.
    fn get(&self, wanted: &str) -> Option<&ValueOf<Arrays<'f>>> {
        let pairs = self.pickle.dict(&self.pickle.root)?;
        let found = pairs
            .iter()
            .rev()
            .find(|(key, _)| self.arrays.is(key, wanted));
        found.map(|(_, value)| value)
    }

    fn list(&self, key: &str) -> Result<&[ValueOf<Arrays<'f>>]> {
        let list = self.get(key).and_then(|value| self.pickle.list(value));
        list.ok_or_else(|| self.wrong("the keys", &format!("no list `{key}`"), "one"))
    }

    fn data(&self) -> Result<&Array> {
        match self.get("data") {
            Some(Value::Extra(Extra::Array(index))) => self.arrays.found.get(*index),
            _ => None,
        }
        .and_then(Option::as_ref)
        .ok_or_else(|| self.wrong("the keys", "no array `data`", "one"))
    }
}

/// Names of the classes, from the list at `key`.
pub(super) fn names(root: &Root, name: &str, key: &str) -> Result<Vec<String>> {
    let file = root.check_links(name)?;
    let bytes = whole(&file)?;
    let dict = Dict::read(root.join(name), &bytes)?;
    let list = dict.list(key)?;
    if list.len() > MOST_CLASSES {
        let found = format!("{} names", list.len());
        return Err(dict.wrong(key, &found, &format!("at most {MOST_CLASSES}")));
    }
    let mut names = Vec::new();
    for (number, item) in list.iter().enumerate() {
        let text = dict.arrays.text(item);
        let text = text.filter(|text| text.len() <= LONGEST_NAME);
        let text = text.ok_or_else(|| {
            let place = format!("{key}, entry {number}");
            let expected = format!("a name of at most {LONGEST_NAME} bytes");
            dict.wrong(&place, "something else", &expected)
        })?;
        names.push(text);
    }
    Ok(names)
}

/// The images of one batch, with the labels of the list at `key`.
pub(super) fn read(root: &Root, name: &str, key: &str, classes: usize) -> Result<Vec<Sample>> {
    let file = root.check_links(name)?;
    let bytes = whole(&file)?;
    let dict = Dict::read(root.join(name), &bytes)?;
    let array = dict.data()?;
    let [count, IMAGE] = array.shape[..] else {
        let found = format!("an array of shape {:?}", array.shape);
        return Err(dict.wrong("data", &found, "shape [images, 3072]"));
    };
    let mut labels = Vec::new();
    for (number, item) in dict.list(key)?.iter().enumerate() {
        let Value::Int(found) = item else {
            let place = format!("{key}, entry {number}");
            return Err(dict.wrong(&place, "no whole number", "a label"));
        };
        labels.push(label(&dict.file, number, *found, classes)?);
    }
    if labels.len() as u64 != count {
        let found = format!("{} labels for {count} images", labels.len());
        return Err(dict.wrong(key, &found, "a label for each image"));
    }
    Ok(samples(&images(root, name, &dict, array)?, &labels))
}

/// The images of an array: in the file where they lie there as they are, else held.
fn images(root: &Root, name: &str, dict: &Dict<'_>, array: &Array) -> Result<Arc<RawImages>> {
    // as many as there are labels, which were counted
    let count = array.shape.first().copied().unwrap_or(0) as u32;
    let length = u64::from(count) * IMAGE;
    let grid = |start| Grid {
        start,
        step: IMAGE,
        count,
        width: SIDE,
        height: SIDE,
        pixels: Pixels::Planes,
    };
    let check = |found: usize| {
        if found as u64 == length {
            return Ok(());
        }
        let found = format!("{found} bytes for {count} images");
        Err(dict.wrong("data", &found, &format!("{length} bytes")))
    };
    let held = match &array.content {
        Content::Place(place) => {
            check(place.len())?;
            if !array.fortran {
                return RawImages::in_file(root, name, grid(place.start as u64));
            }
            dict.arrays.file[place.clone()].to_vec()
        }
        Content::Latin1(place) => {
            let text = std::str::from_utf8(&dict.arrays.file[place.clone()]);
            latin1(dict, text.unwrap_or("\u{fffd}"))?
        }
        Content::Short(text) => latin1(dict, text)?,
    };
    check(held.len())?;
    let held = if array.fortran {
        by_image(&held, count as usize)
    } else {
        held
    };
    RawImages::held(name, held, grid(0))
}

/// The bytes that a text stands for, a character a byte.
fn latin1(dict: &Dict<'_>, text: &str) -> Result<Vec<u8>> {
    let bytes: std::result::Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    bytes.map_err(|_| dict.wrong("data", "a character beyond Latin-1", "a character a byte"))
}

/// An array that is stored value by value of all images, image by image.
fn by_image(stored: &[u8], count: usize) -> Vec<u8> {
    let values = stored.len() / count.max(1);
    (0..stored.len())
        .map(|at| stored[at % values * count + at / values])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        assert_eq!(by_image(&[1, 4, 2, 5, 3, 6], 2), [1, 2, 3, 4, 5, 6]);
        assert!(by_image(&[], 0).is_empty());
    }
}
