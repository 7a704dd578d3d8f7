//! The study of which task helps which: its jobs, and what is read from their results.
//!
//! A study is a folder ([`Folder`]). [`Plan::of`] turns a [`StudyConfig`] into self-contained
//! jobs; any number of workers [`run`] them, each doing what nobody else does; [`status`] says
//! how far they are; [`merge::merge`] turns results into tables and matrices, which are equal byte
//! for byte whoever did what. How a job is done is behind [`Executor`]. [`launch`] hands a plan to
//! a cluster. [`multitask`] does a few trainings that belong together, without a study.
//!
//! [`similarity`], [`stats`] and [`groups`] read matrices and need no folder. [`published`] holds figures
//! of others, to be put beside one's own.

mod canonical;
mod check;
mod claim;
mod config;
mod error;
mod executor;
mod folder;
pub mod groups;
mod job;
pub mod launch;
mod linear;
mod log;
mod matrix;
pub mod merge;
pub mod multitask;
mod plan;
mod result;
mod shard;
pub mod similarity;
pub mod stats;
mod status;
mod worker;

pub use claim::{Claim, is_taken};
pub use config::{Adapted, Joint, StudyConfig, StudyMethod, Transfer, ZeroShotClip};
pub use error::{Result, StudyError};
pub use executor::{
    CommonSettings, Compared, Executor, ExecutorError, JobContext, Keep, MethodRequest,
    PlannedTask, ResolvedMethod, Resources, Search, SearchAxis, Similarity, SimilarityCorrelation,
    StudyFile, StudyRequest, TaskSettings, TrainExecutor, answers_file, clip_benchmark_file,
    file_name, try_out,
};
pub use folder::Folder;
pub use job::{Job, JobId, Kind, StartPoint, TaskSpec};
pub use matrix::TaskMatrix;
pub use plan::Plan;
pub use result::{Failure, Outcome, read_failure, read_outcome};
pub use shard::Shard;
pub use status::{Counts, JobState, JobStatus, Spent, Status, status};
pub use worker::{Event, RunLimits, RunReport, run};
