//! The command line, for the script `vlpt` that comes with the package.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use pyo3::prelude::*;

/// What a Rust program gives that a panic ended.
const PANIC: u8 = 101;

/// Runs a command line, its first word the program's name, and returns its exit code. `program` is a file
/// that starts it again.
#[pyfunction]
#[pyo3(signature = (arguments, program=None))]
pub(crate) fn run(py: Python<'_>, arguments: Vec<OsString>, program: Option<PathBuf>) -> u8 {
    // the whole command runs without the interpreter, so nothing of it is Python's to interrupt
    py.detach(|| catch_unwind(AssertUnwindSafe(|| vlpt::run(arguments, program))).unwrap_or(PANIC))
}
