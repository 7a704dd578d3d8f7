//! Random inputs and finite differences.

#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod attention;
pub(crate) mod poison;

/// Random numbers, the same on every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1)
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From `low` to `high`, both included.
    pub(crate) fn int(&mut self, low: usize, high: usize) -> usize {
        low + (self.bits() >> 33) as usize % (high - low + 1)
    }

    /// About normal, variance 1.
    pub(crate) fn normal(&mut self) -> f32 {
        let sum: f64 = (0..12)
            .map(|_| (self.bits() >> 11) as f64 / (1u64 << 53) as f64)
            .sum();
        (sum - 6.0) as f32
    }

    pub(crate) fn vector(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.normal()).collect()
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| *a as f64 * *b as f64).sum()
}

/// Checks that `d_x` is the gradient of `<weight, f(x)>` at `x`, along random directions.
pub(crate) fn check_gradient(
    what: &str,
    random: &mut Random,
    x: &[f32],
    weight: &[f32],
    f: impl Fn(&[f32]) -> Vec<f32>,
    d_x: &[f32],
) {
    assert_eq!(x.len(), d_x.len(), "{what}: shape of the gradient");
    let size = dot(d_x, d_x).sqrt().max(1e-3);
    for _ in 0..4 {
        let direction = random.vector(x.len());
        let step = 4e-3;
        let at = |sign: f32| {
            let moved: Vec<f32> = x
                .iter()
                .zip(&direction)
                .map(|(x, d)| x + sign * step * d)
                .collect();
            dot(weight, &f(&moved))
        };
        let numeric = (at(1.0) - at(-1.0)) / (2.0 * step as f64);
        let exact = dot(d_x, &direction);
        let tolerance = 4e-3 * size * (1.0 + (x.len() as f64).ln_1p());
        assert!(
            (numeric - exact).abs() <= tolerance,
            "{what}: {exact}, but numerically {numeric}"
        );
    }
}

/// Runs `work` in a pool of its own.
pub(crate) fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool of threads")
        .install(work)
}

/// Runs `work` with 1, 2, 4 and 8 threads and checks that the results are the same bits.
pub(crate) fn same_bits_for_any_threads(what: &str, work: impl Fn() -> Vec<f32> + Sync) {
    let run = |threads: usize| {
        let values = with_threads(threads, &work);
        values.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
    };
    let one = run(1);
    for threads in [2, 4, 8] {
        assert!(
            run(threads) == one,
            "{what}: {threads} threads give other bits than one"
        );
    }
}

/// Size of the difference over the size of what is wanted.
pub(crate) fn relative_error(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len(), "length of a result");
    let size = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let difference = &mut got
        .iter()
        .zip(want)
        .map(|(a, b)| f64::from(*a) - f64::from(*b));
    size(difference) / size(&mut want.iter().map(|x| f64::from(*x))).max(1e-30)
}

pub(crate) fn assert_close(what: &str, got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (*got as f64 - want).abs();
        assert!(
            error <= tolerance * (1.0 + want.abs()),
            "{what}[{i}]: {got}, not {want}"
        );
    }
}
