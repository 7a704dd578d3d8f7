//! Products of bf16 tiles in the tile registers of AMX.

use std::arch::asm;

use crate::block::{Block, SIDE};
use crate::tile::TILE;

/// Numbers that are prefetched for each tile of depth: over 13 blocks of rows a little more than
/// the 2 tiles of a block of columns, since more would push out what is cached.
pub(crate) const PREFETCHED: usize = 96;

/// Bytes of a row of a block.
const ROW: usize = SIDE * size_of::<f32>();

/// Tile registers that are set up for tiles of 16 rows of 64 bytes, on one thread.
pub(crate) struct TileRegisters {
    /// Registers belong to a thread.
    thread: std::marker::PhantomData<*mut ()>,
}

/// What LDTILECFG reads.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

static CONFIGURATION: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    bytes_per_row: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Instructions with the registers of sums, and with those of factors: `$second` tells which half has
/// the sums.
macro_rules! in_half {
    ($second:expr, $instructions:ident!($($given:tt)*)) => {
        if $second {
            $instructions!(["4", "5", "6", "7"], ["0", "1", "2", "3"], $($given)*)
        } else {
            $instructions!(["0", "1", "2", "3"], ["4", "5", "6", "7"], $($given)*)
        }
    };
}

/// Assembly that changes any of the tile registers.
macro_rules! tile_asm {
    ($($given:tt)*) => {
        asm!(
            $($given)*
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
        )
    };
}

/// Sets sums to 0.
macro_rules! zero {
    ([$s0:literal, $s1:literal, $s2:literal, $s3:literal], $factors:tt,) => {
        tile_asm!(
            concat!("tilezero tmm", $s0),
            concat!("tilezero tmm", $s1),
            concat!("tilezero tmm", $s2),
            concat!("tilezero tmm", $s3),
            options(nostack, nomem, preserves_flags),
        )
    };
}

/// Loads sums from a block.
macro_rules! load {
    ([$s0:literal, $s1:literal, $s2:literal, $s3:literal], $factors:tt, $block:expr) => {
        tile_asm!(
            concat!("tileloadd tmm", $s0, ", [{c} + {row}*1]"),
            concat!("tileloadd tmm", $s1, ", [{c} + {row}*1 + 64]"),
            concat!("tileloadd tmm", $s2, ", [{c} + {row}*1 + 2048]"),
            concat!("tileloadd tmm", $s3, ", [{c} + {row}*1 + 2112]"),
            c = in(reg) $block,
            row = in(reg) ROW,
            options(nostack, readonly, preserves_flags),
        )
    };
}

/// Writes sums to a block.
macro_rules! store {
    ([$s0:literal, $s1:literal, $s2:literal, $s3:literal], $factors:tt, $block:expr) => {
        asm!(
            concat!("tilestored [{c} + {row}*1], tmm", $s0),
            concat!("tilestored [{c} + {row}*1 + 64], tmm", $s1),
            concat!("tilestored [{c} + {row}*1 + 2048], tmm", $s2),
            concat!("tilestored [{c} + {row}*1 + 2112], tmm", $s3),
            c = in(reg) $block,
            row = in(reg) ROW,
            options(nostack, preserves_flags),
        )
    };
}

/// Adds a product, whose tiles are loaded by the instructions `$a` and `$b`; the bytes `$line`
/// from `$ahead` on, and for each tile of depth the next ones, are prefetched.
macro_rules! add {
    (
        [$s0:literal, $s1:literal, $s2:literal, $s3:literal],
        [$a0:literal, $a1:literal, $b0:literal, $b1:literal],
        $given:expr, $a:literal, $b:literal, $ahead:expr, [$($line:literal),*]
    ) => {
        tile_asm!(
            "3:",
            concat!($a, " tmm", $a0, ", [{a} + {row}*1]"),
            concat!($b, " tmm", $b0, ", [{b} + {row}*1]"),
            $(concat!("prefetcht1 [{ahead} + ", $line, "]"),)*
            concat!($b, " tmm", $b1, ", [{b} + {row}*1 + 1024]"),
            concat!("tdpbf16ps tmm", $s0, ", tmm", $a0, ", tmm", $b0),
            concat!($a, " tmm", $a1, ", [{a2} + {row}*1]"),
            concat!("tdpbf16ps tmm", $s1, ", tmm", $a0, ", tmm", $b1),
            concat!("tdpbf16ps tmm", $s2, ", tmm", $a1, ", tmm", $b0),
            concat!("tdpbf16ps tmm", $s3, ", tmm", $a1, ", tmm", $b1),
            "add {a}, 1024",
            "add {a2}, 1024",
            "add {b}, 2048",
            "add {ahead}, 192",
            "dec {depth}",
            "jnz 3b",
            a = inout(reg) $given.a => _,
            a2 = inout(reg) $given.a.add($given.stride) => _,
            b = inout(reg) $given.b => _,
            ahead = inout(reg) $ahead => _,
            depth = inout(reg) $given.depth => _,
            row = in(reg) 64usize,
            options(nostack, readonly),
        )
    };
}

