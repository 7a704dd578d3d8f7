//! The normal distribution.

/// The value that a standard normal variable stays below with probability `probability` (strictly
/// between 0 and 1); NaN outside. By the rational approximations of Wichura, "Algorithm AS 241: the
/// percentage points of the normal distribution", Applied Statistics 37 (1988), routine PPND16, good
/// to about 16 digits.
pub fn normal_quantile(probability: f64) -> f64 {
    const CENTRE: [[f64; 8]; 2] = [
        [
            3.387_132_872_796_366_5,
            133.141_667_891_784_38,
            1_971.590_950_306_551_3,
            13_731.693_765_509_46,
            45_921.953_931_549_87,
            67_265.770_927_008_7,
            33_430.575_583_588_13,
            2_509.080_928_730_122_7,
        ],
        [
            1.0,
            42.313_330_701_600_91,
            687.187_007_492_057_9,
            5_394.196_021_424_751,
            21_213.794_301_586_597,
            39_307.895_800_092_71,
            28_729.085_735_721_943,
            5_226.495_278_852_545,
        ],
    ];
    const TAIL: [[f64; 8]; 2] = [
        [
            1.423_437_110_749_683_5,
            4.630_337_846_156_546,
            5.769_497_221_460_691,
            3.647_848_324_763_204_5,
            1.270_458_252_452_368_4,
            0.241_780_725_177_450_6,
            0.022_723_844_989_269_184,
            7.745_450_142_783_414e-4,
        ],
        [
            1.0,
            2.053_191_626_637_759,
            1.676_384_830_183_803_8,
            0.689_767_334_985_1,
            0.148_103_976_427_480_08,
            0.015_198_666_563_616_457,
            5.475_938_084_995_345e-4,
            1.050_750_071_644_416_9e-9,
        ],
    ];
    const FAR: [[f64; 8]; 2] = [
        [
            6.657_904_643_501_103,
            5.463_784_911_164_114,
            1.784_826_539_917_291_3,
            0.296_560_571_828_504_87,
            0.026_532_189_526_576_124,
            1.242_660_947_388_078_4e-3,
            2.711_555_568_743_487_6e-5,
            2.010_334_399_292_288_1e-7,
        ],
        [
            1.0,
            0.599_832_206_555_888,
            0.136_929_880_922_735_8,
            0.014_875_361_290_850_615,
            7.868_691_311_456_133e-4,
            1.846_318_317_510_054_8e-5,
            1.421_511_758_316_446e-7,
            2.044_263_103_389_939_8e-15,
        ],
    ];
    if !(probability > 0.0 && probability < 1.0) {
        return f64::NAN;
    }
    let off = probability - 0.5;
    if off.abs() <= 0.425 {
        return off * ratio(&CENTRE, 0.180_625 - off * off);
    }
    let tail = probability.min(1.0 - probability);
    let r = (-tail.ln()).sqrt();
    let value = if r <= 5.0 {
        ratio(&TAIL, r - 1.6)
    } else {
        ratio(&FAR, r - 5.0)
    };
    value.copysign(off)
}

/// One polynomial over another, coefficients from the constant up.
fn ratio([above, below]: &[[f64; 8]; 2], x: f64) -> f64 {
    let at = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    at(above) / at(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy's `scipy.stats.norm.ppf`.
    const SCIPY: [(f64, f64); 16] = [
        (1e-300, -37.0470962993612),
        (1e-20, -9.262340089798409),
        (1e-09, -5.9978070150076865),
        (0.001, -3.090232306167813),
        (0.025, -1.9599639845400545),
        (0.05, -1.6448536269514729),
        (0.074, -1.4466320671589785),
        (0.0751, -1.4388253927525403),
        (0.3, -0.5244005127080409),
        (0.5, 0.0),
        (0.6, 0.2533471031357997),
        (0.925, 1.4395314709384563),
        (0.95, 1.6448536269514722),
        (0.975, 1.959963984540054),
        (0.995, 2.5758293035489004),
        (0.9995, 3.2905267314919255),
    ];

    #[test]
    fn quantiles_are_scipys() {
        for (probability, expected) in SCIPY {
            let found = normal_quantile(probability);
            assert!(
                (found - expected).abs() <= 4e-15 * expected.abs().max(1.0),
                "{probability}: {found} {expected}"
            );
        }
    }

    #[test]
    fn what_is_no_probability_has_no_quantile() {
        for probability in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(normal_quantile(probability).is_nan());
        }
    }
}
