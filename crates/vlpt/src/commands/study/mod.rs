//! `vlpt study`: which task helps which, as jobs that any number of workers do.

mod groups;
mod launch;
pub(crate) mod merge;
pub(crate) mod page;
mod plan;
mod status;
pub(crate) mod work;

use clap::Subcommand;

pub(crate) use groups::read_groups;

use crate::console::Console;
use crate::error::CliError;

/// The steps of a study.
#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    /// Write down every training and evaluation of a study, one self-contained line each
    Plan(Box<plan::PlanArgs>),
    /// Do what is missing; any number of workers may run on one folder
    Run(work::RunArgs),
    /// Show how far a study is, and what failed
    Status(status::StatusArgs),
    /// Make tables, matrices, similarities and a report of the results
    Merge(merge::MergeArgs),
    /// Find groups of tasks that should share one prompt, and plan their joint trainings
    Groups(groups::GroupsArgs),
    /// Submit a plan to a cluster
    Launch(launch::LaunchArgs),
}

/// Runs the chosen step.
pub(crate) fn run(command: &StudyCommand, console: &Console) -> Result<(), CliError> {
    match command {
        StudyCommand::Plan(args) => plan::run(args, console),
        StudyCommand::Run(args) => work::run(args, console),
        StudyCommand::Status(args) => status::run(args, console),
        StudyCommand::Merge(args) => merge::run(args, console),
        StudyCommand::Groups(args) => groups::run(args, console),
        StudyCommand::Launch(args) => launch::run(args, console),
    }
}

/// Bytes: a number, with K, M, G or T behind it for powers of 1024.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let expected = "expected bytes, such as 3221225472 or 3G";
    let plain = text
        .trim()
        .trim_end_matches(['b', 'B'])
        .trim_end_matches(['i', 'I']);
    let (number, shift) = match plain.char_indices().next_back() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => {
            let units = ["K", "M", "G", "T"];
            let place = units
                .iter()
                .position(|u| u.eq_ignore_ascii_case(&unit.to_string()));
            let place = place.ok_or(expected)?;
            (&plain[..at], 10 * (place as u32 + 1))
        }
        _ => (plain, 0),
    };
    let number: u64 = number.trim().parse().map_err(|_| expected)?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| expected.to_owned())
}

/// A time for people: seconds, minutes or hours.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 99.5 => format!("{s:.0} s"),
        s if s < 99.5 * 60.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_with_and_without_a_unit() {
        assert_eq!(bytes("3221225472"), Ok(3 << 30));
        assert_eq!(bytes("3G"), Ok(3 << 30));
        assert_eq!(bytes("512 MiB"), Ok(512 << 20));
        for wrong in ["", "G", "-1", "1.5G", "3X", "99999999999T"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
