//! Where flags got their values from: the command line comes before the environment.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// Flags whose value an environment variable gave.
static FROM_ENVIRONMENT: OnceLock<BTreeSet<String>> = OnceLock::new();
/// Flags of the command line.
static FROM_LINE: OnceLock<BTreeSet<String>> = OnceLock::new();

/// Flags that cannot stand together on one command line. An environment variable of the second is
/// overruled by the first.
const EITHER: [(&str, &str); 1] = [("no_cache", "cache")];

/// The commands without environment variables that are set and empty: they say nothing.
pub(crate) fn without_empty_variables(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let empty = |name| std::env::var_os(name).is_some_and(|value| value.is_empty());
        if argument.get_env().is_some_and(empty) {
            argument.env(None::<&str>)
        } else {
            argument
        }
    });
    command.mut_subcommands(without_empty_variables)
}

/// Remembers which flags the environment gave, and refuses those that cannot stand together.
///
/// # Errors
/// Two flags of the command line that exclude each other.
pub(crate) fn remember(matches: &ArgMatches) -> Result<(), clap::Error> {
    let (mut environment, mut line) = (BTreeSet::new(), BTreeSet::new());
    let mut next = Some(matches);
    while let Some(matches) = next {
        for id in matches.ids() {
            let id = id.as_str();
            match matches.value_source(id) {
                Some(ValueSource::EnvVariable) => environment.insert(id.to_owned()),
                Some(ValueSource::CommandLine) => line.insert(id.to_owned()),
                _ => false,
            };
        }
        next = matches.subcommand().map(|(_, below)| below);
    }
    let both = |(one, other): &&(&str, &str)| line.contains(*one) && line.contains(*other);
    if let Some((one, other)) = EITHER.iter().find(both) {
        let flag = |id: &str| format!("--{}", id.replace('_', "-"));
        return Err(clap::Error::raw(
            ErrorKind::ArgumentConflict,
            format!(
                "the argument '{}' cannot be used with '{}'\n",
                flag(one),
                flag(other)
            ),
        ));
    }
    // The program parses one command line; a second call would bring the same.
    let _ = FROM_ENVIRONMENT.set(environment);
    let _ = FROM_LINE.set(line);
    Ok(())
}

/// Whether an environment variable gave this flag its value.
pub(crate) fn from_environment(id: &str) -> bool {
    FROM_ENVIRONMENT
        .get()
        .is_some_and(|flags| flags.contains(id))
}

/// Whether this flag was given on the command line.
pub(crate) fn from_line(id: &str) -> bool {
    FROM_LINE.get().is_some_and(|flags| flags.contains(id))
}

/// A switch as an environment variable says it.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("expected 1, true, yes or on, or 0, false, no or off".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::switch;

    #[test]
    fn a_switch_is_said_in_many_words() {
        for on in ["1", "true", "TRUE", "yes", "on"] {
            assert_eq!(switch(on), Ok(true), "{on}");
        }
        for off in ["", "0", "false", "No", "off"] {
            assert_eq!(switch(off), Ok(false), "{off}");
        }
        assert!(switch("2").is_err());
    }
}
