//! The only list of methods.

use crate::baselines::{clap, gda, linear_probe, lp_plus_plus, prolip, tip_adapter, zero_shot};
use crate::head::HeadReader;
use crate::{
    Family, MethodConfig, MethodSpec, OptionTable, clip_lora, cocoop, coop, ivlp, maple, mmrl,
    promptsrc, tcp, two_stage, upt, vlpt, vpt,
};

#[cfg(feature = "example-method")]
use crate::shared_prompt;

/// Every method: prompt methods first, then baselines, those that fit 100 classes in a second before those
/// that search for a minute. The first one is what a run tunes that names none.
///
/// Command line, configuration, prompt folders, import, reports, studies and the reference pages
/// read this list; nothing else names a method.
pub static METHODS: &[&MethodSpec] = &[
    &coop::SPEC,
    &vpt::SPEC,
    &vlpt::SPEC,
    &upt::SPEC,
    &cocoop::SPEC,
    &tcp::SPEC,
    &maple::SPEC,
    &ivlp::SPEC,
    &promptsrc::SPEC,
    &mmrl::SPEC,
    &mmrl::PLUS,
    &clip_lora::SPEC,
    &two_stage::SPEC,
    #[cfg(feature = "example-method")]
    &shared_prompt::SPEC,
    &zero_shot::SPEC,
    &gda::SPEC,
    &lp_plus_plus::SPEC,
    &clap::SPEC,
    &prolip::SPEC,
    &tip_adapter::SPEC,
    &tip_adapter::FINETUNED,
    &linear_probe::SPEC,
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

/// The method that learns nothing from images: what others are compared with.
pub fn untuned() -> &'static MethodSpec {
    let untuned = |spec: &&&'static MethodSpec| MethodConfig::new(spec).needs().no_images;
    METHODS
        .iter()
        .find(untuned)
        .expect("zero-shot is in the list")
}

/// The names of those methods of the list that this is true of.
pub fn names(of: impl Fn(&MethodSpec) -> bool) -> Vec<&'static str> {
    let chosen = METHODS.iter().filter(|spec| of(spec));
    chosen.map(|spec| spec.name).collect()
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
