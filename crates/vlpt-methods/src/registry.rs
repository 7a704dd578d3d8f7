//! The only list of methods.

use crate::baselines::{linear_probe, tip_adapter, zero_shot};
use crate::head::HeadReader;
use crate::{Family, MethodSpec, OptionTable, clip_lora, cocoop, coop, upt, vlpt, vpt};

/// Every method, prompt methods first; the first one is what a run tunes that names none.
///
/// Command line, configuration, prompt folders, import, reports, studies and the reference pages
/// read this list; nothing else names a method.
pub static METHODS: &[&MethodSpec] = &[
    &coop::SPEC,
    &vpt::SPEC,
    &vlpt::SPEC,
    &upt::SPEC,
    &cocoop::SPEC,
    &clip_lora::SPEC,
    &zero_shot::SPEC,
    &linear_probe::SPEC,
    &tip_adapter::SPEC,
    &tip_adapter::FINETUNED,
];

/// The method of that name.
pub fn method(name: &str) -> Option<&'static MethodSpec> {
    METHODS.iter().find(|spec| spec.name == name).copied()
}

/// The first method of a family.
pub fn first_of(family: Family) -> Option<&'static MethodSpec> {
    METHODS
        .iter()
        .find(|spec| spec.family == Some(family))
        .copied()
}

/// The tables of all methods, each once, in the order of the list.
pub fn option_tables() -> Vec<&'static OptionTable> {
    let mut tables: Vec<&'static OptionTable> = Vec::new();
    for table in METHODS.iter().flat_map(|spec| spec.tables) {
        if tables.iter().all(|known| known.name != table.name) {
            tables.push(table);
        }
    }
    tables
}

/// What reads a classifier of image features of this kind.
pub fn head_reader(kind: &str) -> Option<&'static HeadReader> {
    let mut readers = METHODS.iter().flat_map(|spec| spec.heads);
    readers.find(|reader| reader.kind == kind)
}
