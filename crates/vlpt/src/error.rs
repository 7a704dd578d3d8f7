//! What can end a command, how it is said, and the exit code.

use std::io;

use vlpt_adapter::AdapterError;
use vlpt_bench::BenchError;
use vlpt_clip::ClipError;
use vlpt_data::{DataError, LayoutError};
use vlpt_export::ExportError;
use vlpt_inspect::InspectError;
use vlpt_report::ReportError;
#[cfg(feature = "serve")]
use vlpt_serve::ServeError;
use vlpt_study::StudyError;
use vlpt_tables::TablesError;
use vlpt_train::TrainError;
use vlpt_tune::TuneError;

/// Exit codes of the program; `vlpt --help` lists them.
pub(crate) mod code {
    /// Input or output failed, or the work itself did.
    pub(crate) const FAILURE: u8 = 1;
    /// The command line or the configuration cannot be used as given.
    pub(crate) const USAGE: u8 = 2;
    /// The work ran to its end and found faults.
    pub(crate) const FAULTS: u8 = 3;

    /// What shells give a program that a signal ended.
    pub(crate) fn of_signal(signal: i32) -> u8 {
        u8::try_from(128 + signal).unwrap_or(u8::MAX)
    }
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// A model cannot be found, read or used.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// A data set or an image cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A prompt folder, an evaluation or a prediction failed.
    #[error(transparent)]
    Adapter(AdapterError),
    /// Training or a run folder failed.
    #[error(transparent)]
    Train(TrainError),
    /// A report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A prompt or a data set cannot be looked into.
    #[error(transparent)]
    Inspect(InspectError),
    /// A prompt cannot be exported.
    #[error(transparent)]
    Export(ExportError),
    /// Results cannot be read or compared.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// A server does not start.
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Serve(ServeError),
    /// A study cannot be planned, run or merged.
    #[error(transparent)]
    Study(StudyError),
    /// Photos cannot be made into a classifier.
    #[error(transparent)]
    Tune(TuneError),
    /// A benchmark cannot be planned or summed up.
    #[error(transparent)]
    Bench(BenchError),
    /// Work ended before all of it was done.
    #[error("{message}")]
    Unfinished {
        /// What is left.
        message: String,
        /// How to go on.
        hint: String,
    },
    /// A signal ended the work.
    #[error("{what}")]
    Interrupted {
        /// The signal's number.
        signal: i32,
        /// How far it came.
        what: String,
        /// The command that goes on, where there is something to go on with.
        next: Option<String>,
    },
    /// The command line asks for something that cannot be done.
    #[error("{message}")]
    Usage {
        /// What is wrong with it.
        message: String,
        /// The way out.
        hint: Option<String>,
    },
    /// Something else went wrong.
    #[error("{0}")]
    Failure(String),
    /// A file operation failed; the message names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A check found `0` faults, already printed.
    #[error("{0} found")]
    Faults(String),
    /// All was done, but for some images that have no answer.
    #[error("{0}")]
    Partly(String),
    /// Whoever read standard output has left.
    #[error("standard output was closed")]
    Closed,
}

impl From<AdapterError> for CliError {
    fn from(error: AdapterError) -> Self {
        match error {
            AdapterError::Io(error) => Self::Io(error),
            AdapterError::Clip(error) => Self::Clip(error),
            AdapterError::Data(error) => Self::Data(error),
            other => Self::Adapter(other),
        }
    }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Adapter(error) => Self::from(error),
            TrainError::Clip(error) => Self::Clip(error),
            other => Self::Train(other),
        }
    }
}

impl From<ExportError> for CliError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Io(error) => Self::Io(error),
            ExportError::Clip(error) => Self::Clip(error),
            ExportError::Adapter(error) => Self::from(error),
            other => Self::Export(other),
        }
    }
}

impl From<InspectError> for CliError {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Adapter(error) => Self::from(error),
            other => Self::Inspect(other),
        }
    }
}

#[cfg(feature = "serve")]
impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Prompt(error) => Self::from(error),
            ServeError::Io(error) => Self::Io(error),
            other => Self::Serve(other),
        }
    }
}

impl From<StudyError> for CliError {
    fn from(error: StudyError) -> Self {
        match error {
            StudyError::Train(error) => Self::from(error),
            other => Self::Study(other),
        }
    }
}

impl From<TuneError> for CliError {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Io(error) => Self::Io(error),
            TuneError::Train(error) => Self::from(error),
            TuneError::Adapter(error) => Self::from(error),
            TuneError::Report(error) => Self::Report(error),
            TuneError::Inspect(error) => Self::from(error),
            other => Self::Tune(other),
        }
    }
}

