//! How long jobs took: a file for each worker, apart from the results, which hold no time.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::folder::Folder;
use crate::job::{Job, JobId, Kind};

/// One line of a log.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    event: Happened,
    id: JobId,
    kind: Kind,
    method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// Of the seconds, those of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    training: Option<f64>,
}

/// What one finished job took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Took {
    pub(crate) seconds: f64,
    pub(crate) training: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Happened {
    Started,
    Finished,
    Failed,
}

/// A worker's own log file, named by a number that no other worker has.
#[derive(Debug)]
pub(crate) struct Log {
    file: fs::File,
}

impl Log {
    pub(crate) fn open(folder: &Folder) -> Result<Self> {
        let host = std::env::var("HOSTNAME").unwrap_or_default();
        let host: String = host.chars().filter(char::is_ascii_alphanumeric).collect();
        for number in 0_u32.. {
            let name = format!("{host}{}-{number}.jsonl", std::process::id());
            let path = folder.log().join(name);
            match fs::OpenOptions::new()
                .create_new(true)
                .append(true)
                .open(path)
            {
                Ok(file) => return Ok(Self { file }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(std::io::Error::other("log: no free number").into())
    }

    pub(crate) fn started(&mut self, id: &JobId, job: &Job) -> Result<()> {
        self.write(Happened::Started, id, job, (None, None))
    }

    pub(crate) fn finished(
        &mut self,
        id: &JobId,
        job: &Job,
        took: Duration,
        trained: Duration,
    ) -> Result<()> {
        let seconds = (Some(took.as_secs_f64()), Some(trained.as_secs_f64()));
        self.write(Happened::Finished, id, job, seconds)
    }

    pub(crate) fn failed(&mut self, id: &JobId, job: &Job, took: Duration) -> Result<()> {
        let seconds = (Some(took.as_secs_f64()), None);
        self.write(Happened::Failed, id, job, seconds)
    }

    fn write(
        &mut self,
        event: Happened,
        id: &JobId,
        job: &Job,
        (seconds, training): (Option<f64>, Option<f64>),
    ) -> Result<()> {
        let line = Line {
            event,
            id: id.clone(),
            kind: job.kind,
            method: job.method.clone(),
            seconds,
            training,
        };
        let mut text = serde_json::to_string(&line).expect("string keys only");
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        Ok(())
    }
}

/// What finished jobs took by kind and method, from all logs. Lines that are not whole, as a kill
/// leaves them, are passed over.
pub(crate) fn seconds(folder: &Folder) -> Result<BTreeMap<(Kind, String), Vec<Took>>> {
    let mut found: BTreeMap<_, Vec<Took>> = BTreeMap::new();
    let entries = match fs::read_dir(folder.log()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        for line in text.lines() {
            if let Ok(line) = serde_json::from_str::<Line>(line)
                && line.event == Happened::Finished
                && let Some(seconds) = line.seconds
            {
                let training = line.training.unwrap_or(0.0);
                let took = Took { seconds, training };
                let key = (line.kind, line.method);
                found.entry(key).or_default().push(took);
            }
        }
    }
    Ok(found)
}
