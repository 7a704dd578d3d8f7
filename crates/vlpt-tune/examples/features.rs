//! Features of the photos that `vlpt tune` learns from, and of a data set's test images, for other tools.
//!
//! ```text
//! cargo run --release -p vlpt-tune --example features -- DATA SHOTS SEED MODEL FOLDER
//! ```
//!
//! writes `train.npy` and `test.npy` (images x embed, f32, as the tower gives them) and `train-labels.npy` and
//! `test-labels.npy` (i64) into FOLDER: the photos are those of `vlpt tune DATA --shots SHOTS --seed SEED`.

#![allow(clippy::print_stderr)]

use std::error::Error;
use std::path::Path;

use vlpt_adapter::{FeatureExtractor, View, default_cache_dir, hash_images, preprocess};
use vlpt_clip::{Clip, Hub};
use vlpt_data::Sample;
use vlpt_data::image::{Exif, Limits};
use vlpt_train::{DataConfig, RunConfig, TrainingData, open_task};

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [data, shots, seed, model, folder] = &given[..] else {
        return Err("expected DATA SHOTS SEED MODEL FOLDER".into());
    };
    let mut config = RunConfig {
        seed: seed.parse()?,
        data: DataConfig {
            path: data.clone(),
            all_to_train: true,
            broken: vlpt_data::BrokenImages::Skip,
            ..DataConfig::default()
        },
        ..RunConfig::default()
    };
    config.few_shot.shots = shots.parse()?;
    config.image.exif = Exif::Apply;
    let task = open_task(&config.data)?;
    let photos = TrainingData::of(task.clone(), &config)?.train.samples;
    let files = Hub::from_env().resolve(&model.parse()?, &())?;
    let clip = Clip::load_as(&files, config.compute.precision.resolve())?;
    let extractor = FeatureExtractor {
        clip: &clip,
        preprocess: preprocess(&clip, &config.image),
        limits: Limits::default(),
        batch: config.compute.image_batch,
        adaptation: None,
        cache: std::env::var_os("VLPT_CACHE_DIR")
            .map(Into::into)
            .or_else(default_cache_dir),
    };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    for (name, items) in [("train", &photos), ("test", &task.test.samples)] {
        let hashes = hash_images(items, &())?;
        let features = extractor.features(items, &hashes, View::Centre, &())?;
        let width = clip.config.embed_dim;
        let bytes = features
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let shape = format!("({}, {width})", items.len());
        write(&folder.join(format!("{name}.npy")), "<f4", &shape, bytes)?;
        write(
            &folder.join(format!("{name}-labels.npy")),
            "<i8",
            &format!("({},)", items.len()),
            labels(items),
        )?;
        eprintln!("{name}: {} images", items.len());
    }
    Ok(())
}

fn labels(items: &[Sample]) -> Vec<u8> {
    let first = |item: &Sample| i64::from(item.labels.first().copied().unwrap_or(0));
    items
        .iter()
        .flat_map(|item| first(item).to_le_bytes())
        .collect()
}

/// NumPy's file format, version 1.0.
fn write(path: &Path, kind: &str, shape: &str, values: Vec<u8>) -> std::io::Result<()> {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let padding = 63 - (10 + header.len()) % 64;
    header += &" ".repeat(padding);
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.into_bytes());
    file.extend(values);
    std::fs::write(path, file)
}
