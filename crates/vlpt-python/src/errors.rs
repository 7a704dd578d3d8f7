//! Errors of the crates as exceptions of Python.
//!
//! | exception | of |
//! |---|---|
//! | `ValueError` | an argument that cannot be used as given |
//! | `OSError` and its kinds | a file that cannot be read or written |
//! | `vlpt.Error` | everything else: a damaged image or folder, another model, no network |
//!
//! All say the way out where one is known; `vlpt.Error` has it as `hint`, too.

use std::error::Error;
use std::io;

use pyo3::exceptions::{PyFileExistsError, PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use vlpt_adapter::AdapterError;
use vlpt_clip::ClipError;
use vlpt_data::{DataError, LayoutError};
use vlpt_methods::MethodError;
use vlpt_train::TrainError;
use vlpt_tune::TuneError;

/// Why a call did not do what it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An argument that cannot be used as given.
    Value(Said),
    /// A file that cannot be read or written.
    Io(io::Error, Option<String>),
    /// Something is there already.
    Exists(Said),
    /// Everything else that is at fault outside of this program.
    Other(Said),
    /// A use that cannot work, or a fault of this program.
    Runtime(Said),
    /// The caller asked for an end.
    Stopped,
}

/// What is wrong, and the way out where one is known.
#[derive(Debug)]
pub(crate) struct Said {
    what: String,
    hint: Option<String>,
}

impl Said {
    fn of(error: &dyn Error, hint: Option<String>) -> Self {
        let mut what = error.to_string();
        let causes = std::iter::successors(error.source(), |&error| error.source());
        for cause in causes {
            what.push_str(&format!("\n  because: {cause}"));
        }
        Self { what, hint }
    }

    fn text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}\nhint: {hint}", self.what),
            None => self.what.clone(),
        }
    }
}

impl Failure {
    /// An argument that cannot be used as given, and the way out.
    pub(crate) fn value(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Value(Said {
            what: what.into(),
            hint: Some(hint.into()),
        })
    }

    /// A use that cannot work, and the way out.
    pub(crate) fn runtime(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Runtime(Said {
            what: what.into(),
            hint: Some(hint.into()),
        })
    }

    /// A file or folder that is not there.
    fn absent(error: &dyn Error, hint: Option<String>) -> Self {
        Self::Io(
            io::Error::new(io::ErrorKind::NotFound, error.to_string()),
            hint,
        )
    }

    /// As an exception.
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Value(said) => PyValueError::new_err(said.text()),
            Self::Exists(said) => PyFileExistsError::new_err(said.text()),
            Self::Runtime(said) => PyRuntimeError::new_err(said.text()),
            Self::Stopped => PyKeyboardInterrupt::new_err(()),
            Self::Io(error, hint) => {
                let what = error.to_string();
                let said = Said { what, hint };
                io::Error::new(error.kind(), said.text()).into()
            }
            Self::Other(said) => own(py, said).unwrap_or_else(|error| error),
        }
    }
}

/// A `vlpt.Error`, whose class is written in Python.
fn own(py: Python<'_>, said: Said) -> PyResult<PyErr> {
    let class = py.import("vlpt._errors")?.getattr("Error")?;
    Ok(PyErr::from_value(class.call1((said.what, said.hint))?))
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let absent = error.kind() == io::ErrorKind::NotFound;
        let hint = absent
            .then(|| "check the path; a relative one leads from the current folder".to_owned());
        Self::Io(error, hint)
    }
}

impl From<ClipError> for Failure {
    fn from(error: ClipError) -> Self {
        let hint = match (&error, error.hint()) {
            (ClipError::Hub { .. }, Some(hint)) => Some(format!(
                "{hint}; \"mini-clip\" is built in, for trying without a network"
            )),
            (_, hint) => hint,
        };
        match error {
            ClipError::Io(error) => error.into(),
            ClipError::UnknownName { .. } => Self::Value(Said::of(&error, hint)),
            ClipError::TextTooLong { .. } => {
                let hint = "shorten the text, or cut it with truncate=True".to_owned();
                Self::Value(Said::of(&error, Some(hint)))
            }
            _ => Self::Other(Said::of(&error, hint)),
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Io(error) => error.into(),
            DataError::NothingThere { .. } => Self::absent(&error, error.hint()),
            DataError::BrokenImage(inner) if matches!(*inner, DataError::Io(_)) => (*inner).into(),
            DataError::Layout(LayoutError::WithoutEffect { .. }) => {
                Self::Value(Said::of(&error, error.hint()))
            }
            _ => Self::Other(Said::of(&error, error.hint())),
        }
    }
}

impl From<MethodError> for Failure {
    fn from(error: MethodError) -> Self {
        let hint = error.hint();
        Self::Value(Said::of(&error, hint))
    }
}

impl From<AdapterError> for Failure {
    fn from(error: AdapterError) -> Self {
        match error {
            AdapterError::Io(error) => error.into(),
            AdapterError::Clip(error) => error.into(),
            AdapterError::Data(error) => error.into(),
            AdapterError::Method(error) => error.into(),
            AdapterError::NoPrompt { .. } => Self::absent(&error, error.hint()),
            AdapterError::Incompatible { .. } | AdapterError::OtherClasses { .. } => {
                Self::Value(Said::of(&error, error.hint()))
            }
            AdapterError::WrongModel { .. } => {
                let hint = "name that model with model=, or use force=True if you know that the models are alike";
                Self::Other(Said::of(&error, Some(hint.to_owned())))
            }
            _ => Self::Other(Said::of(&error, error.hint())),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Io(error) => error.into(),
            TrainError::Adapter(error) => error.into(),
            TrainError::Clip(error) => error.into(),
            TrainError::Data(error) => error.into(),
            TrainError::Stopped { .. } => Self::Stopped,
            TrainError::BadValue { .. }
            | TrainError::BadSetting { .. }
            | TrainError::UnknownKey { .. }
            | TrainError::OutInData { .. }
            | TrainError::Setting { .. } => Self::Value(Said::of(&error, error.hint())),
            _ => Self::Other(Said::of(&error, error.hint())),
        }
    }
}

impl From<TuneError> for Failure {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Io(error) => error.into(),
            TuneError::Train(error) => error.into(),
            TuneError::Adapter(error) => error.into(),
            TuneError::Stopped => Self::Stopped,
            TuneError::Option {
                option,
                found,
                expected,
            } => {
                // the argument is called as the flag is
                let name = option.trim_start_matches('-').replace('-', "_");
                let what = format!("{name}={found}: expected {expected}");
                Self::Value(Said { what, hint: None })
            }
            TuneError::NoMethod { .. } => {
                let hint = "leave methods out to try all that fit the time".to_owned();
                Self::Value(Said::of(&error, Some(hint)))
            }
            TuneError::Photos { .. } => Self::Value(Said::of(&error, error.hint())),
            TuneError::Taken { .. } => {
                let hint = "choose another folder with out=".to_owned();
                Self::Exists(Said::of(&error, Some(hint)))
            }
            _ => Self::Other(Said::of(&error, error.hint())),
        }
    }
}
