//! Images that come one after the other, as batches.

use std::sync::mpsc::{Receiver, sync_channel};

use vlpt_adapter::BATCH;

use crate::error::CliError;
use crate::options::Input;

/// Encoded bytes that a batch holds at most, where images come with their bytes and one image is not
/// more by itself.
const BATCH_BYTES: usize = 64 << 20;

/// Images that come one after the other, as batches of those that are there.
pub(crate) struct Batches {
    from: Receiver<Result<Input, CliError>>,
    /// What came after images that have not been given on yet.
    failed: Option<CliError>,
}

impl Batches {
    /// Takes images from `stream` on a thread of its own, a batch ahead.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn of(
        stream: Box<dyn Iterator<Item = Result<Input, CliError>> + Send>,
    ) -> Result<Self, CliError> {
        let (to, from) = sync_channel(BATCH / 2);
        std::thread::Builder::new()
            .name("standard input".to_owned())
            .spawn(move || {
                for input in stream {
                    let last = input.is_err();
                    if to.send(input).is_err() || last {
                        break;
                    }
                }
            })?;
        Ok(Self { from, failed: None })
    }

    /// The next images: waits for one and takes those that are there with it.
    ///
    /// # Errors
    /// What the stream ended with.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Input>>, CliError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let Ok(first) = self.from.recv() else {
            return Ok(None);
        };
        let mut batch = vec![first?];
        let mut bytes = batch[0].held();
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            match self.from.try_recv() {
                Ok(Ok(input)) => {
                    bytes += input.held();
                    batch.push(input);
                }
                Ok(Err(failed)) => {
                    self.failed = Some(failed);
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(Some(batch))
    }
}
