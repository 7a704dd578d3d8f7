//! Which files have been answered: kept beside the answers, so that a command that is started again goes on.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs_err::File;
use serde::{Deserialize, Serialize};
use vlpt_base::hash::derive_seed;

use super::arrivals::Version;
use crate::error::CliError;

/// Rows without a line here that are taken back at most, in bytes: those of the moment when a command was killed.
const MOST_TAKEN_BACK: u64 = 1 << 20;

/// The first line: what all answers of the file have in common.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    answers_by: String,
}

/// A line for each file that was answered.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Below the folder.
    path: String,
    size: u64,
    changed: i64,
    /// Where its row ends in the answers.
    end: u64,
}

/// The files that were answered.
#[derive(Debug)]
pub(super) struct Answered {
    known: HashSet<u64>,
    file: Option<File>,
}

impl Answered {
    /// None, and none is kept.
    pub(super) fn forgotten() -> Self {
        Self {
            known: HashSet::new(),
            file: None,
        }
    }

    /// Those whose rows are in `answers`, by the file `answers.seen` beside it, which is made where there is
    /// none. Rows that a killed command had no time to note are taken back, to be written again.
    ///
    /// # Errors
    /// Another command writes there, the answers were begun `by` something else, or a file cannot be read.
    pub(super) fn open(answers: &Path, by: &str) -> Result<Self, CliError> {
        let path = beside(answers);
        let mut options = fs_err::OpenOptions::new();
        let mut file: File = options.read(true).append(true).create(true).open(&path)?;
        if let Err(std::fs::TryLockError::WouldBlock) = file.file().try_lock() {
            return Err(CliError::usage(
                format!("another command writes to {}", answers.display()),
                "end that one first, or name another file with --out",
            ));
        }
        let mut known = HashSet::new();
        let mut reader = BufReader::new(&mut file);
        let (mut whole, mut end) = (0, 0);
        let mut text = Vec::new();
        let damaged = |what: &str| {
            CliError::usage(
                format!("{}: {what}", path.display()),
                format!(
                    "remove it to classify all photos anew, after those in {}",
                    answers.display()
                ),
            )
        };
        loop {
            text.clear();
            let read = reader.read_until(b'\n', &mut text)? as u64;
            if text.last() != Some(&b'\n') {
                break; // torn off by a kill, or the end
            }
            if whole == 0 {
                let header: Header = serde_json::from_slice(&text)
                    .map_err(|_| damaged("no list of answered photos"))?;
                if header.answers_by != by {
                    return Err(CliError::usage(
                        format!(
                            "{} was begun with another prompt, model, threshold or number of classes a row",
                            answers.display()
                        ),
                        format!(
                            "name another file with --out, or remove it and {}",
                            path.display()
                        ),
                    ));
                }
            } else {
                let line: Line = serde_json::from_slice(&text)
                    .map_err(|_| damaged("a line that is none of an answered photo"))?;
                let version = Version {
                    size: line.size,
                    changed: line.changed,
                };
                known.insert(key(&line.path, version));
                end = line.end;
            }
            whole += read;
        }
        drop(reader);
        file.set_len(whole)?;
        if whole == 0 {
            let header = Header {
                answers_by: by.to_owned(),
            };
            append(&mut file, &[header])?;
        } else {
            take_back(answers, end)?;
        }
        Ok(Self {
            known,
            file: Some(file),
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// Whether the file of this path below the folder was answered as it is.
    pub(super) fn knows(&self, path: &Path, version: Version) -> bool {
        self.known.contains(&key(&path.to_string_lossy(), version))
    }

    /// Files were answered, whose rows end at `end` in the answers, and are on the disk.
    pub(super) fn note(&mut self, files: &[(PathBuf, Version)], end: u64) -> Result<(), CliError> {
        let mut lines = Vec::new();
        for (path, version) in files {
            let path = path.to_string_lossy().into_owned();
            self.known.insert(key(&path, *version));
            lines.push(Line {
                path,
                size: version.size,
                changed: version.changed,
                end,
            });
        }
        match &mut self.file {
            Some(file) => append(file, &lines),
            None => Ok(()),
        }
    }
}

/// The list that belongs to a file of answers.
fn beside(answers: &Path) -> PathBuf {
    let mut name: OsString = answers.file_name().unwrap_or_default().to_owned();
    name.push(".seen");
    answers.with_file_name(name)
}

fn append<T: Serialize>(file: &mut File, lines: &[T]) -> Result<(), CliError> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(|e| CliError::failure(e.to_string()))?;
        text.push(b'\n');
    }
    Ok(file.write_all(&text)?)
}

/// Cuts off what stands behind the last row that was noted.
fn take_back(answers: &Path, end: u64) -> Result<(), CliError> {
    let Ok(about) = fs_err::metadata(answers) else {
        return Ok(()); // moved away: a new one is begun
    };
    let behind = about.len().saturating_sub(end);
    if end == 0 || behind == 0 || behind > MOST_TAKEN_BACK || !about.is_file() {
        return Ok(());
    }
    let mut file: File = fs_err::OpenOptions::new()
        .read(true)
        .write(true)
        .open(answers)?;
    file.seek(SeekFrom::Start(end - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        file.set_len(end)?;
    }
    Ok(())
}

/// What a version of a file is known by; a million of them share one with a chance of one to thirty million.
fn key(path: &str, version: Version) -> u64 {
    let (size, changed) = (version.size.to_le_bytes(), version.changed.to_le_bytes());
    derive_seed("vlpt answered", &[&size, &changed, path.as_bytes()])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const VERSION: Version = Version {
        size: 5,
        changed: -3,
    };

    #[test]
    fn what_was_answered_is_known_again_and_a_change_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let answers = dir.path().join("a.csv");
        let mut answered = Answered::open(&answers, "prompt").unwrap();
        answered.note(&[("b/1.jpg".into(), VERSION)], 10).unwrap();
        assert!(Answered::open(&answers, "prompt").is_err(), "locked");
        drop(answered);
        // killed within a line
        let mut list = fs_err::read(dir.path().join("a.csv.seen")).unwrap();
        list.extend(b"{\"path\":\"half");
        fs_err::write(dir.path().join("a.csv.seen"), list).unwrap();
        let answered = Answered::open(&answers, "prompt").unwrap();
        assert!(answered.knows(Path::new("b/1.jpg"), VERSION));
        let changed = Version { size: 6, ..VERSION };
        assert!(!answered.knows(Path::new("b/1.jpg"), changed));
        assert!(!answered.knows(Path::new("1.jpg"), VERSION));
        assert_eq!(answered.count(), 1);
        drop(answered);
        let error = Answered::open(&answers, "another").unwrap_err().to_string();
        assert!(error.contains("begun with another prompt"), "{error}");
    }

    #[test]
    fn rows_that_were_not_noted_are_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let answers = dir.path().join("a.csv");
        fs_err::write(&answers, "path\nb.jpg\n").unwrap();
        let mut answered = Answered::open(&answers, "prompt").unwrap();
        answered.note(&[("b.jpg".into(), VERSION)], 11).unwrap();
        drop(answered);
        fs_err::write(&answers, "path\nb.jpg\nc.jpg\nd.j").unwrap();
        drop(Answered::open(&answers, "prompt").unwrap());
        assert_eq!(fs_err::read(&answers).unwrap(), b"path\nb.jpg\n");
        // Another file than the one that was written to is left alone.
        fs_err::write(&answers, "something else altogether\n").unwrap();
        drop(Answered::open(&answers, "prompt").unwrap());
        let left = fs_err::read(&answers).unwrap();
        assert_eq!(left, b"something else altogether\n");
        fs_err::remove_file(&answers).unwrap();
        let answered = Answered::open(&answers, "prompt").unwrap();
        assert_eq!(
            answered.count(),
            1,
            "answers that were moved away stay answered"
        );
    }
}
