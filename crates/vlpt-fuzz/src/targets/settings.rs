//! What a run is told, and what it writes down.

use vlpt_train::{load, parse, read_events};

use crate::promise::told;
use crate::scratch::Scratch;

/// Reads settings as a file, and each line as an override; what is accepted survives being written.
pub(super) fn configuration(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let accepted = match parse(&text, "input.toml") {
        Ok(config) => {
            let written = config.to_toml();
            let again = match parse(&written, "again.toml") {
                Ok(again) => again,
                Err(error) => panic!("{error}, in what was written:\n{written}"),
            };
            assert_eq!(written, again.to_toml());
            true
        }
        Err(error) => told(&error, error.hint()),
    };
    let overrides: Vec<String> = text.lines().take(8).map(str::to_owned).collect();
    if let Err(error) = load(None, None, &overrides) {
        told(&error, error.hint());
    }
    accepted
}

/// Reads events.
pub(super) fn events(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    match read_events(&scratch.file("events.jsonl", bytes)) {
        Ok(_) => true,
        Err(error) => told(&error, error.hint()),
    }
}
