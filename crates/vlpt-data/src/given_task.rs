//! Images that a program has itself, with their labels, as a task.

use std::path::PathBuf;
use std::sync::Arc;

use crate::class_subset::ClassSubset;
use crate::format::Format;
use crate::given::GivenImage;
use crate::metric::Metric;
use crate::provenance::Provenance;
use crate::sample::{ImageRef, Sample};
use crate::task::{Split, Task};

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
    use crate::image::{Limits, RgbImage};

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
