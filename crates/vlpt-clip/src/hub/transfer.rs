//! One file from the hub, taken up where it broke.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::checksum::{Checksum, Hasher};
use super::net::{Client, Failure};
use crate::progress::Progress;

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;
/// An attempt that brings so many bytes before its connection breaks does not count as failed.
const WORTH: u64 = 1 << 20;
/// The same of one that stalls, which costs more time.
const WORTH_A_WAIT: u64 = 16 << 20;

/// What is to be fetched.
pub(super) struct Wanted<'a> {
    pub(super) url: &'a str,
    /// Bytes of the file.
    pub(super) size: u64,
    /// The hash of its bytes, where the hub says it.
    pub(super) checksum: Option<&'a Checksum>,
}

/// Brings the file at `partial` to its full length and checks it. What is there already is kept if
/// it can be the file's beginning; what proves wrong is thrown away.
///
/// # Errors
/// When the hub fails for good or too often, or sends something else than it says.
pub(super) fn transfer(
    client: &Client,
    wanted: &Wanted,
    partial: &Path,
    told: &mut Told,
) -> Result<(), Failure> {
    let mut part = Part::open(partial, wanted)?;
    // of an earlier run, or of another program
    let mut inherited = part.len > 0;
    let (mut failed, mut furthest) = (0, part.len);
    loop {
        told.reach(part.len);
        let began = part.len;
        let outcome = match part.len {
            len if len == wanted.size => Ok(()),
            _ => piece(client, wanted, &mut part, told),
        };
        let outcome = outcome.and_then(|()| match part.len {
            len if len == wanted.size => Ok(()),
            _ => Err(Failure::Lost("the answer ended early".to_owned())),
        });
        match outcome {
            Ok(()) => match part.wrong(wanted) {
                None => return Ok(part.file.sync_all()?),
                Some(what) => {
                    part.clear()?;
                    if !std::mem::take(&mut inherited) {
                        return Err(Failure::Answer(what));
                    }
                }
            },
            Err(failure) if failure.passing() => {
                let worth = match failure {
                    Failure::Silent(_) => WORTH_A_WAIT,
                    _ => WORTH,
                };
                // bytes that have come before do not count, or it might never end
                if part.len.saturating_sub(furthest) >= worth {
                    failed = 0;
                }
                furthest = furthest.max(part.len);
                failed += 1;
                client.pause(failed, failure)?;
            }
            Err(failure) => {
                if matches!(failure, Failure::Answer(_)) && part.len != began {
                    part.clear()?;
                }
                return Err(failure);
            }
        }
    }
}

/// One request for the rest of the file.
fn piece(
    client: &Client,
    wanted: &Wanted,
    part: &mut Part,
    told: &mut Told,
) -> Result<(), Failure> {
    let range = (part.len > 0).then(|| format!("bytes={}-", part.len));
    let answer = match client.get(wanted.url, range.as_deref(), |_| false) {
        // nothing lies behind what is here, so it is not the file's beginning
        Err(Failure::Status(416, _)) if part.len > 0 => {
            part.clear()?;
            return Err(Failure::Lost(
                "the hub has no such part of the file".to_owned(),
            ));
        }
        answer => answer?,
    };
    let range = answer.header("content-range");
    let start = match range.as_deref().and_then(content_range) {
        _ if !answer.is_part() => 0,
        Some((start, total)) if total.is_none_or(|total| total == wanted.size) => start,
        None if range.is_none() && part.len == 0 => 0,
        _ => {
            let what = format!(
                "the hub sends the part {:?}, expected one of {} bytes",
                range.unwrap_or_default(),
                wanted.size
            );
            return Err(Failure::Answer(what));
        }
    };
    if start == 0 {
        part.clear()?;
    } else if start != part.len {
        // whoever answers so can perhaps send the whole
        let what = format!(
            "the hub sends bytes from {start}, asked for from {}",
            part.len
        );
        part.clear()?;
        return Err(Failure::Lost(what));
    }
    let rest = wanted.size - part.len;
    let announced = answer
        .header("content-length")
        .and_then(|text| text.parse().ok());
    if announced.is_some_and(|n: u64| n > rest || (n < rest && !answer.is_part())) {
        let what = format!(
            "the hub announces {} bytes, expected {rest}",
            announced.unwrap_or_default()
        );
        return Err(Failure::Answer(what));
    }
    let mut body = answer.body(rest, &client.waits);
    let mut buffer = vec![0; CHUNK];
    loop {
        match body.read(&mut buffer)? {
            0 => return Ok(()),
            count => part.append(&buffer[..count])?,
        }
        told.reach(part.len);
    }
}

/// First byte and length of `bytes FIRST-LAST/LENGTH`; a length of `*` is none.
pub(super) fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (first, _) = range.split_once('-')?;
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((first.trim().parse().ok()?, total))
}

/// The file as far as it has come, and the hash of that.
struct Part {
    file: fs_err::File,
    len: u64,
    blank: Option<Hasher>,
    hash: Option<Hasher>,
}

impl Part {
    fn open(path: &Path, wanted: &Wanted) -> Result<Self, Failure> {
        let file = fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let blank = wanted.checksum.map(|sum| sum.begin(wanted.size));
        let mut part = Self {
            file,
            len: 0,
            hash: blank.clone(),
            blank,
        };
        if part.file.metadata()?.len() > wanted.size {
            part.clear()?;
        }
        let mut buffer = vec![0; CHUNK];
        loop {
            match part.file.read(&mut buffer)? {
                0 => return Ok(part),
                count => part.count(&buffer[..count]),
            }
        }
    }

    fn count(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes)?;
        self.count(bytes);
        Ok(())
    }

    /// Begins anew.
    fn clear(&mut self) -> Result<(), Failure> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.len = 0;
        self.hash.clone_from(&self.blank);
        Ok(())
    }

    /// How the whole file differs from what the hub says of it.
    fn wrong(&mut self, wanted: &Wanted) -> Option<String> {
        wanted.checksum?.differs(self.hash.take()?)
    }
}

/// Tells each byte of a file once, however often it comes.
pub(super) struct Told<'a> {
    progress: &'a dyn Progress,
    done: u64,
}

impl<'a> Told<'a> {
    /// Begins to tell of a file.
    pub(super) fn start(progress: &'a dyn Progress, file: &str, size: u64) -> Self {
        progress.start(file, size);
        Self { progress, done: 0 }
    }

    fn reach(&mut self, place: u64) {
        if place > self.done {
            self.progress.advance(place - self.done);
            self.done = place;
        }
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.progress.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 0-0/*"), Some((0, None)));
        for wrong in ["", "bytes 0-9", "bytes 0-9/-5", "bytes */10", "0-9/10"] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
        assert_eq!(content_range("bytes 0-9/18446744073709551616"), None);
    }
}
