//! Classes for images, one image after another: printed, or written to a file of rows.

mod complaints;
mod kept;
mod printed;

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use vlpt_adapter::{
    AdapterError, BATCH, DecodedImages, Predictor, Row, RowLabels, RowOptions, RowWriter, pipelined,
};

use crate::console::{Bar, Console, Unit};
use crate::error::CliError;
use crate::options::{Images, Input, RowArgs};
use crate::pipeline::Batches;
pub(crate) use complaints::Complaints;
use kept::KeptAnswers;
pub(crate) use printed::Printed;

/// Work of less time than this has no rate worth telling.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// What is to be answered by, and where to.
pub(crate) struct Answering<'a> {
    pub(crate) predictor: &'a Predictor,
    /// What the classifier is made of: rows of an interrupted command are gone on with only where it is
    /// equal.
    pub(crate) classifier: &'a str,
    pub(crate) rows: &'a RowArgs,
    /// A file of rows; none: standard output.
    pub(crate) out: Option<&'a Path>,
    pub(crate) console: &'a Console,
}

#[derive(Debug, Serialize)]
struct Written<'a> {
    file: &'a Path,
    images: usize,
    /// Images that could not be classified; they have a row all the same.
    failed: usize,
}

/// How many images were done, and how many of them have no answer.
#[derive(Debug, Default, Clone, Copy)]
struct Done {
    images: usize,
    failed: usize,
    /// Of the images those that an interrupted command had done.
    before: usize,
}

