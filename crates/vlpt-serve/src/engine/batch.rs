//! Which of those in line go together.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;

use super::{Batching, Waiting};

/// Between two looks at an empty line.
const LOOK: Duration = Duration::from_micros(200);

/// The first and those in line behind it, at most as many as a batch has; while it is not full, those
/// that come before the first has waited its time.
pub(super) fn collect(
    first: Waiting,
    batching: Batching,
    line: &mut Receiver<Waiting>,
) -> Vec<Waiting> {
    let until = first.since + batching.wait;
    let mut taken = vec![first];
    while taken.len() < batching.most {
        match line.try_recv() {
            Ok(next) => taken.push(next),
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                std::thread::sleep(left.min(LOOK));
            }
        }
    }
    taken
}
