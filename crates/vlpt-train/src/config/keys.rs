//! The names of all keys, and the nearest of them to a wrong one.

use vlpt_data::fewshot::FewShotRule;
use vlpt_data::image::{Exif, Grey16, ResizeMode, ResizeOrder};
use vlpt_data::{BrokenImages, ClassSubset, Format, LabelFromName};
use vlpt_methods::option_tables;

use super::{ClassWeights, RunConfig, ScheduleBy, WeightRule};

/// The section of a method and its options.
const METHOD: &str = "method";
/// Similarity below which a name is no suggestion.
const LEAST_SIMILARITY: f64 = 0.6;

/// Every key of a configuration file, dotted, in the order of the file.
pub fn all_keys() -> Vec<String> {
    // Options that are left out by default are set here, so that no list is kept by hand.
    let mut full = RunConfig::default();
    full.data.format = Some(Format::ImageFolder);
    full.data.name = Some(String::new());
    full.data.image_column = Some(String::new());
    full.data.label_column = Some(String::new());
    full.data.class_file = Some(String::new());
    full.data.class_subset = ClassSubset::Base;
    full.data.image_root = Some(String::new());
    full.data.label_separator = ";".parse().ok();
    full.data.label_from_name = Some(LabelFromName::Prefix);
    full.few_shot.rule = Some(FewShotRule::Coop);
    full.few_shot.seed = Some(0);
    full.few_shot.list = Some(String::new());
    full.few_shot.merge_val = true;
    full.train.shuffle = false;
    full.train.log_steps = true;
    full.image.resize = Some(ResizeMode::Shortest);
    full.train.steps = Some(1);
    full.train.steps_per_shot = Some(1);
    full.train.schedule_by = ScheduleBy::Step;
    full.train.lr_min = 1.0;
    full.train.class_weights = ClassWeights::Rule(WeightRule::Balanced);
    full.image.exif = Exif::Apply;
    full.image.grey16 = Grey16::Scale;
    full.image.resize_order = ResizeOrder::Pillow13;
    full.data.broken = BrokenImages::Skip;
    full.data.all_to_train = true;
    full.data.more = vec![String::new()];
    let table = toml::Table::try_from(&full).expect("plain data is always TOML");
    let mut keys = Vec::new();
    for (key, value) in &table {
        match value {
            _ if key == METHOD => {
                keys.push(format!("{METHOD}.name"));
                for table in option_tables() {
                    let own = table.keys.iter();
                    keys.extend(own.map(|o| format!("{METHOD}.{}.{}", table.name, o.key)));
                }
            }
            toml::Value::Table(inner) => {
                keys.extend(inner.keys().map(|name| format!("{key}.{name}")));
            }
            _ => keys.push(key.clone()),
        }
    }
    keys
}

/// The value at a dotted key.
pub(super) fn value<'t>(table: &'t toml::Table, key: &str) -> Option<&'t toml::Value> {
    match key.split_once('.') {
        Some((section, rest)) => value(table.get(section)?.as_table()?, rest),
        None => table.get(key),
    }
}

/// The candidate most like `found`, if any is like it at all.
///
/// A dotted candidate is also compared by its last part, so that `epochs` finds `train.epochs`.
pub fn nearest<S: AsRef<str>>(found: &str, candidates: &[S]) -> Option<String> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    let similarity = |candidate: &str| {
        let whole = strsim::normalized_damerau_levenshtein(found, candidate);
        let part = strsim::normalized_damerau_levenshtein(&last(found), &last(candidate));
        // Equal last parts come first, the whole decides among them.
        whole.max(part) + whole / 100.0
    };
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates.iter().map(AsRef::as_ref) {
        let score = similarity(candidate);
        if score >= LEAST_SIMILARITY && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_optional_key_is_listed() {
        let keys = all_keys();
        for key in [
            "model",
            "data.format",
            "few_shot.seed",
            "few_shot.list",
            "few_shot.merge_val",
            "train.shuffle",
            "method.name",
            "method.coop.context",
            "method.upt.place",
            "method.cocoop.hidden",
            "image.resize",
            "image.exif",
            "train.steps",
            "train.steps_per_shot",
            "train.schedule_by",
            "train.lr_min",
            "data.broken",
            "data.all_to_train",
            "data.more",
        ] {
            assert!(
                keys.iter().any(|k| k == key),
                "{key} is missing from {keys:?}"
            );
        }
    }

    #[test]
    fn the_nearest_key_is_found_by_its_last_part_too() {
        let keys = all_keys();
        assert_eq!(
            nearest("train.epoch", &keys).as_deref(),
            Some("train.epochs")
        );
        assert_eq!(nearest("epochs", &keys).as_deref(), Some("train.epochs"));
        assert_eq!(nearest("shot", &keys).as_deref(), Some("few_shot.shots"));
        assert_eq!(nearest("qqqq", &keys), None);
    }
}
