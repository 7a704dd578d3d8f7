//! Archives with images in them.

use std::sync::Arc;

use vlpt_data::archive::{Root, TarArchive, ZipArchive};
use vlpt_data::{Format, OpenOptions, Task};

use super::images::{LIMITS, whole};
use crate::promise::told;
use crate::scratch::Scratch;
use crate::seeds;

/// Images of an opened set that are decoded.
const TRIED: usize = 16;

/// Opens a zip and reads every member.
pub(super) fn zip(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    scratch.file("input.zip", bytes);
    let opened = Root::open(scratch.path()).and_then(|root| ZipArchive::open(&root, "input.zip"));
    match opened {
        Ok(archive) => {
            for entry in 0..archive.len() as u32 {
                assert!(!archive.id(entry).is_empty());
                if let Err(error) = archive.read(entry) {
                    told(&error, error.hint());
                }
            }
            true
        }
        Err(error) => told(&error, error.hint()),
    }
}

/// Opens a tar and reads every member.
pub(super) fn tar(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    scratch.file("input.tar", bytes);
    let opened = Root::open(scratch.path())
        .and_then(|root| TarArchive::open(&root, "input.tar", &Arc::default()));
    match opened {
        Ok(archive) => {
            for entry in 0..archive.members().len() as u32 {
                if let Err(error) = archive.read(entry) {
                    told(&error, error.hint());
                }
            }
            true
        }
        Err(error) => told(&error, error.hint()),
    }
}

/// Opens a WebDataset with this shard and decodes its images.
pub(super) fn webdataset(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    scratch.file("classnames.txt", b"a\nb\n");
    scratch.file("train/0.tar", bytes);
    scratch.file("test/0.tar", &seeds::good_tar());
    opened(&scratch, &OpenOptions::default())
}

/// Opens a data set of this Parquet file, by what it says and by named columns.
pub(super) fn parquet(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    scratch.file("data/train-00000-of-00001.parquet", bytes);
    scratch.file("data/test-00000-of-00001.parquet", bytes);
    let accepted = opened(&scratch, &OpenOptions::default());
    let named = OpenOptions {
        format: Some(Format::Parquet),
        label_column: Some("coarse".to_owned()),
        class_file: Some(scratch.file("names.txt", b"a\nb\nc\n")),
        ..OpenOptions::default()
    };
    opened(&scratch, &named);
    accepted
}

/// Opens a data set of this Arrow file, by what it says and by named columns.
pub(super) fn arrow(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    scratch.file("set-train.arrow", bytes);
    scratch.file("set-test.arrow", bytes);
    let accepted = opened(&scratch, &OpenOptions::default());
    let named = OpenOptions {
        format: Some(Format::Arrow),
        label_column: Some("coarse".to_owned()),
        class_file: Some(scratch.file("names.txt", b"a\nb\nc\n")),
        ..OpenOptions::default()
    };
    opened(&scratch, &named);
    accepted
}

/// Opens what lies in a folder and looks at its first images.
pub(super) fn opened(scratch: &Scratch, options: &OpenOptions) -> bool {
    match vlpt_data::open(scratch.path(), options) {
        Ok(task) => images(&task),
        Err(error) => told(&error, error.hint()),
    }
}

fn images(task: &Task) -> bool {
    let mut accepted = true;
    let splits = [Some(&task.train), task.val.as_ref(), Some(&task.test)];
    for sample in splits
        .into_iter()
        .flatten()
        .flat_map(|split| split.samples.iter().take(TRIED))
    {
        for label in &sample.labels {
            assert!((*label as usize) < task.classes.len(), "label {label}");
        }
        accepted &= match sample.load(&LIMITS) {
            Ok(image) => whole(&image),
            Err(error) => told(&error, error.hint()),
        };
    }
    accepted
}
