//! Bytes of an answer, bounded in number and in time.

use std::io::Read;
use std::time::{Duration, Instant};

use ureq::BodyReader;

use super::failure::Failure;

/// Bytes that must come in each second, on average over the time that is waited.
const SLOWEST: f64 = 1024.0;

/// A body that may be no longer than announced and may not trickle.
pub(in crate::hub) struct Metered {
    body: BodyReader<'static>,
    left: u64,
    wait: Duration,
    since: Instant,
    came: u64,
}

impl Metered {
    /// At most `most` bytes; never less in `wait` than 1 KiB for each second of it.
    pub(super) fn new(body: BodyReader<'static>, most: u64, wait: Duration) -> Self {
        Self {
            body,
            left: most,
            wait,
            since: Instant::now(),
            came: 0,
        }
    }

    /// The next bytes; 0 at the end of the body.
    ///
    /// # Errors
    /// When the connection breaks or is too slow, or the body is longer than it may be.
    pub(in crate::hub) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let count = match self.body.read(buffer) {
            Ok(count) => count,
            Err(error) => return Err(Failure::of_connection(&error)),
        };
        if count as u64 > self.left {
            return Err(Failure::Answer(
                "the answer is longer than announced".to_owned(),
            ));
        }
        self.left -= count as u64;
        self.came += count as u64;
        let least = (SLOWEST * self.wait.as_secs_f64()).max(1.0);
        let passed = self.since.elapsed();
        if count == 0 || self.left == 0 || self.came as f64 >= least {
            (self.since, self.came) = (Instant::now(), 0);
        } else if passed >= self.wait {
            let (came, seconds) = (self.came, passed.as_secs_f64());
            let what = format!("only {came} bytes came in {seconds:.0} seconds");
            return Err(Failure::Silent(what));
        }
        Ok(count)
    }

    /// All of a small body.
    ///
    /// # Errors
    /// As [`Metered::read`].
    pub(in crate::hub) fn all(mut self) -> Result<Vec<u8>, Failure> {
        let (mut all, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            match self.read(&mut buffer)? {
                0 => return Ok(all),
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
    }
}
