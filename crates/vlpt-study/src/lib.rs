//! The study of which task helps which: its units of work, and what is read from their results.
//!
//! A study is a folder ([`Folder`]). [`Plan::of`] turns a [`StudyConfig`] into self-contained
//! units; any number of workers [`run`] them, each doing what nobody else does; [`status`] says
//! how far they are; [`merge::merge`] turns results into tables and matrices, which are equal byte
//! for byte whoever did what. How a unit is done is behind [`Work`]. [`launch`] hands a plan to a
//! cluster.
//!
//! [`similarity`], [`stats`] and [`groups`] read matrices and need no folder.

mod canonical;
mod check;
mod claim;
mod config;
mod error;
mod folder;
pub mod groups;
pub mod launch;
mod linear;
mod log;
mod matrix;
pub mod merge;
mod plan;
mod result;
mod shard;
pub mod similarity;
pub mod stats;
mod status;
mod train_work;
mod unit;
mod work;
mod worker;

pub use claim::{Claim, is_taken};
pub use config::{Adapted, Joint, StudyConfig, StudyMethod, Transfer, ZeroShotClip};
pub use error::{Result, StudyError};
pub use folder::Folder;
pub use matrix::Matrix;
pub use plan::Plan;
pub use result::{Failure, Outcome, read_failure, read_outcome};
pub use shard::Shard;
pub use status::{Counts, Spent, Status, UnitState, UnitStatus, status};
pub use train_work::{
    CommonSettings, Compared, MethodRequest, Similarity, SimilarityCorrelation, StudyFile,
    StudyRequest, TaskSettings, TrainWork,
};
pub use unit::{Kind, Source, Task, Unit, UnitId};
pub use work::{Desk, Need, Work, WorkError};
pub use worker::{Event, RunLimits, RunReport, run};
