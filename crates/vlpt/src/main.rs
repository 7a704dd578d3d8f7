//! The program `vlpt`: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(vlpt::run(std::env::args_os().collect(), None))
}
