//! What the colours and numbers of a heat map mean.

use std::fmt::Write as _;

use super::{shade, text};

/// What colours mean.
#[derive(Debug, Clone, PartialEq)]
pub enum HeatScale {
    /// Shares from 0 (nearly white) to 1 (dark blue).
    Share,
    /// Gains: orange below zero, white at zero, blue above.
    Gain {
        /// The gain with the darkest colours; larger ones look the same.
        limit: f64,
        /// The unit of the numbers, such as `%`.
        unit: String,
    },
}

/// Width of the legend.
pub(super) const LEGEND: f64 = 210.0;

impl HeatScale {
    /// A scale for these gains, the same to both sides of zero and round. A few gains that are far
    /// larger than the rest (than the 95th percentile of sizes, by half) lie beyond its end, so
    /// that they do not take the colours of all others.
    pub fn gains(gains: impl Iterator<Item = f64>, unit: &str) -> Self {
        let mut sizes: Vec<f64> = gains
            .map(f64::abs)
            .filter(|size| size.is_finite())
            .collect();
        sizes.sort_by(f64::total_cmp);
        let most = sizes.last().copied().unwrap_or(0.0);
        let usual = sizes
            .get((0.95 * sizes.len() as f64) as usize)
            .copied()
            .unwrap_or(most);
        let end = if most > 1.5 * usual && usual > 0.0 {
            usual
        } else {
            most
        };
        Self::Gain {
            limit: if end > 0.0 { round_up(end) } else { 0.01 },
            unit: unit.to_owned(),
        }
    }

    /// The colour of a value, the colour of a text on it, and the value as such a text.
    pub(super) fn show(&self, value: f64) -> (String, &'static str, String) {
        match self {
            Self::Share => {
                let (fill, ink) = shade(value);
                (fill, ink, format!("{:.0}", 100.0 * value))
            }
            Self::Gain { limit, .. } => {
                let (fill, ink) = diverging(value / limit.max(1e-9));
                (fill, ink, signed(value))
            }
        }
    }
}

/// The next round number that is not below a positive `size`.
fn round_up(size: f64) -> f64 {
    let power = 10_f64.powf(size.log10().floor());
    let mut round = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].into_iter();
    power
        * round
            .find(|&f| size <= power * f * (1.0 + 1e-9))
            .unwrap_or(10.0)
}

/// A gain in at most four characters: `+3.1`, `+12`, `-0.4`, `+2k`.
fn signed(gain: f64) -> String {
    let percent = 100.0 * gain;
    let number = match percent.abs() {
        size if size >= 999.5 => format!("{:+.0}k", percent / 1000.0),
        size if size >= 9.95 => format!("{percent:+.0}"),
        _ => format!("{percent:+.1}"),
    };
    let zero = number.trim_start_matches(['+', '-']) == "0.0";
    if zero { "0".to_owned() } else { number }
}

/// The scale of colours with its ends, and whether one of these `values` lies beyond one.
pub(super) fn legend(scale: &HeatScale, values: impl Iterator<Item = f64>) -> String {
    const STEPS: usize = 30;
    let (ends, colour): (_, Box<dyn Fn(f64) -> String>) = match scale {
        HeatScale::Share => (
            vec![(0.0, "0 %".to_owned()), (1.0, "100 %".to_owned())],
            Box::new(|t| shade(t).0),
        ),
        HeatScale::Gain { limit, unit } => {
            let (mut less, mut more) = ("", "");
            for value in values {
                if value < -limit {
                    less = " or less";
                } else if value > *limit {
                    more = " or more";
                }
            }
            let end = 100.0 * limit;
            // two digits after the point for a scale that is finer than one per cent
            let digits = if end < 1.0 {
                2
            } else {
                usize::from(end < 10.0)
            };
            (
                vec![
                    (0.0, format!("-{end:.digits$} {unit}{less}")),
                    (0.5, "0".to_owned()),
                    (1.0, format!("+{end:.digits$} {unit}{more}")),
                ],
                Box::new(|t| diverging(2.0 * t - 1.0).0),
            )
        }
    };
    let x = 66.0;
    let mut svg = String::new();
    for step in 0..STEPS {
        let t = step as f64 / (STEPS - 1) as f64;
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"48\" width=\"{:.1}\" height=\"10\" fill=\"{}\"/>",
            x + LEGEND * step as f64 / STEPS as f64,
            LEGEND / STEPS as f64 + 0.4,
            colour(t)
        );
    }
    for (t, label) in ends {
        svg += &text(x + LEGEND * t, 72.0, "middle", &label);
    }
    svg
}

