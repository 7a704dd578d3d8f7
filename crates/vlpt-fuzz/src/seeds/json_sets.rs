//! JSON files that describe a data set, or a part of one.

use std::sync::OnceLock;

use vlpt_data::{FewShotRule, Task, few_shot, synthetic};

use super::zips;
use crate::parts::join;

const COCO: &[u8] = br#"{"images": [
    {"id": 12, "file_name": "0/a.png", "zip_file": "train.zip"}, {"id": 3, "file_name": "train.zip@1/b.png"}],
"annotations": [{"id": 1, "image_id": 12, "category_id": 7}, {"id": 2, "image_id": 3, "category_id": 2}],
"categories": [{"id": 7, "name": "far"}, {"id": 2, "name": "near"}]}"#;

pub(crate) fn cocos() -> Vec<Vec<u8>> {
    vec![join(&[COCO, &zips()[0]])]
}

pub(crate) fn fiftyones() -> Vec<Vec<u8>> {
    [
        r#"{"classes": ["cat", "dog"], "labels": {"a": 0, "b": 1}}"#,
        r#"{"labels": {"a": "cat", "b.png": {"label": "dog", "confidence": 0.5}}}"#,
        r#"{"classes": ["x", "y"], "labels": {"a": ["x", "y"], "b": [], "c": null}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn saved_sets() -> Vec<Vec<u8>> {
    let state = br#"{"_data_files": [{"filename": "data.arrow"}], "_split": "train", "_indices_data_files": null}"#;
    let info = br#"{"features": {"image": {"_type": "Image"}, "label": {"names": ["a", "b"], "_type": "ClassLabel"}}}"#;
    vec![
        join(&[br#"{"splits": ["train", "test"]}"#, state, info]),
        join(&[b"{}", state, b"{}"]),
    ]
}

/// The task that subsets are of.
pub(crate) fn task() -> &'static Task {
    static TASK: OnceLock<Task> = OnceLock::new();
    TASK.get_or_init(|| synthetic::task("shapes", 0).expect("the program has it"))
}

pub(crate) fn subsets() -> Vec<Vec<u8>> {
    [(FewShotRule::Coop, 1), (FewShotRule::Elevater, 2)]
        .map(|(rule, shots)| {
            let drawn = few_shot(task(), rule, shots, 1);
            drawn.expect("it has enough images").to_json().into_bytes()
        })
        .into()
}
