//! Loops compiled for the widest vectors of the processor, chosen at run time.

/// Number of partial sums of a reduction: several vectors, so that an addition need not wait for the
/// one before. It is fixed, so that a sum is the same on every machine that has fused multiply-add.
const LANES: usize = 64;

/// Defines a function that is compiled for the baseline processor and, on x86-64, once more for
/// AVX2 with fused multiply-add and once for AVX-512; which one runs is the current [`Level`]'s.
///
/// What the body calls must be `#[inline(always)]` (closures in its arguments are inlined with it):
/// what is not inlined is compiled for the baseline alone.
///
/// [`Level`]: crate::Level
macro_rules! vectorised {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $type),*) {
            #[inline(always)]
            fn portable($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn vectors_of_8($($arg: $type),*) {
                    portable($($arg),*);
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn vectors_of_16($($arg: $type),*) {
                    portable($($arg),*);
                }
                match $crate::Level::current() {
                    $crate::Level::Portable => portable($($arg),*),
                    // SAFETY: the processor has what its level says.
                    $crate::Level::Avx2 => unsafe { vectors_of_8($($arg),*) },
                    // SAFETY: every level above has these instructions too.
                    _ => unsafe { vectors_of_16($($arg),*) },
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            portable($($arg),*);
        }
    };
}

pub(crate) use vectorised;

/// Sum of `term(0..n)` in a fixed order.
#[inline(always)]
pub(crate) fn sum(n: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = n / LANES * LANES;
    let mut start = 0;
    while start < whole {
        for (j, lane) in lanes.iter_mut().enumerate() {
            *lane += term(start + j);
        }
        start += LANES;
    }
    fold(&lanes) + tail(whole, n, term)
}

#[inline(always)]
fn tail(from: usize, to: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut rest = 0.0;
    for i in from..to {
        rest += term(i);
    }
    rest
}

#[inline(always)]
fn fold(lanes: &[f32; LANES]) -> f32 {
    let mut half = *lanes;
    let mut width = LANES / 2;
    while width > 0 {
        for j in 0..width {
            half[j] += half[j + width];
        }
        width /= 2;
    }
    half[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_hold_for_every_length() {
        for n in 0..200 {
            let a: Vec<f32> = (0..n).map(|i| (i % 7) as f32 - 3.0).collect();
            let want: f32 = a.iter().map(|a| 2.0 * a).sum();
            assert_eq!(sum(n, |i| 2.0 * a[i]), want, "sum of {n}");
        }
    }
}
