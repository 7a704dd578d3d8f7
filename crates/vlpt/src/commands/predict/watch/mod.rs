//! `vlpt predict --watch FOLDER`: photos are classified as they come.

mod answered;
mod arrivals;
mod look;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use vlpt_adapter::{BATCH, Row, RowFormat, RowWriter, pipelined};
use vlpt_base::hash::fingerprint;
use vlpt_data::Walk;
use vlpt_data::image::is_image_path;
use vlpt_data::junk::is_junk_path;

use crate::answers::{Answering, Complaints, Printed};
use crate::console::Console;
use crate::error::CliError;
use crate::interrupt::{self, Gently};
use crate::options::{Input, row_format};
use answered::Answered;
use arrivals::{Arrivals, Version};
use look::Look;

/// How long a file has to stay as it is before it is taken for complete.
const SETTLE: Duration = Duration::from_secs(1);
/// How often the whole folder is looked at where changes are told: some are lost when very many come at once.
const LOOK_BESIDE: Duration = Duration::from_mins(1);
/// How often, where they are not.
const LOOK_ALONE: Duration = Duration::from_secs(2);
/// A look at the whole folder takes at most one part in so many of the time.
const SHARE: u32 = 20;
/// How soon Ctrl-C is heard.
const PULSE: Duration = Duration::from_millis(200);

/// Photos as they come.
#[derive(Debug, Args)]
#[command(next_help_heading = "Watching a folder")]
pub(crate) struct WatchArgs {
    /// Classify the photos of a folder and those that come into it, each once, until Ctrl-C. A file is
    /// taken once it stays as it is for a second. With --out FILE, rows are appended as they are made
    /// (.csv or .jsonl), and FILE.seen notes what was answered, so that the same command goes on later
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["images", "files_from"])]
    watch: Option<PathBuf>,
    /// Look at the folder every so many seconds instead of waiting to be told by the system: for network
    /// drives, where others' changes are not told
    #[arg(long, value_name = "SECONDS")]
    poll: Option<f64>,
}

impl WatchArgs {
    /// The folder, where one is watched.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.watch.as_deref()
    }

    /// Refuses what cannot be watched or written to row by row.
    pub(super) fn check(&self, out: Option<&Path>, console: &Console) -> Result<(), CliError> {
        if let Some(seconds) = self.poll
            && !(0.1..=86_400.0).contains(&seconds)
        {
            return Err(CliError::usage(
                format!("--poll {seconds}: expected seconds from 0.1 to 86400"),
                "--poll 5 looks every five seconds",
            ));
        }
        let Some(folder) = &self.watch else {
            // `requires` of clap says nothing beside images, which --watch excludes
            return match self.poll {
                Some(_) => Err(CliError::usage(
                    "--poll was given, but no folder is watched",
                    "name one with --watch, or leave --poll out",
                )),
                None => Ok(()),
            };
        };
        if !folder.is_dir() {
            return Err(CliError::usage(
                format!("{}: no folder to watch", folder.display()),
                "name one that is there, or make it first",
            ));
        }
        match out.map(row_format).transpose()? {
            Some(RowFormat::Parquet) => Err(CliError::usage(
                "--watch appends rows, and a Parquet file cannot grow: its index is written at the end",
                "end the name of --out in .csv or .jsonl",
            )),
            None if console.is_json() => Err(CliError::usage(
                "--json prints one document at the end, and --watch has no end",
                "add --out answers.jsonl, one JSON object a line as photos come",
            )),
            _ => Ok(()),
        }
    }

    /// Classifies until a signal ends it.
    pub(super) fn run(&self, answering: &Answering) -> Result<(), CliError> {
        let Some(folder) = &self.watch else {
            return Ok(());
        };
        let poll = self.poll.map(Duration::from_secs_f64);
        let options = answering.row_options()?;
        let mut place = match answering.out {
            None => Place::Printed(Printed::new(options)),
            Some(out) => {
                let clip = answering.predictor.clip();
                let columns = format!("{options:?}");
                let parts = [
                    answering.classifier,
                    &clip.fingerprint,
                    &clip.precision.to_string(),
                    &columns,
                ];
                let answered = Answered::open(out, &fingerprint(parts))?;
                let writer = RowWriter::append(out, options)?;
                Place::File(Box::new(writer), answered)
            }
        };
        let _gently = Gently::begin();
        interrupt::goes_on_when_given_again();
        let look = Look::begin(folder, poll.is_none(), answering.console);
        let before = match place.answered() {
            0 => String::new(),
            some => format!("; {some} photos in it were answered before"),
        };
        let how = match (look.is_told(), poll) {
            (true, _) => "as the system tells its changes".to_owned(),
            (false, poll) => format!("every {} s", poll.unwrap_or(LOOK_ALONE).as_secs_f64()),
        };
        answering.console.say(format!(
            "watching {} {how}{before}; Ctrl-C ends it",
            folder.display()
        ));
        let mut watching = Watching {
            folder,
            answering,
            arrivals: Arrivals::new(SETTLE.max(poll.unwrap_or_default())),
            every: match (poll, look.is_told()) {
                (Some(poll), _) => poll,
                (None, true) => LOOK_BESIDE,
                (None, false) => LOOK_ALONE,
            },
            look,
            ask: poll.is_none(),
            lost: false,
            complaints: Complaints::new(answering.console),
            done: 0,
        };
        watching.until_stopped(&mut place)?;
        Err(CliError::Unfinished {
            message: format!("{} photos were answered", watching.done),
            hint: "give the same command again to go on".to_owned(),
        })
    }
}

/// Where answers go.
enum Place {
    Printed(Printed),
    File(Box<RowWriter>, Answered),
}

