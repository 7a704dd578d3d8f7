//! What time it is: the machine's clock, or in tests one that goes as it is told.

use std::time::{Duration, Instant};

/// Tells how long the work has gone on.
pub trait Clock: Sync {
    /// Time since it was started.
    fn elapsed(&self) -> Duration;
}

/// A clock that stands still, for what may take as long as it needs.
pub(crate) struct Still;

impl Clock for Still {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct WallClock(Instant);

impl WallClock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for WallClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
