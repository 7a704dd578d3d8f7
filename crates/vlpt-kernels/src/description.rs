//! The kernels by name, for people to read.

use std::fmt;

use crate::{Isa, Precision};

/// Which kernels are in use, in a few words each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The set of instructions that all are chosen by.
    pub level: Isa,
    /// The highest level that the processor has.
    pub best: Isa,
    /// Products of frozen layers in f32.
    pub f32_products: &'static str,
    /// Products of frozen layers in bf16.
    pub bf16_products: &'static str,
    /// Attention and its gradient.
    pub attention: &'static str,
    /// Layer norm, softmax, activations and sums.
    pub rows: &'static str,
    /// What is fastest: see [`Precision::fastest`].
    pub fastest: Precision,
}

/// The kernels that this processor gets at the current level.
pub fn description() -> Description {
    let level = Isa::current();
    let rows = match level {
        Isa::Portable => "compiled for any processor of this kind",
        Isa::Avx2 => "AVX2",
        Isa::Avx512 => "AVX2 and AVX-512",
        _ => "AVX-512",
    };
    Description {
        level,
        best: Isa::available().last().copied().unwrap_or(Isa::Portable),
        f32_products: match level {
            Isa::Portable => "the gemm crate",
            Isa::Avx2 => "AVX2 with packed weights",
            _ => "AVX-512 with packed weights",
        },
        bf16_products: match level {
            Isa::Portable | Isa::Avx2 | Isa::Avx512 => "widened to f32, slower than f32",
            Isa::Avx512Bf16 => "AVX-512 bf16",
            Isa::Amx => "AMX tiles",
        },
        attention: match level {
            Isa::Amx => "AMX tiles in bf16, the gemm crate in f32",
            _ => "the gemm crate",
        },
        rows,
        fastest: Precision::fastest(),
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            level,
            f32_products,
            bf16_products,
            attention,
            rows,
            ..
        } = self;
        write!(
            f,
            "level {level}; f32 products: {f32_products}; bf16 products: {bf16_products}; \
             attention: {attention}; rows: {rows}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_that_of_the_level_in_use() {
        let found = description();
        assert_eq!(found.level, Isa::current());
        assert!(found.best >= found.level);
        let tiles = found.level == Isa::Amx;
        assert_eq!(found.fastest == Precision::Bf16, tiles);
    }
}