impl TileRegisters {
    /// Sets the registers up; they are free again when the value is dropped.
    ///
    /// # Safety
    /// The level of the processor is [`Isa::Amx`](crate::Isa::Amx), and this thread has no
    /// other value of this type.
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: the processor has the instruction by the caller's promise; it reads 64 bytes.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const CONFIGURATION, options(nostack, readonly));
        }
        Self {
            thread: std::marker::PhantomData,
        }
    }

    /// Starts the sums of a block, at 0.
    #[inline(always)]
    pub(crate) fn sums(&mut self) -> TileAccumulators<'_> {
        // SAFETY: the configuration is loaded while self lives.
        unsafe { in_half!(false, zero!()) };
        TileAccumulators {
            second: false,
            registers: std::marker::PhantomData,
        }
    }
}

/// Sums of a block in one half of the eight tile registers; what is multiplied goes through the other
/// half. They stay there from one block of assembly to the next: the compiler knows nothing of tile
/// registers, and the registers are borrowed meanwhile.
pub(crate) struct TileAccumulators<'a> {
    /// Whether they are in registers 4 to 7, or in 0 to 3.
    second: bool,
    registers: std::marker::PhantomData<&'a mut TileRegisters>,
}

/// The tiles that a product reads: `depth` tiles of 32 columns deep.
///
/// `a`: 32 rows, two rows of tiles that are `stride` numbers apart (0: twice the same). `b`: 32
/// columns, for every 32 rows of it two tiles of 16 columns, in each of which a row holds 16 pairs of
/// numbers, those of two rows that follow each other.
#[derive(Clone, Copy)]
pub(crate) struct TileOperands<'a> {
    a: *const u16,
    stride: usize,
    b: *const u16,
    depth: usize,
    life: std::marker::PhantomData<&'a [u16]>,
}

impl<'a> TileOperands<'a> {
    /// # Panics
    /// When a factor is too short.
    #[inline(always)]
    pub(crate) fn new(a: &'a [u16], stride: usize, b: &'a [u16], depth: usize) -> Self {
        assert!(stride == 0 || depth <= stride / TILE, "depth of a product");
        assert!(
            a.len() >= stride + depth * TILE && b.len() >= 2 * depth * TILE,
            "tiles"
        );
        Self {
            a: a.as_ptr(),
            stride,
            b: b.as_ptr(),
            depth,
            life: std::marker::PhantomData,
        }
    }

    /// The first `depth` tiles of depth, which are no longer in these then.
    ///
    /// # Panics
    /// When there are not so many.
    #[inline(always)]
    pub(crate) fn take(&mut self, depth: usize) -> Self {
        assert!(depth <= self.depth, "depth of a part");
        let part = Self { depth, ..*self };
        self.depth -= depth;
        self.a = self.a.wrapping_add(depth * TILE);
        self.b = self.b.wrapping_add(2 * depth * TILE);
        part
    }
}

impl TileAccumulators<'_> {
    /// Adds a product. What is read of `b` stays out of the first cache when it is `PASSING`.
    ///
    /// # Panics
    /// When the depth is 0.
    #[inline(always)]
    pub(crate) fn add<const PASSING: bool>(&mut self, factors: TileOperands) {
        assert!(factors.depth > 0, "depth of a product");
        let ahead = factors.a;
        // SAFETY: the configuration is loaded while self lives; the tiles that are read are there,
        // or there would be no factors. The registers that change are named.
        unsafe {
            if PASSING {
                in_half!(
                    self.second,
                    add!(factors, "tileloadd", "tileloaddt1", ahead, [])
                );
            } else {
                in_half!(
                    self.second,
                    add!(factors, "tileloadd", "tileloadd", ahead, [])
                );
            }
        }
    }

    /// As [`TileAccumulators::add`], for long products. What is read of `a` stays out of the first cache, and
    /// so does `b` when it is `PASSING`. Meanwhile what `ahead` points to, [`PREFETCHED`] numbers for each
    /// tile of depth, is prefetched.
    #[inline(always)]
    pub(crate) fn add_long<const PASSING: bool>(
        &mut self,
        factors: TileOperands,
        ahead: *const u16,
    ) {
        assert!(factors.depth > 0, "depth of a product");
        // SAFETY: as in `add`; prefetching an address is never an access.
        unsafe {
            if PASSING {
                in_half!(
                    self.second,
                    add!(factors, "tileloaddt1", "tileloaddt1", ahead, [0, 64, 128])
                );
            } else {
                in_half!(
                    self.second,
                    add!(factors, "tileloaddt1", "tileloadd", ahead, [0, 64, 128])
                );
            }
        }
    }

    /// Starts the sums of another block in the other half, at 0 or at what is given, and writes these
    /// after that: what is started need not wait for what is written.
    #[inline(always)]
    pub(crate) fn turn(&mut self, from: Option<&Block>, to: &mut Block) {
        // SAFETY: the configuration is loaded while self lives; a block has the 32 rows of 128
        // bytes that are read and written.
        unsafe {
            match from {
                None => in_half!(!self.second, zero!()),
                Some(block) => in_half!(!self.second, load!(block.0.as_ptr())),
            }
        }
        self.write(to);
        self.second = !self.second;
    }

    /// Writes the sums.
    #[inline(always)]
    pub(crate) fn store(self, to: &mut Block) {
        self.write(to);
    }

    #[inline(always)]
    fn write(&self, to: &mut Block) {
        // SAFETY: as in `turn`.
        unsafe { in_half!(self.second, store!(to.0.as_mut_ptr())) };
    }
}

impl Drop for TileRegisters {
    fn drop(&mut self) {
        // SAFETY: the processor has tiles, and the compiler keeps nothing in them.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
