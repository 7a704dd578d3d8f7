//! Which instructions the kernels use: what the processor has, or less on request.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

/// Sets of instructions, each with everything that those before it have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// No instructions by name: what the compiler makes for any processor of this kind, and the
    /// `gemm` crate's own choice for products (NEON on ARM).
    Portable,
    /// AVX2 with fused multiply-add: vectors of 8 floats.
    Avx2,
    /// AVX-512 (F, BW, DQ, VL): vectors of 16 floats.
    Avx512,
    /// AVX-512 with products of bf16 pairs.
    Avx512Bf16,
    /// Tiles of bf16 (AMX).
    Amx,
}

/// The environment variable that keeps kernels at a level, by its name.
pub const ISA_VARIABLE: &str = "VLPT_KERNELS";

/// Not chosen yet.
const UNKNOWN: u8 = u8::MAX;

static CURRENT: AtomicU8 = AtomicU8::new(UNKNOWN);

impl Isa {
    const ALL: [Self; 5] = [
        Self::Portable,
        Self::Avx2,
        Self::Avx512,
        Self::Avx512Bf16,
        Self::Amx,
    ];

    /// What this processor and its operating system allow, lowest first.
    pub fn available() -> Vec<Self> {
        let best = Self::best();
        Self::ALL.into_iter().filter(|l| *l <= best).collect()
    }

    /// The level that kernels use: the best there is, or the one that [`ISA_VARIABLE`] names
    /// where the processor has it (a name that says nothing is reported by [`Isa::requested`]).
    pub fn current() -> Self {
        match CURRENT.load(Ordering::Relaxed) {
            UNKNOWN => {
                let level = Self::requested().ok().flatten().unwrap_or_else(Self::best);
                CURRENT.store(level as u8, Ordering::Relaxed);
                level
            }
            index => Self::ALL[index as usize],
        }
    }

    /// Makes kernels use a level from now on; layers keep the kernel that they were made with.
    /// For tests and benchmarks.
    ///
    /// # Panics
    /// When the processor does not have it.
    pub fn force(self) {
        assert!(self <= Self::best(), "this processor has no {self}");
        CURRENT.store(self as u8, Ordering::Relaxed);
    }

    /// The level that the environment asks for.
    ///
    /// # Errors
    /// When it is none, or more than the processor has: what to say about it.
    pub fn requested() -> Result<Option<Self>, String> {
        let Some(name) = std::env::var_os(ISA_VARIABLE).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let name = name.to_string_lossy();
        let level: Self = name
            .parse()
            .map_err(|error| format!("{ISA_VARIABLE}={name}: {error}"))?;
        if level > Self::best() {
            let names: Vec<String> = Self::available().iter().map(Self::to_string).collect();
            return Err(format!(
                "{ISA_VARIABLE}={name}: this processor has only {}",
                names.join(", ")
            ));
        }
        Ok(Some(level))
    }

    fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            let bf16 = avx512 && is_x86_feature_detected!("avx512bf16");
            #[cfg(target_os = "linux")]
            if bf16 && is_x86_feature_detected!("avx512vbmi") && amx::allowed() {
                return Self::Amx;
            }
            if bf16 {
                return Self::Avx512Bf16;
            }
            if avx512 {
                return Self::Avx512;
            }
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512-bf16",
            Self::Amx => "amx",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = |level: &Self| level.name().eq_ignore_ascii_case(name.trim());
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no such kernels; there are {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_by_the_names_they_print() {
        for level in Isa::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        let error = "sse9".parse::<Isa>().unwrap_err();
        assert!(error.contains("avx512-bf16"), "{error}");
    }

    #[test]
    fn every_machine_has_the_portable_kernels() {
        assert_eq!(Isa::available()[0], Isa::Portable);
        assert!(Isa::available().contains(&Isa::current()));
    }
}
