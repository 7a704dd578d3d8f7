//! What is known of the field's benchmarks: names, classes, templates, metric, sizes, traps.
//!
//! The entries are those of ELEVATER (20 tasks), of CoOp (11 data sets), and ImageNet with its four
//! variants. They are data, made by `catalogue/make.py` and compiled in.

mod entries;
mod lookup;
mod markdown;
mod sources;

pub use entries::{Entry, ExpectedSplit, Suite, TemplateSet, entries, template_set, template_sets};
pub use lookup::{find, find_in, suggest};
pub use markdown::markdown;
pub use sources::Source;
