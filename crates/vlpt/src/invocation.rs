//! The command line as it was given, and the program that it was given to.
//!
//! A process has one command line, but the one of this process need not be it: a Python script that runs
//! the command line is called by an interpreter.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use vlpt_base::shell;

static INVOCATION: OnceLock<Invocation> = OnceLock::new();

#[derive(Debug)]
struct Invocation {
    /// What followed the program's name.
    arguments: Vec<OsString>,
    /// What starts the program again; none: the file of this process.
    program: Option<PathBuf>,
}

/// Remembers how the program was called. The first call of a process counts.
pub(crate) fn remember(arguments: &[OsString], program: Option<PathBuf>) {
    let arguments = arguments.iter().skip(1).cloned().collect();
    let _ = INVOCATION.set(Invocation { arguments, program });
}

/// What followed the program's name.
pub(crate) fn arguments() -> &'static [OsString] {
    INVOCATION
        .get()
        .map_or(&[], |invocation| &invocation.arguments)
}

/// The command line as one gives it to a shell.
pub(crate) fn command() -> String {
    let words = arguments()
        .iter()
        .map(|word| shell::word(&word.to_string_lossy()));
    let words: Vec<String> = std::iter::once("vlpt".to_owned()).chain(words).collect();
    words.join(" ")
}

/// A file that starts the program.
///
/// # Errors
/// The system does not say which file this process runs.
pub(crate) fn program() -> io::Result<PathBuf> {
    let named = INVOCATION.get().and_then(|given| given.program.clone());
    named.map_or_else(std::env::current_exe, Ok)
}
