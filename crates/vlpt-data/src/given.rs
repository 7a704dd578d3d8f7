//! Images that a program has itself, with their labels, as a task.

use std::path::PathBuf;
use std::sync::Arc;

use crate::class_subset::ClassSubset;
use crate::error::Result;
use crate::format::Format;
use crate::image::{Limits, RgbImage, read_file};
use crate::metric::Metric;
use crate::provenance::Provenance;
use crate::sample::{ImageRef, Sample};
use crate::task::{Split, Task};

/// An image that a program gives.
#[derive(Debug)]
pub struct GivenImage {
    id: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Encoded(Vec<u8>),
}

impl GivenImage {
    /// A file on disk, known by its path.
    pub fn file(path: PathBuf) -> Self {
        Self {
            id: path.display().to_string(),
            source: Source::File(path),
        }
    }

    /// The bytes of an image file, known by a name.
    pub fn encoded(id: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            id: id.into(),
            source: Source::Encoded(bytes),
        }
    }

    /// Pixels, known by a name; held as a PNG, which keeps every one of them.
    ///
    /// # Errors
    /// An image without a pixel.
    pub fn pixels(id: impl Into<String>, image: &RgbImage) -> Result<Self> {
        Ok(Self::encoded(id, image.png()?))
    }

    /// The name that the image is known by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The encoded bytes of the image.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        match &self.source {
            Source::File(path) => read_file(path, &self.id, &Limits::default()),
            Source::Encoded(bytes) => Ok(bytes.clone()),
        }
    }
}

impl Task {
    /// A task whose images are all there to learn from, each of one class. A label is an index into
    /// `classes`.
    pub fn of_images(
        name: &str,
        classes: Vec<String>,
        images: impl IntoIterator<Item = (GivenImage, u32)>,
    ) -> Self {
        let sample = |(image, label)| Sample {
            image: ImageRef::Given(Arc::new(image)),
            labels: vec![label],
        };
        Self {
            name: name.to_owned(),
            classes,
            templates: vec!["a photo of a {}.".to_owned()],
            metric: Metric::Accuracy,
            multi_label: false,
            train: Split::new(images.into_iter().map(sample).collect()),
            val: None,
            test: Split::default(),
            provenance: Provenance {
                root: PathBuf::new(),
                format: Format::Given,
                recognised_by: "images and labels of a program".to_owned(),
                notes: Vec::new(),
                made_split: None,
                class_subset: ClassSubset::All,
                whole: None,
                left_out: Vec::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_files_come_back_as_they_were_given() {
        let dir = tempfile::tempdir().unwrap();
        let image = RgbImage::filled(7, 5, [1, 200, 3]);
        let path = dir.path().join("a.png");
        fs_err::write(&path, image.png().unwrap()).unwrap();
        let given = [
            (GivenImage::pixels("images[0]", &image).unwrap(), 0),
            (GivenImage::file(path.clone()), 1),
            (GivenImage::file(dir.path().join("b.png")), 1),
        ];
        let task = Task::of_images("images", vec!["a".into(), "b".into()], given);
        let [first, second, third] = &task.train.samples[..] else {
            panic!("{task:?}");
        };
        assert_eq!(first.image.id(), "images[0]");
        assert_eq!(second.image.id(), path.display().to_string());
        for sample in [first, second] {
            assert_eq!(sample.load(&Limits::default()).unwrap(), image);
        }
        let error = third.load(&Limits::default()).unwrap_err().to_string();
        assert!(error.contains("b.png"), "{error}");
        assert!(task.test.is_empty() && task.would_hold(dir.path()).is_none());
    }
}
