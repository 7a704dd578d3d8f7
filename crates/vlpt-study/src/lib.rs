//! The study of which task helps which: its units of work, and what is read from their results.
//!
//! A study is a folder. [`Plan::of`] turns a [`StudyConfig`] into self-contained units.

mod check;
mod claim;
mod config;
mod error;
mod files;
mod folder;
mod plan;
mod unit;

pub use claim::{Claim, is_taken};
pub use config::{Adapted, Joint, StudyConfig, StudyMethod, Transfer, ZeroShotClip};
pub use error::{Result, StudyError};
pub use folder::Folder;
pub use plan::Plan;
pub use unit::{Kind, Source, Task, Unit, UnitId};
