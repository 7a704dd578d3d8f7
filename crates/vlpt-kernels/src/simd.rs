//! Loops compiled for the widest vectors of the processor, chosen at run time.

/// Defines a function that is compiled for the baseline processor and, on x86-64, once more for
/// AVX2 with fused multiply-add and once for AVX-512; which one runs is the current [`Isa`]'s.
///
/// What the body calls must be `#[inline(always)]` (closures in its arguments are inlined with it):
/// what is not inlined is compiled for the baseline alone.
///
/// [`Isa`]: crate::Isa
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
                match $crate::Isa::current() {
                    $crate::Isa::Portable => portable($($arg),*),
                    // SAFETY: the processor has what its level says.
                    $crate::Isa::Avx2 => unsafe { vectors_of_8($($arg),*) },
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
