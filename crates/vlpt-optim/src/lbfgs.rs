//! L-BFGS: minimising a smooth function of many variables from its values and gradients (Liu and
//! Nocedal, "On the limited memory BFGS method for large scale optimization", 1989), with a line
//! search for the strong Wolfe conditions (Nocedal and Wright, "Numerical optimization", 2006,
//! algorithms 3.5, 3.6 and 7.5).

use std::collections::VecDeque;

/// Pairs of steps and gradient changes that are kept.
const MEMORY: usize = 10;
/// A step must bring this share of the decrease that the slope promises.
const DECREASE: f64 = 1e-4;
/// The slope at its end must be below this share of the slope at its beginning.
const CURVATURE: f64 = 0.9;
/// Values that one line search may ask for.
const TRIALS: usize = 30;
/// A relative decrease below this is rounding.
const ROUNDING: f64 = 2.0 * f64::EPSILON;

/// Where a minimisation ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// The variables.
    pub x: Vec<f64>,
    /// The function's value there.
    pub value: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Whether the gradient fell below the tolerance, or no lower value could be told apart.
    pub converged: bool,
}

/// A point that was looked at.
#[derive(Debug, Clone)]
struct Point {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A step along a direction, with value and slope there.
#[derive(Debug, Clone)]
struct Trial {
    step: f64,
    slope: f64,
    point: Point,
}

/// Minimises `function`, which gives value and gradient, from `start`, until the largest value of
/// the gradient is at most `tolerance` or `max_iterations` steps are taken.
pub fn minimise(
    function: impl Fn(&[f64]) -> (f64, Vec<f64>),
    start: Vec<f64>,
    tolerance: f64,
    max_iterations: usize,
) -> Minimum {
    let at = |x: Vec<f64>| {
        let (value, gradient) = function(&x);
        Point { x, value, gradient }
    };
    let mut here = at(start);
    let mut history = History::default();
    let mut iterations = 0;
    let mut converged = false;
    while iterations < max_iterations {
        let steepest = here
            .gradient
            .iter()
            .fold(0.0, |top: f64, g| top.max(g.abs()));
        if steepest <= tolerance {
            converged = true;
            break;
        }
        let mut direction = history.direction(&here.gradient);
        if dot(&direction, &here.gradient) >= 0.0 {
            history = History::default();
            direction = here.gradient.iter().map(|g| -g).collect();
        }
        let first = if history.pairs.is_empty() {
            (1.0 / dot(&here.gradient, &here.gradient).sqrt()).min(1.0)
        } else {
            1.0
        };
        let Some(next) = line_search(&at, &here, &direction, first) else {
            // Where the direction was a bad one, the steepest is tried; else nothing lower is left.
            if history.pairs.is_empty() {
                converged = true;
                break;
            }
            history = History::default();
            continue;
        };
        iterations += 1;
        let gained = here.value - next.value;
        history.push(&here, &next);
        let size = here.value.abs().max(next.value.abs()).max(1.0);
        here = next;
        if gained <= ROUNDING * size {
            converged = true;
            break;
        }
    }
    Minimum {
        x: here.x,
        value: here.value,
        iterations,
        converged,
    }
}

/// The last steps and the changes of the gradient over them.
#[derive(Debug, Default)]
struct History {
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
}

impl History {
    fn push(&mut self, from: &Point, to: &Point) {
        let change = |a: &[f64], b: &[f64]| b.iter().zip(a).map(|(b, a)| b - a).collect();
        let step: Vec<f64> = change(&from.x, &to.x);
        let turn: Vec<f64> = change(&from.gradient, &to.gradient);
        if dot(&step, &turn) > f64::EPSILON * dot(&turn, &turn) {
            self.pairs.push_back((step, turn));
            if self.pairs.len() > MEMORY {
                self.pairs.pop_front();
            }
        }
    }

    /// Minus the approximate inverse Hessian times the gradient, by the two loops.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for (step, turn) in self.pairs.iter().rev() {
            let share = dot(step, &q) / dot(step, turn);
            q.iter_mut().zip(turn).for_each(|(q, y)| *q -= share * y);
            shares.push(share);
        }
        if let Some((step, turn)) = self.pairs.back() {
            let scale = dot(step, turn) / dot(turn, turn);
            for q in &mut q {
                *q *= scale;
            }
        }
        for ((step, turn), share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let back = dot(turn, &q) / dot(step, turn);
            let by = share - back;
            q.iter_mut().zip(step).for_each(|(q, s)| *q += by * s);
        }
        q
    }
}