impl Answering<'_> {
    /// Classifies each image; a bad one is reported and the others go on. No more than a few images and
    /// their answers are held at a time.
    ///
    /// # Errors
    /// Some images have no answer, or something other than an image is at fault.
    pub(crate) fn answer(&self, images: Images) -> Result<(), CliError> {
        let options = self.row_options()?;
        let begun = Instant::now();
        let done = match (images, self.out) {
            (Images::Listed(inputs), None) => self.print_listed(&inputs, options)?,
            (Images::Listed(inputs), Some(out)) => self.keep(&inputs, out, options)?,
            (Images::Streamed(stream), None) => self.print_streamed(stream, options)?,
            (Images::Streamed(stream), Some(out)) => self.write_streamed(stream, out, options)?,
        };
        self.tell(done, begun)?;
        match done {
            Done { failed: 0, .. } => Ok(()),
            Done { images, failed, .. } => {
                let what = format!("{failed} of {images} images could not be classified");
                Err(if failed == images {
                    CliError::failure(what)
                } else {
                    CliError::Partly(what)
                })
            }
        }
    }

    /// What rows have in common.
    pub(crate) fn row_options(&self) -> Result<RowOptions, CliError> {
        self.rows
            .options(self.predictor.classes(), RowLabels::Unknown)
    }

    fn print_listed(&self, inputs: &[Input], options: RowOptions) -> Result<Done, CliError> {
        let bar = self.bar(inputs.len());
        let mut batches = inputs.chunks(BATCH);
        let mut printed = Printed::new(options);
        let put =
            |image: &str, outcome: Result<&[f32], &str>| printed.put(image, outcome, self.console);
        let done = self.each(|| Ok(batches.next()), &bar, put)?;
        bar.end();
        printed.end(self.console)?;
        Ok(done)
    }

    fn print_streamed(&self, stream: Stream, options: RowOptions) -> Result<Done, CliError> {
        let mut batches = Batches::of(stream)?;
        let mut printed = Printed::new(options);
        let bar = self.bar(0);
        let put =
            |image: &str, outcome: Result<&[f32], &str>| printed.put(image, outcome, self.console);
        let done = self.each(|| batches.next(), &bar, put);
        bar.end();
        // what was answered is a whole list, whatever came then
        printed.end(self.console)?;
        done
    }

    fn write_streamed(
        &self,
        stream: Stream,
        out: &Path,
        options: RowOptions,
    ) -> Result<Done, CliError> {
        let mut batches = Batches::of(stream)?;
        let mut writer = RowWriter::create(out, options)?;
        let bar = self.bar(0);
        let put = |path: &str, outcome: Result<&[f32], &str>| {
            let labels = &[];
            Ok(writer.push(&Row {
                path,
                labels,
                outcome,
            })?)
        };
        let done = self.each(|| batches.next(), &bar, put)?;
        bar.end();
        writer.finish()?;
        Ok(done)
    }

    fn keep(&self, inputs: &[Input], out: &Path, options: RowOptions) -> Result<Done, CliError> {
        let mut kept =
            KeptAnswers::open(out, inputs, self.predictor, self.classifier, self.console)?;
        let there = kept.count().min(inputs.len());
        let bar = self.bar(inputs.len());
        bar.advance_by(there as u64);
        let mut batches = inputs[there..].chunks(BATCH);
        let put = |_: &str, outcome: Result<&[f32], &str>| kept.push(outcome);
        let all = self.each(|| Ok(batches.next()), &bar, put);
        bar.end();
        if let Err(error) = all {
            kept.drop_if_empty();
            return Err(error);
        }
        let done = Done {
            images: inputs.len(),
            failed: kept.failed(),
            before: there,
        };
        kept.finish(out, inputs, options)?;
        Ok(done)
    }

    /// Classifies batch after batch and gives on each image's name and probabilities, or why it has none.
    fn each<B: AsRef<[Input]> + Send>(
        &self,
        next: impl FnMut() -> Result<Option<B>, CliError> + Send,
        bar: &Bar,
        mut put: impl FnMut(&str, Result<&[f32], &str>) -> Result<(), CliError> + Send,
    ) -> Result<Done, CliError> {
        let mut done = Done::default();
        let mut complaints = Complaints::new(self.console);
        pipelined(
            next,
            |batch: &B| self.decode(batch.as_ref()),
            |batch, decoded| {
                let inputs = batch.as_ref();
                for (input, outcome) in inputs.iter().zip(self.classify(decoded)?) {
                    if let Err(error) = &outcome {
                        done.failed += 1;
                        if self.out.is_some() || !self.console.is_json() {
                            complaints.say(error);
                        }
                    }
                    let outcome = outcome.map_err(|error| error.to_string());
                    put(&input.label(), outcome.as_deref().map_err(String::as_str))?;
                }
                done.images += inputs.len();
                bar.advance_by(inputs.len() as u64);
                Ok(())
            },
        )?;
        Ok(done)
    }

    /// Reads and decodes images.
    pub(crate) fn decode(&self, inputs: &[Input]) -> DecodedImages {
        DecodedImages::of(self.predictor.preprocess(), inputs, Input::named_bytes)
    }

    /// Probabilities of each image, or why there are none.
    pub(crate) fn classify(
        &self,
        images: DecodedImages,
    ) -> Result<Vec<Result<Vec<f32>, AdapterError>>, CliError> {
        Ok(self.predictor.classify(images)?)
    }

    /// A bar for so many images, 0 where it is not known how many come.
    fn bar(&self, images: usize) -> Bar {
        let bar = self.console.bar(Unit::Items);
        // Lines and a bar on one terminal would spoil each other.
        if self.out.is_some() || !std::io::stdout().is_terminal() {
            bar.begin("classifying", images as u64);
        }
        bar
    }

    fn tell(&self, done: Done, begun: Instant) -> Result<(), CliError> {
        let took = begun.elapsed();
        if took > WORTH_TELLING {
            let (images, seconds) = (done.images - done.before, took.as_secs_f64());
            self.console.say(format!(
                "{images} images in {seconds:.0} s, {:.0} a minute",
                60.0 * images as f64 / seconds
            ));
        }
        let Some(file) = self.out else { return Ok(()) };
        let written = Written {
            file,
            images: done.images,
            failed: done.failed,
        };
        let text = || format!("wrote {}: {} images", file.display(), done.images);
        self.console.result(&written, text)
    }
}

/// Images that come one after the other.
type Stream = Box<dyn Iterator<Item = Result<Input, CliError>> + Send>;
