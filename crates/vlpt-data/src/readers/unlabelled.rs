//! Folders whose images have no label, by their names.

use super::known::plain;

/// Names without case and separators.
const NAMES: [&str; 10] = [
    "unsup",
    "unsupervised",
    "unknowntest",
    "testunknown",
    "nolabel",
    "nolabels",
    "withoutlabel",
    "withoutlabels",
    "notlabeled",
    "notlabelled",
];

/// Names of folders that hold images of any kind; as the only folder of a test split, beside a
/// training split with classes, such a one is no class.
const CONTAINERS: [&str; 14] = [
    "images", "image", "img", "imgs", "jpg", "jpeg", "png", "pictures", "photos", "all", "data",
    "test", "testing", "unknown",
];

/// Whether a folder of this name says that its images have no label.
pub(super) fn is_unlabelled(name: &str) -> bool {
    let plain = plain(name);
    plain.contains("unlabeled")
        || plain.contains("unlabelled")
        || plain.contains("unannotated")
        || NAMES.contains(&&*plain)
}

/// Whether a folder of this name says nothing of the images in it, such as `images`.
pub(super) fn is_container(name: &str) -> bool {
    CONTAINERS.contains(&&*plain(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_unlabelled_folders_from_classes() {
        for name in [
            "unlabeled",
            "Unlabelled",
            "test_unlabeled",
            "unsup",
            "unknown_test",
            "no label",
        ] {
            assert!(is_unlabelled(name), "{name}");
        }
        for name in ["unknown", "label", "none", "cat"] {
            assert!(!is_unlabelled(name), "{name}");
        }
    }
}