impl From<BenchError> for CliError {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Io(error) => Self::Io(error),
            BenchError::Study(error) => Self::from(error),
            BenchError::Tables(error) => Self::Tables(error),
            other => Self::Bench(other),
        }
    }
}

impl CliError {
    /// A misuse of the command line with its way out.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// A failure without a better type.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::Failure(message.into())
    }

    /// A failed write to standard output.
    pub(crate) fn stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::Io(error)
        }
    }

    /// The way out, where one is known.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Io(e)
            | Self::Data(DataError::Io(e))
            | Self::Train(TrainError::Io(e) | TrainError::Data(DataError::Io(e)))
            | Self::Adapter(AdapterError::Io(e) | AdapterError::Data(DataError::Io(e)))
                if e.kind() == io::ErrorKind::NotFound =>
            {
                Some("check the path; a relative one leads from the current folder".into())
            }
            Self::Clip(e) => clip_hint(e),
            Self::Data(e) => e.hint(),
            Self::Adapter(e) => e.hint(),
            Self::Train(e) => e.hint(),
            Self::Report(e) => e.hint(),
            Self::Inspect(e) => e.hint(),
            Self::Study(e) => e.hint(),
            Self::Tune(e) => e.hint(),
            Self::Export(e) => e.hint(),
            Self::Tables(e) => e.hint().map(str::to_owned),
            Self::Bench(e) => e.hint(),
            #[cfg(feature = "serve")]
            Self::Serve(e) => e.hint(),
            Self::Unfinished { hint, .. } => Some(hint.clone()),
            Self::Interrupted { next, .. } => Some(format!("go on with `{}`", next.as_ref()?)),
            Self::Usage { hint, .. } => hint.clone(),
            Self::Io(e) if e.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or write to another disk".into())
            }
            Self::Io(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::PermissionDenied
                        | io::ErrorKind::NotADirectory
                        | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Some("check the permissions of that path, or choose another one".into())
            }
            _ => None,
        }
    }

    /// The exit code that goes with it.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage { .. }
            | Self::Tables(TablesError::Choice { .. })
            | Self::Tune(
                TuneError::Option { .. } | TuneError::NoMethod { .. } | TuneError::Taken { .. },
            )
            | Self::Bench(BenchError::Choice { .. })
            | Self::Study(StudyError::Setting { .. } | StudyError::Shard { .. })
            | Self::Inspect(
                InspectError::TooFew { .. }
                | InspectError::NoSuchPart { .. }
                | InspectError::NoSuchClass { .. },
            )
            | Self::Train(
                TrainError::UnknownRecipe { .. }
                | TrainError::UnknownKey { .. }
                | TrainError::BadValue { .. }
                | TrainError::BadSetting { .. }
                | TrainError::OutInData { .. }
                | TrainError::Data(DataError::Layout(LayoutError::WithoutEffect { .. }))
                | TrainError::Setting { .. },
            )
            | Self::Data(DataError::Layout(
                LayoutError::WithoutEffect { .. } | LayoutError::TooManyLinks { .. },
            )) => code::USAGE,
            #[cfg(feature = "serve")]
            Self::Serve(
                ServeError::SameName { .. } | ServeError::Name { .. } | ServeError::Nothing,
            ) => code::USAGE,
            Self::Faults(_) | Self::Partly(_) => code::FAULTS,
            Self::Interrupted { signal, .. } => code::of_signal(*signal),
            Self::Closed => 0,
            _ => code::FAILURE,
        }
    }

    /// The whole message: what failed, each cause below it, and the way out.
    pub(crate) fn render(&self, json: bool) -> String {
        let causes: Vec<String> =
            std::iter::successors(std::error::Error::source(self), |e| e.source())
                .map(ToString::to_string)
                .collect();
        if json {
            let value = serde_json::json!({
                "error": { "message": self.to_string(), "causes": causes, "hint": self.hint(), "exit_code": self.code() }
            });
            return value.to_string();
        }
        if let Self::Interrupted { what, next, .. } = self {
            return match next {
                Some(next) => format!("{what}; go on with: {next}"),
                None => what.clone(),
            };
        }
        let mut text = format!("error: {self}");
        for cause in causes {
            text.push_str(&format!("\n  because: {cause}"));
        }
        if let Some(hint) = self.hint() {
            text.push_str(&format!("\nhint: {hint}"));
        }
        text
    }
}

/// The hint of the model's error; where a download is in the way, also what needs none.
fn clip_hint(error: &ClipError) -> Option<String> {
    match (error, error.hint()) {
        (ClipError::Hub { .. }, Some(hint)) => Some(format!(
            "{hint}; `--model mini-clip` is built in, for trying without a network"
        )),
        (_, hint) => hint,
    }
}
