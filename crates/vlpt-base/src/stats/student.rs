//! Student's t distribution.

/// The value that a variable of Student's t distribution stays below with probability
/// `probability` (strictly between 0 and 1), for `freedom` degrees of freedom (above 0); NaN
/// outside of these.
pub fn student_t_quantile(probability: f64, freedom: f64) -> f64 {
    let sensible = probability > 0.0 && probability < 1.0 && freedom > 0.0;
    if !sensible || !freedom.is_finite() {
        return f64::NAN;
    }
    let tail = probability.min(1.0 - probability);
    // t^2 = freedom (1 - x) / x with I_x(freedom / 2, 1 / 2) = 2 tail.
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if incomplete_beta(middle, freedom / 2.0, 0.5) < 2.0 * tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    let x = 0.5 * (low + high);
    let t = (freedom * (1.0 - x) / x).max(0.0).sqrt();
    if probability < 0.5 { -t } else { t }
}

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and
/// Stegun, 26.5.8), evaluated from the front after Lentz.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let log_front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The fraction converges fast on this side only; the other side is its mirror image.
    if x < (a + 1.0) / (a + b + 2.0) {
        log_front.exp() * fraction(x, a, b) / a
    } else {
        1.0 - log_front.exp() * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = result;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            result *= c * d;
        }
        if (result - before).abs() <= f64::EPSILON * result.abs() {
            break;
        }
    }
    result
}

/// Logarithm of the gamma function for x > 0: Stirling's series where x is large, reached by
/// `gamma(x + 1) = x gamma(x)`.
fn log_gamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < 12.0 {
        below += x.ln();
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series =
        (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_degree_of_freedom_is_the_cauchy_distribution() {
        for p in [0.01_f64, 0.3, 0.5, 0.9, 0.975] {
            let cauchy = (std::f64::consts::PI * (p - 0.5)).tan();
            let found = student_t_quantile(p, 1.0);
            assert!(
                (found - cauchy).abs() < 1e-9 * cauchy.abs().max(1.0),
                "{found} {cauchy}"
            );
        }
    }

    #[test]
    fn what_is_no_probability_has_no_quantile() {
        assert!(student_t_quantile(1.0, 3.0).is_nan());
        assert!(student_t_quantile(0.5, 0.0).is_nan());
    }
}
