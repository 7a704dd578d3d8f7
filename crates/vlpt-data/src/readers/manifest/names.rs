//! Usual names of the columns of a table of images: one list for all tables.

use crate::readers::known::plain;

/// Columns with images, as they are written in manifests made for this program; a table that has
/// one of these and one of [`LABEL`] is a manifest without further proof.
pub(super) const IMAGE: [&str; 6] = ["path", "image", "file", "file_name", "filename", "filepath"];
/// Columns with labels, likewise.
pub(super) const LABEL: [&str; 3] = ["label", "class", "labels"];
pub(super) const SPLIT: &str = "split";

/// Other columns with images or their ids, without case and separators, the likeliest first.
pub(super) const MORE_IMAGE: [&str; 30] = [
    "imageid",
    "imagepath",
    "imagefile",
    "imagefilename",
    "imagename",
    "imageindex",
    "imgpath",
    "imgname",
    "imgfile",
    "imgid",
    "img",
    "images",
    "filepaths",
    "filenames",
    "files",
    "paths",
    "relativepath",
    "relpath",
    "fname",
    "photo",
    "photoid",
    "photopath",
    "picture",
    "pic",
    "imagelink",
    "idcode",
    "sampleid",
    "id",
    "uuid",
    "name",
];

/// Other columns with labels, likewise.
pub(super) const MORE_LABEL: [&str; 38] = [
    "classname",
    "labelname",
    "categoryname",
    "category",
    "categories",
    "classes",
    "target",
    "targets",
    "species",
    "speciesname",
    "breed",
    "tags",
    "tag",
    "diagnosis",
    "dx",
    "finding",
    "findinglabels",
    "disease",
    "variety",
    "cultivar",
    "genre",
    "style",
    "emotion",
    "expression",
    "groundtruth",
    "gt",
    "annotation",
    "brand",
    "animal",
    "plant",
    "type",
    "kind",
    "classid",
    "classlabel",
    "labelid",
    "categoryid",
    "level",
    "y",
];

/// Columns whose values may be names of splits.
pub(super) const MORE_SPLIT: [&str; 9] = [
    "set",
    "subset",
    "partition",
    "dataset",
    "datasplit",
    "splitname",
    "phase",
    "usage",
    "datatype",
];

/// Columns that number the parts of a cross-validation, which is no split.
const FOLDS: [&str; 5] = ["fold", "folds", "kfold", "cvfold", "foldid"];

/// Other columns that are no class although they may hold nothing but 0 and 1.
const NO_CLASS: [&str; 5] = ["index", "unnamed0", "group", "width", "height"];

/// A split that a yes in a column of this name means, and the one that a no means.
pub(super) fn flag(name: &str) -> Option<(&'static str, &'static str)> {
    match &*plain(name) {
        "isvalid" | "isval" | "isvalidation" => Some(("val", "train")),
        "istest" => Some(("test", "train")),
        "istrain" | "istraining" | "istrainingimage" | "istrainingimg" => Some(("train", "test")),
        _ => None,
    }
}

/// Whether a column numbers the parts of a cross-validation.
pub(super) fn is_fold(name: &str) -> bool {
    FOLDS.contains(&&*plain(name))
}

/// Whether a column cannot be a class of a one-hot table.
pub(super) fn is_no_class(name: &str) -> bool {
    let plain = plain(name);
    plain.is_empty()
        || plain == SPLIT
        || is_fold(name)
        || flag(name).is_some()
        || NO_CLASS.contains(&&*plain)
        || MORE_SPLIT.contains(&&*plain)
}

/// What pandas reads as missing, and the empty text.
const MISSING: [&str; 17] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// Whether a label says that there is none.
pub(super) fn is_missing(label: &str) -> bool {
    MISSING.contains(&label.trim())
}