/// The colour of a gain from -1 (orange) over 0 (nearly white) to 1 (blue), told apart also by the
/// colour-blind, and black or white for a text that is to be read on it.
fn diverging(t: f64) -> (String, &'static str) {
    const ZERO: [f64; 3] = [247.0, 247.0, 247.0];
    const LESS: [[f64; 3]; 2] = [[244.0, 178.0, 112.0], [168.0, 76.0, 8.0]];
    const MORE: [[f64; 3]; 2] = [[136.0, 186.0, 222.0], [20.0, 84.0, 150.0]];
    let size = t.abs().min(1.0);
    let [half, full] = if t < 0.0 { LESS } else { MORE };
    let (from, to, part) = if size < 0.5 {
        (ZERO, half, 2.0 * size)
    } else {
        (half, full, 2.0 * size - 1.0)
    };
    let rgb: [f64; 3] = std::array::from_fn(|c| (from[c] + (to[c] - from[c]) * part).round());
    let [r, g, b] = rgb.map(|c| c as u8);
    let ink = if luminance(rgb) < 0.179 {
        "#ffffff"
    } else {
        "#000000"
    };
    (format!("#{r:02x}{g:02x}{b:02x}"), ink)
}

/// Relative luminance after WCAG 2: 0 is black, 1 is white. Above 0.179 black has more contrast.
fn luminance(rgb: [f64; 3]) -> f64 {
    let [r, g, b] = rgb.map(|c| {
        let c = c / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_diverge_around_zero_and_stay_readable() {
        let channel = |colour: &str, c: usize| {
            i32::from_str_radix(&colour[1 + 2 * c..3 + 2 * c], 16).unwrap()
        };
        for step in -20..=20 {
            let (fill, ink) = diverging(f64::from(step) / 20.0);
            let warmth = channel(&fill, 0) - channel(&fill, 2);
            assert_eq!(warmth.signum(), -i32::signum(step), "{step}: {fill}");
            let ground = luminance([0, 1, 2].map(|c| f64::from(channel(&fill, c))));
            let paper = if ink == "#ffffff" { 1.0 } else { 0.0 };
            let contrast = (ground.max(paper) + 0.05) / (ground.min(paper) + 0.05);
            assert!(contrast >= 4.5, "{step}: {fill} under {ink}: {contrast}");
        }
        assert_eq!(diverging(7.0), diverging(1.0));
    }

    #[test]
    fn one_wild_gain_does_not_take_the_colours_of_the_others() {
        let limit = |gains: &[f64]| match HeatScale::gains(gains.iter().copied(), "%") {
            HeatScale::Gain { limit, .. } => limit,
            HeatScale::Share => unreachable!("a scale of gains"),
        };
        let mut gains: Vec<f64> = (0..40).map(|i| 0.004 * f64::from(i - 20)).collect();
        assert!((limit(&gains) - 0.08).abs() < 1e-9);
        gains.push(-6.0);
        assert!((limit(&gains) - 0.08).abs() < 1e-9);
        assert_eq!(limit(&[]), 0.01);
        assert_eq!(limit(&[0.0, f64::NAN]), 0.01);
    }

    #[test]
    fn the_legend_says_at_which_end_gains_lie_beyond_it() {
        let scale = HeatScale::gains([0.05].into_iter(), "%");
        let svg = legend(&scale, [0.05, -0.05].into_iter());
        assert!(
            svg.contains(">-5.0 %<") && svg.contains(">+5.0 %<"),
            "{svg}"
        );
        let svg = legend(&scale, [0.05, -0.06, f64::NAN].into_iter());
        assert!(
            svg.contains(">-5.0 % or less<") && svg.contains(">+5.0 %<"),
            "{svg}"
        );
    }

    #[test]
    fn numbers_are_short_and_signed() {
        let shown = [
            0.031, 0.1249, -0.004, 0.0, -0.0001, 0.0996, -16.0, 9.993, 9.996,
        ]
        .map(signed);
        let expected = ["+3.1", "+12", "-0.4", "0", "0", "+10", "-2k", "+999", "+1k"];
        assert_eq!(shown, expected);
    }
}