impl Place {
    fn answered(&self) -> usize {
        match self {
            Self::Printed(_) => 0,
            Self::File(_, answered) => answered.count(),
        }
    }
}

struct Watching<'a> {
    folder: &'a Path,
    answering: &'a Answering<'a>,
    arrivals: Arrivals,
    /// Between looks at the whole folder.
    every: Duration,
    look: Look,
    ask: bool,
    /// Whether the folder could not be listed when it was last looked at.
    lost: bool,
    complaints: Complaints<'a>,
    done: usize,
}

impl Watching<'_> {
    fn until_stopped(&mut self, place: &mut Place) -> Result<(), CliError> {
        let mut printed_once = Answered::forgotten();
        let mut next_look = Instant::now();
        while !stopped() {
            let begun = Instant::now();
            let known = match &*place {
                Place::Printed(_) => &printed_once,
                Place::File(_, answered) => answered,
            };
            if begun >= next_look {
                self.see_all(known);
                let took = begun.elapsed();
                next_look = Instant::now() + self.every.max(took * SHARE);
            }
            let folder = self.folder;
            let complete = self
                .arrivals
                .complete(Instant::now(), |below| Version::of(&folder.join(below)));
            for files in complete.chunks(BATCH * BATCH) {
                self.answer(files, place, &mut printed_once)?;
            }
            let now = Instant::now();
            let due = self.arrivals.next().unwrap_or(next_look).min(next_look);
            let told = self
                .look
                .wait(due.saturating_duration_since(now).min(PULSE));
            if told.all {
                next_look = Instant::now();
            }
            let known = match &*place {
                Place::Printed(_) => &printed_once,
                Place::File(_, answered) => answered,
            };
            for below in told.paths {
                self.see(&below, known);
            }
        }
        Ok(())
    }

    /// Looks at the whole folder. One that cannot be listed, as a network drive that is away, is looked at
    /// again later.
    fn see_all(&mut self, known: &Answered) {
        match Walk::of(self.folder) {
            Ok(walk) => {
                if std::mem::take(&mut self.lost) {
                    self.answering
                        .console
                        .say(format!("note: {} is back", self.folder.display()));
                    self.look = Look::begin(self.folder, self.ask, self.answering.console);
                }
                for path in walk.images {
                    self.see_file(&path, known);
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.lost, true) {
                    self.answering.console.complain(&format!(
                        "error: {error}\nnote: looks again for {} from time to time",
                        self.folder.display()
                    ));
                }
            }
        }
    }

    /// Looks at a file or folder below the folder.
    fn see(&mut self, below: &Path, known: &Answered) {
        if is_junk_path(&below.to_string_lossy()) {
            return;
        }
        let path = self.folder.join(below);
        if path.is_dir() {
            // one that is gone again, or cannot be listed, is seen with the whole
            for path in Walk::of(&path).map(|walk| walk.images).unwrap_or_default() {
                self.see_file(&path, known);
            }
        } else if is_image_path(&path) {
            self.see_file(&path, known);
        }
    }

    fn see_file(&mut self, path: &Path, known: &Answered) {
        let (Some(version), Ok(below)) = (Version::of(path), path.strip_prefix(self.folder)) else {
            return;
        };
        if !known.knows(below, version) {
            self.arrivals
                .seen(below.to_owned(), version, Instant::now());
        }
    }

    /// Classifies complete files, batch by batch, until all are done or a signal came.
    fn answer(
        &mut self,
        files: &[(PathBuf, Version)],
        place: &mut Place,
        printed_once: &mut Answered,
    ) -> Result<(), CliError> {
        let (folder, answering) = (self.folder, self.answering);
        let input = |(below, _): &(PathBuf, Version)| Input::File(folder.join(below));
        let mut batches = files.chunks(BATCH);
        let complaints = &mut self.complaints;
        let mut changed = Vec::new();
        let mut done = 0;
        pipelined(
            || {
                let batch = batches.next().filter(|_| !stopped());
                let inputs = |batch: &[_]| batch.iter().map(input).collect::<Vec<_>>();
                Ok(batch.map(|batch| (batch, inputs(batch))))
            },
            |(_, inputs)| answering.decode(inputs),
            |(batch, inputs), decoded| {
                let mut noted = Vec::with_capacity(batch.len());
                for ((file, input), outcome) in
                    batch.iter().zip(&inputs).zip(answering.classify(decoded)?)
                {
                    let path = folder.join(&file.0);
                    match Version::of(&path) {
                        // it was removed before it could be read
                        None if outcome.is_err() => continue,
                        // it was not complete after all
                        Some(now) if now != file.1 => {
                            changed.push((file.0.clone(), now));
                            continue;
                        }
                        _ => {}
                    }
                    if let Err(error) = &outcome {
                        complaints.say(error);
                    }
                    let outcome = outcome.map_err(|error| error.to_string());
                    let outcome = outcome.as_deref().map_err(String::as_str);
                    match &mut *place {
                        Place::Printed(printed) => {
                            printed.put(&input.label(), outcome, answering.console)?;
                        }
                        Place::File(writer, _) => writer.push(&Row {
                            path: &input.label(),
                            labels: &[],
                            outcome,
                        })?,
                    }
                    noted.push(file.clone());
                }
                done += noted.len();
                match &mut *place {
                    Place::Printed(_) => printed_once.note(&noted, 0),
                    Place::File(writer, answered) => {
                        let end = writer.sync()?;
                        answered.note(&noted, end)
                    }
                }
            },
        )?;
        self.done += done;
        for (below, version) in changed {
            self.arrivals.seen(below, version, Instant::now());
        }
        Ok(())
    }
}

fn stopped() -> bool {
    interrupt::stop().load(Ordering::SeqCst)
}
