//! Round numbers for axes.

/// A linear scale from numbers to places, with round ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
}

/// The smallest and the largest of the finite values; 0 and 1 where there are none.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
    }
    if low > high { (0.0, 1.0) } else { (low, high) }
}

impl Axis {
    /// A scale that holds all finite `values`, from zero where they are near it; 0 to 1 where there
    /// are none. About `ticks` ticks.
    pub(super) fn around(values: impl Iterator<Item = f64>, ticks: usize) -> Self {
        let (mut low, high) = span(values);
        if low > 0.0 && low < 0.6 * high {
            low = 0.0;
        }
        Self::between(low, high, ticks)
    }

    /// As [`Axis::around`], but no further down than the values are.
    pub(super) fn close_to(values: impl Iterator<Item = f64>, ticks: usize) -> Self {
        let (low, high) = span(values);
        Self::between(low, high, ticks)
    }

    /// A scale between two values, with round ends.
    fn between(mut low: f64, mut high: f64, ticks: usize) -> Self {
        if high - low < 1e-12 * high.abs().max(1.0) {
            (low, high) = (low - 0.5, high + 0.5);
        }
        let step = round_step((high - low) / ticks.max(1) as f64);
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
        }
    }

    /// Ticks from low to high.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        (0..=count)
            .map(|i| self.low + i as f64 * self.step)
            .collect()
    }

    /// The place of a value between the places of the two ends.
    pub(super) fn place(&self, value: f64, from: f64, to: f64) -> f64 {
        from + (to - from) * (value - self.low) / (self.high - self.low)
    }

    /// A tick in as many decimals as its step needs.
    pub(super) fn label(&self, value: f64) -> String {
        let decimals = if self.step >= 1.0 {
            0
        } else {
            (-self.step.log10()).ceil() as usize
        };
        // no negative zero
        format!("{:.decimals$}", value + 0.0)
    }
}

/// The nearest of 1, 2, 5 times a power of ten that is not below `rough`.
fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let factor = rough / power;
    let round = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|&f| factor <= f + 1e-9)
        .unwrap_or(10.0);
    round * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_the_values() {
        let axis = Axis::around([0.31, 2.07].into_iter(), 5);
        assert_eq!((axis.low, axis.high, axis.step), (0.0, 2.5, 0.5));
        let labels: Vec<_> = axis.ticks().iter().map(|&t| axis.label(t)).collect();
        assert_eq!(labels, ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]);
    }

    #[test]
    fn one_value_and_no_value_still_give_a_scale() {
        for values in [vec![], vec![3.0], vec![0.0], vec![f64::NAN]] {
            let axis = Axis::around(values.clone().into_iter(), 5);
            assert!(
                axis.high > axis.low && axis.step > 0.0,
                "{values:?}: {axis:?}"
            );
        }
    }
}
