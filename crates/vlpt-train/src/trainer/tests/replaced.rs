//! Images that are replaced while a run goes on.

use std::path::Path;

use vlpt_clip::Clip;
use vlpt_data::image::RgbImage;
use vlpt_data::{DataError, OpenOptions, Sample};

use super::super::images::{BatchImages, ImageInput};
use super::{Example, small};
use crate::{Result, TrainError};
use vlpt_adapter::{AdapterError, View, hash_images};

const IMAGES: usize = 6;

fn write(path: &Path, colour: [u8; 3]) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, RgbImage::filled(20, 20, colour).png().unwrap()).unwrap();
}

/// Three images each of two classes.
fn photos(dir: &Path) -> Vec<Sample> {
    for i in 0..10_u8 {
        write(&dir.join(format!("red/{i}.png")), [200, 10 * i, 0]);
        write(&dir.join(format!("blue/{i}.png")), [0, 10 * i, 200]);
    }
    let task = vlpt_data::open(dir, &OpenOptions::default()).unwrap();
    task.train.samples[..IMAGES].to_vec()
}

/// The images of a run with pixels, and what becomes of the second image.
fn with_second_image(
    clip: &Clip,
    views: &str,
    memory_mb: usize,
    look: impl Fn(&Path, &dyn Fn(usize) -> Result<BatchImages>),
) {
    let dir = tempfile::tempdir().unwrap();
    let samples = photos(dir.path());
    let settings =
        format!("[views]\nmode = \"{views}\"\ncount = 2\n[compute]\nmemory_mb = {memory_mb}");
    let example = Example::new(IMAGES, &settings);
    let extractor = example.extractor(clip);
    let hashes = hash_images(&samples, &()).unwrap();
    let images = ImageInput::prepare(
        &example.config,
        &extractor,
        (&samples, &hashes),
        (&[], &[]),
        true,
        &(),
    )
    .unwrap();
    let every: Vec<usize> = (0..IMAGES).collect();
    let path = dir.path().join(samples[1].image.id());
    look(&path, &|epoch| {
        images.train.batch(epoch, &every, clip.config.embed_dim)
    });
}

fn named(result: Result<BatchImages>, path: &Path) {
    let Err(TrainError::Data(error)) = result else {
        panic!("an image that was replaced is trained on");
    };
    assert!(matches!(error, DataError::ImageChanged { .. }), "{error}");
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(error.to_string().contains(name), "{error}");
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("--resume") && !hint.contains("--broken"),
        "{hint}"
    );
}

#[test]
fn an_image_that_is_replaced_stops_a_run_with_fresh_views_by_its_name() {
    let clip = small();
    with_second_image(&clip, "online", 64, |path, batch| {
        let before = fs_err::read(path).unwrap();
        assert!(batch(0).is_ok());
        write(path, [1, 2, 3]);
        named(batch(1), path);
        // brought back, the run goes on
        fs_err::write(path, before).unwrap();
        assert!(batch(1).is_ok());
    });
}

#[test]
fn pixels_that_are_kept_are_not_read_again() {
    let clip = small();
    with_second_image(&clip, "cached", 64, |path, batch| {
        write(path, [1, 2, 3]);
        assert!(batch(0).is_ok());
    });
}

#[test]
fn features_of_a_replaced_image_are_not_kept_under_the_hash_of_the_old_one() {
    let clip = small();
    let dir = tempfile::tempdir().unwrap();
    let samples = photos(dir.path());
    let hashes = hash_images(&samples, &()).unwrap();
    let mut extractor = Example::new(IMAGES, "").extractor(&clip);
    let cache = tempfile::tempdir().unwrap();
    extractor.cache = Some(cache.path().to_owned());
    write(&dir.path().join(samples[4].image.id()), [1, 2, 3]);
    let features = || extractor.features(&samples, &hashes, View::Centre, &());
    for _ in 0..2 {
        assert!(matches!(
            features(),
            Err(AdapterError::Data(DataError::ImageChanged { .. }))
        ));
    }
    assert!(!cache.path().join("features").exists());
}
