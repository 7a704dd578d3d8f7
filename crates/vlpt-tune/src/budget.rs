//! How much time there is, and whether something fits into what is left.

use std::time::Duration;

use crate::clock::Clock;

/// Time that may be spent, of a clock that runs already.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    clock: &'a dyn Clock,
    whole: Duration,
}

impl<'a> Budget<'a> {
    /// So much time, counted from the clock's start.
    pub fn new(clock: &'a dyn Clock, whole: Duration) -> Self {
        Self { clock, whole }
    }

    /// What was given.
    pub fn whole(&self) -> Duration {
        self.whole
    }

    /// What is spent.
    pub fn spent(&self) -> Duration {
        self.clock.elapsed()
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.whole.saturating_sub(self.spent())
    }

    /// What is left when `reserve` is kept for later.
    pub fn left_but(&self, reserve: Duration) -> Duration {
        self.left().saturating_sub(reserve)
    }
}

/// A time as people say it, such as `4.2 s` or `12 min`.
pub fn spoken(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stopped(f64);

    impl Clock for Stopped {
        fn elapsed(&self) -> Duration {
            Duration::from_secs_f64(self.0)
        }
    }

    #[test]
    fn what_is_kept_for_later_cannot_be_spent() {
        let minute = Duration::from_mins(1);
        let at = |seconds| Stopped(seconds);
        let (early, late) = (at(20.0), at(70.0));
        let budget = Budget::new(&early, minute);
        assert_eq!(budget.left().as_secs(), 40);
        assert_eq!(budget.left_but(Duration::from_secs(15)).as_secs(), 25);
        assert_eq!(Budget::new(&late, minute).left(), Duration::ZERO);
    }

    #[test]
    fn times_are_said_in_the_unit_that_fits() {
        let said = |seconds| spoken(Duration::from_secs_f64(seconds));
        assert_eq!(
            [said(4.21), said(42.4), said(720.0), said(9000.0)],
            ["4.2 s", "42 s", "12 min", "2.5 h"]
        );
    }
}
