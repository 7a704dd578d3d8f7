//! Real photos inside the program: 180 tiles of the satellite images of EuroSAT, for a first try without a
//! download.
//!
//! They come from a picture that the data set's authors publish under the MIT licence
//! (`assets/eurosat/README.md`).

use std::path::Path;

use vlpt_base::files::{make_folder, write_atomic};

use crate::Result;
use crate::image::{Limits, RgbImage, decode};

/// The classes, in the order in which the picture has them: four columns of tiles each.
pub const CLASSES: [&str; 5] = [
    "industrial buildings",
    "permanent crop",
    "river",
    "pasture",
    "highway",
];
/// Training images of each class.
pub const TRAIN_PER_CLASS: usize = 16;
/// Test images of each class.
pub const TEST_PER_CLASS: usize = 20;
/// Width and height of a photo, in pixels.
pub const SIDE: u32 = 45;

const OVERVIEW: &[u8] = include_bytes!("../assets/eurosat/overview.jpg");
/// Rows of tiles.
const ROWS: usize = 9;
/// Columns of tiles of one class.
const COLUMNS: usize = 4;

/// Writes the photos as `FOLDER/train/CLASS/NN.png` and `FOLDER/test/CLASS/NN.png`; a folder that is there stays
/// as it is.
///
/// # Errors
/// The folder cannot be written.
pub fn write(folder: &Path) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let overview = decode(
        OVERVIEW,
        "the picture of satellite images",
        &Limits::default(),
    )?;
    make_folder(folder, |beside| {
        for (place, class) in CLASSES.iter().enumerate() {
            for number in 0..ROWS * COLUMNS {
                let (column, row) = (COLUMNS * place + number / ROWS, number % ROWS);
                let split = if is_for_test(number) { "test" } else { "train" };
                let class = beside.join(split).join(class);
                fs_err::create_dir_all(&class)?;
                let path = class.join(format!("{:02}.png", number + 1));
                write_atomic(&path, &tile(&overview, column, row).png()?)?;
            }
        }
        Ok(())
    })
}

/// Of each nine in a column four are for training.
fn is_for_test(number: usize) -> bool {
    number % ROWS % 2 == 1 || number % ROWS == ROWS - 1
}

/// A tile without the pixels at its seams. Tiles lie 48.25 pixels apart across, the first with its left edge cut off,
/// and 48.33 down.
fn tile(overview: &RgbImage, column: usize, row: usize) -> RgbImage {
    let (left, top) = (1 + 193 * column / 4, 3 + 145 * row / 3);
    let (side, width) = (SIDE as usize, overview.width as usize);
    let mut data = Vec::with_capacity(side * side * 3);
    for y in top..top + side {
        let start = (y * width + left) * 3;
        data.extend_from_slice(&overview.data[start..start + side * 3]);
    }
    RgbImage {
        width: SIDE,
        height: SIDE,
        data,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{OpenOptions, open};

    #[test]
    fn the_photos_are_a_data_set_of_five_classes() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("photos");
        write(&folder).unwrap();
        let task = open(&folder, &OpenOptions::default()).unwrap();
        let mut classes = CLASSES.map(str::to_owned).to_vec();
        classes.sort();
        assert_eq!(task.classes, classes);
        for (split, of_each) in [(&task.train, TRAIN_PER_CLASS), (&task.test, TEST_PER_CLASS)] {
            assert_eq!(split.len(), of_each * CLASSES.len());
            let mut hashes = Vec::new();
            for sample in &split.samples {
                let photo = sample.load(&Limits::default()).unwrap();
                assert_eq!((photo.width, photo.height), (SIDE, SIDE));
                hashes.push(photo.data);
            }
            let count = hashes.len();
            hashes.sort();
            hashes.dedup();
            assert_eq!(hashes.len(), count, "no photo twice");
        }
        // what a user adds stays
        let more = folder.join("train/river/99.png");
        fs_err::copy(folder.join("train/river/01.png"), &more).unwrap();
        write(&folder).unwrap();
        assert!(more.exists());
    }

    /// A seam inside a tile would be a row or column that differs from the next much more than others do.
    #[test]
    fn no_tile_holds_a_seam() {
        let overview = decode(OVERVIEW, "overview", &Limits::default()).unwrap();
        // over all tiles, since one alone may have a road there
        let mut steps = vec![0_u64; SIDE as usize - 1];
        for column in 0..COLUMNS * CLASSES.len() {
            for row in 0..ROWS {
                let photo = tile(&overview, column, row);
                let line = SIDE as usize * 3;
                for (x, step) in steps.iter_mut().enumerate() {
                    for y in 0..SIDE as usize {
                        let (across, down) = (y * line + x * 3, x * line + y * 3);
                        *step += u64::from(photo.data[across].abs_diff(photo.data[across + 3]));
                        *step += u64::from(photo.data[down].abs_diff(photo.data[down + line]));
                    }
                }
            }
        }
        let mean = steps.iter().sum::<u64>() / steps.len() as u64;
        assert!(steps.iter().all(|&step| step < mean * 5 / 4), "{steps:?}");
    }
}