/// A point along `direction` that fulfils the strong Wolfe conditions, or at least the first of
/// them when the trials are used up; none when no step brings the value down.
fn line_search(
    at: &impl Fn(Vec<f64>) -> Point,
    here: &Point,
    direction: &[f64],
    first: f64,
) -> Option<Point> {
    let slope = dot(direction, &here.gradient);
    let look = |step: f64| {
        let moved = here.x.iter().zip(direction);
        let point = at(moved.map(|(x, d)| x + step * d).collect());
        let slope = dot(direction, &point.gradient);
        Trial { step, slope, point }
    };
    let low_enough = |trial: &Trial| {
        trial.point.value.is_finite()
            && trial.point.value <= here.value + DECREASE * trial.step * slope
    };
    let flat_enough = |trial: &Trial| trial.slope.abs() <= -CURVATURE * slope;

    // The step grows until a good one lies between `low` and `high`.
    let mut low = Trial {
        step: 0.0,
        slope,
        point: here.clone(),
    };
    let mut trials = 0;
    let mut step = first;
    let mut high = loop {
        if trials == TRIALS {
            return (low.step > 0.0).then_some(low.point);
        }
        trials += 1;
        let trial = look(step);
        if !low_enough(&trial) || (low.step > 0.0 && trial.point.value >= low.point.value) {
            break trial;
        }
        if flat_enough(&trial) {
            return Some(trial.point);
        }
        if trial.slope >= 0.0 {
            break std::mem::replace(&mut low, trial);
        }
        low = trial;
        step *= 2.0;
    };
    // `low` has the lowest value so far that fulfils the first condition; the ends close in.
    while trials < TRIALS {
        trials += 1;
        let step = between(&low, &high);
        if step == low.step || step == high.step {
            break;
        }
        let trial = look(step);
        if !low_enough(&trial) || trial.point.value >= low.point.value {
            high = trial;
            continue;
        }
        if flat_enough(&trial) {
            return Some(trial.point);
        }
        if trial.slope * (high.step - low.step) >= 0.0 {
            high = low;
        }
        low = trial;
    }
    (low.step > 0.0).then_some(low.point)
}

/// The minimum of the cubic through both ends, kept away from them; the middle where there is none.
fn between(low: &Trial, high: &Trial) -> f64 {
    let width = high.step - low.step;
    let middle = low.step + 0.5 * width;
    let rise = 3.0 * (low.point.value - high.point.value) / width + low.slope + high.slope;
    let root = (rise * rise - low.slope * high.slope).sqrt() * width.signum();
    let cubic =
        high.step - width * (high.slope + root - rise) / (high.slope - low.slope + 2.0 * root);
    let margin = 0.1 * width.abs();
    let (left, right) = (low.step.min(high.step), low.step.max(high.step));
    if cubic.is_finite() && cubic >= left + margin && cubic <= right - margin {
        cubic
    } else {
        middle
    }
}

/// Sums side by side in [`dot`]; a constant.
const LANES: usize = 8;

/// The sum of products of two vectors, as eight sums side by side and what is left over.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_product_takes_every_term() {
        for n in [0, 1, 7, 8, 9, 24, 31] {
            let a: Vec<f64> = (0..n).map(|i| (i * 7 % 11) as f64 - 5.0).collect();
            let b = vec![3.0; n];
            assert_eq!(dot(&a, &b), 3.0 * a.iter().sum::<f64>(), "{n}");
        }
    }

    #[test]
    fn the_minimum_of_a_stretched_bowl_is_found() {
        let scales: Vec<f64> = (0..50).map(|i| 10_f64.powf(f64::from(i) / 12.0)).collect();
        let bowl = |x: &[f64]| {
            let away = x.iter().zip(&scales).map(|(x, s)| (x - 1.0, s));
            let value = away.clone().map(|(x, s)| 0.5 * s * x * x).sum();
            (value, away.map(|(x, s)| s * x).collect())
        };
        let found = minimise(bowl, vec![0.0; 50], 1e-8, 1000);
        assert!(found.converged, "{} iterations", found.iterations);
        assert!(found.x.iter().all(|x| (x - 1.0).abs() < 1e-6));
    }

    #[test]
    fn a_curved_valley_is_followed_to_its_end() {
        // Rosenbrock's function.
        let valley = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            let gradient = vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b];
            (a * a + 100.0 * b * b, gradient)
        };
        let found = minimise(valley, vec![-1.2, 1.0], 1e-9, 200);
        assert!(found.converged && found.iterations < 100, "{found:?}");
        assert!((found.x[0] - 1.0).abs() < 1e-7 && (found.x[1] - 1.0).abs() < 1e-7);
    }

    #[test]
    fn a_limit_of_steps_is_kept_and_told() {
        let bowl = |x: &[f64]| (x[0].powi(4), vec![4.0 * x[0].powi(3)]);
        let found = minimise(bowl, vec![100.0], 1e-12, 3);
        assert_eq!((found.iterations, found.converged), (3, false));
        let done = minimise(bowl, vec![0.0], 1e-12, 3);
        assert_eq!((done.iterations, done.converged), (0, true));
    }

    #[test]
    fn values_that_are_no_numbers_shorten_the_step() {
        // -ln(1 - x) - ln(x), not defined outside of (0, 1).
        let barrier = |x: &[f64]| {
            let x = x[0];
            if x <= 0.0 || x >= 1.0 {
                return (f64::INFINITY, vec![f64::NAN]);
            }
            let value = -(1.0 - x).ln() - x.ln();
            (value, vec![1.0 / (1.0 - x) - 1.0 / x])
        };
        let found = minimise(barrier, vec![0.001], 1e-9, 100);
        assert!((found.x[0] - 0.5).abs() < 1e-8, "{found:?}");
    }
}
