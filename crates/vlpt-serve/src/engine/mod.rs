//! The one thread that owns the tower's time: it takes the images that wait, together, and answers
//! each.

mod batch;
mod pass;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use vlpt_clip::Clip;

use crate::error::RequestError;
use crate::metrics::Metrics;
use crate::prompts::Prompt;

/// An image for some prompts that make images ready alike.
pub(crate) struct Job {
    /// The tensor of the image, 3 x side x side.
    pub(crate) pixels: Vec<f32>,
    /// The prompts to ask, at least one.
    pub(crate) prompts: Vec<Arc<Prompt>>,
    /// Whether the map of attention is asked for.
    pub(crate) attention: bool,
}

/// What an image was answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// For each prompt of the job a logit for each of its classes.
    pub(crate) logits: Vec<Vec<f32>>,
    /// For each prompt of the job, where it was asked for, what the class token looks at in the last
    /// block: a share for each patch, row by row, the mean over the heads.
    pub(crate) attention: Vec<Vec<f32>>,
}

type Reply = Result<Answer, RequestError>;

/// A job in line.
struct Waiting {
    job: Job,
    since: Instant,
    reply: oneshot::Sender<Reply>,
}

/// The line to the tower.
#[derive(Clone)]
pub(crate) struct Engine {
    line: mpsc::Sender<Waiting>,
}

/// How images are taken together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batching {
    /// The most images of a batch.
    pub(crate) most: usize,
    /// How long the first image of a batch waits for others.
    pub(crate) wait: Duration,
}

impl Engine {
    /// Starts the thread. It ends when the last clone of the engine is gone and all that waited is
    /// answered.
    ///
    /// # Errors
    /// A thread that the system does not give.
    pub(crate) fn start(
        clip: Arc<Clip>,
        batching: Batching,
        metrics: Metrics,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        // permits bound the requests; a request has a handful of images
        let (line, waiting) = mpsc::channel(4 * batching.most.max(1));
        let thread = std::thread::Builder::new()
            .name("tower".to_owned())
            .spawn(move || work(&clip, batching, &metrics, waiting))?;
        Ok((Self { line }, thread))
    }

    /// Waits for the answer to a job.
    ///
    /// # Errors
    /// A classifier that refuses the image, or a server that ends.
    pub(crate) async fn ask(&self, job: Job) -> Reply {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            job,
            since: Instant::now(),
            reply,
        };
        if self.line.send(waiting).await.is_err() {
            return Err(RequestError::Ending);
        }
        answer.await.unwrap_or(Err(RequestError::Ending))
    }
}

fn work(clip: &Clip, batching: Batching, metrics: &Metrics, mut line: mpsc::Receiver<Waiting>) {
    while let Some(first) = line.blocking_recv() {
        let mut taken = batch::collect(first, batching, &mut line);
        // who went away in the meantime needs no answer
        taken.retain(|waiting| !waiting.reply.is_closed());
        if taken.is_empty() {
            continue;
        }
        let start = Instant::now();
        for waiting in &taken {
            metrics.waited(start.duration_since(waiting.since));
        }
        let (jobs, replies): (Vec<Job>, Vec<_>) = taken
            .into_iter()
            .map(|waiting| (waiting.job, waiting.reply))
            .unzip();
        // a batch begins inside the pool, so that none of its passes has to wake it up; between two
        // batches the pool is everybody's, be it of one thread
        let answers = rayon::scope(|_| each(&jobs, &|jobs| pass::answer(clip, jobs, metrics)));
        metrics.batch(jobs.len(), start.elapsed());
        for (reply, answer) in replies.into_iter().zip(answers) {
            // the one who asked may have gone
            let _ = reply.send(answer);
        }
    }
}

/// The answers to jobs. A job that panics, by a fault of the program that its prompt brings to light, gets an error,
/// and those beside it are answered as if it had not been there: the thread goes on.
fn each(jobs: &[Job], answer: &dyn Fn(&[Job]) -> Vec<Reply>) -> Vec<Reply> {
    let answers = catch_unwind(AssertUnwindSafe(|| answer(jobs)));
    match (answers, jobs) {
        (Ok(answers), _) => answers,
        (Err(_), [_]) => vec![Err(RequestError::Own(
            "a fault of the program: standard error has more".to_owned(),
        ))],
        (Err(_), _) => jobs.chunks(1).flat_map(|one| each(one, answer)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_panics_takes_no_other_with_it() {
        let job = |pixel: f32| Job {
            pixels: vec![pixel],
            prompts: Vec::new(),
            attention: false,
        };
        let jobs = [1.0, 2.0, 3.0].map(job);
        let answer = |jobs: &[Job]| {
            assert!(
                jobs.iter().all(|job| job.pixels[0] != 2.0),
                "as a fault would"
            );
            let logits = |job: &Job| Answer {
                logits: vec![job.pixels.clone()],
                attention: Vec::new(),
            };
            jobs.iter().map(|job| Ok(logits(job))).collect()
        };
        let answers = each(&jobs, &answer);
        assert_eq!(answers.len(), 3);
        for (answer, pixel) in [(&answers[0], 1.0), (&answers[2], 3.0)] {
            assert_eq!(answer.as_ref().unwrap().logits, [[pixel]]);
        }
        assert!(matches!(answers[1], Err(RequestError::Own(_))));
    }
}
