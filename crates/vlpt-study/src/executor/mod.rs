//! How jobs are done: the study knows when and where, an [`Executor`] knows how.
//!
//! [`TrainExecutor`] is that of a real study. It does a job by the steps of an `Experiment`, as
//! the commands of [`crate::multitask`] do what they are asked for: there is one way to train, and
//! one to evaluate, which is that of `vlpt eval`.

mod compare;
mod compare_prompts;
mod compare_table;
mod compared;
mod context;
mod experiment;
mod kept;
mod request;
mod search;
mod settings;
mod study_file;
mod tasks;
mod train;
mod train_executor;
mod watch;

pub use compared::{Compared, Similarity, SimilarityCorrelation};
pub use context::{Executor, ExecutorError, JobContext, Resources};
pub use kept::{answers_file, clip_benchmark_file, file_name};
pub use request::{MethodRequest, PlannedTask, ResolvedMethod, StudyRequest, try_out};
pub use search::{Search, SearchAxis};
pub use settings::{CommonSettings, Keep, TaskSettings};
pub use study_file::StudyFile;
pub use train_executor::TrainExecutor;

pub(crate) use experiment::{ConstantTexts, Experiment};
