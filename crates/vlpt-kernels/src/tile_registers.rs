//! Products of bf16 tiles in the tile registers of AMX.

use std::arch::asm;

use crate::block::{Block, SIDE};
use crate::matrix::TILE;

/// Numbers that are brought near for each tile of depth.
pub(crate) const NEAR: usize = 128;

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

impl TileRegisters {
    /// Sets the registers up; they are free again when the value is dropped.
    ///
    /// # Safety
    /// The level of the processor is [`Level::Amx`](crate::Level::Amx), and this thread has no
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

    /// Starts the sums of a block, at 0 or at what is given.
    #[inline(always)]
    pub(crate) fn sums(&mut self, from: Option<&Block>) -> Sums<'_> {
        // SAFETY: the configuration is loaded while self lives; a block has the 32 rows of 128
        // bytes that are read.
        unsafe {
            match from {
                None => asm!(
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    options(nostack, nomem, preserves_flags),
                ),
                Some(block) => asm!(
                    "tileloadd tmm0, [{c} + {row}*1]",
                    "tileloadd tmm1, [{c} + {row}*1 + 64]",
                    "tileloadd tmm2, [{c} + {row}*1 + 2048]",
                    "tileloadd tmm3, [{c} + {row}*1 + 2112]",
                    c = in(reg) block.0.as_ptr(),
                    row = in(reg) ROW,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    options(nostack, readonly, preserves_flags),
                ),
            }
        }
        Sums(std::marker::PhantomData)
    }
}

/// Sums of a block in tile registers 0 to 3. They stay there from one block of assembly to the next:
/// the compiler knows nothing of tile registers, and the registers are borrowed meanwhile.
pub(crate) struct Sums<'a>(std::marker::PhantomData<&'a mut TileRegisters>);

/// Loads a tile of the left-hand side with `$load_a`, those of the right-hand side with `$load_b`.
macro_rules! add_tiles {
    ($load_a:literal, $load_b:literal, ($($near:literal),*), $a:expr, $stride:expr, $b:expr, $depth:expr, $p:expr) => {
        asm!(
            "3:",
            concat!($load_a, " tmm4, [{a} + {line}*1]"),
            concat!($load_b, " tmm6, [{b} + {line}*1]"),
            $(concat!("prefetcht1 [{p} + ", $near, "]"),)*
            concat!($load_b, " tmm7, [{b} + {line}*1 + 1024]"),
            "tdpbf16ps tmm0, tmm4, tmm6",
            concat!($load_a, " tmm5, [{a2} + {line}*1]"),
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a}, 1024",
            "add {a2}, 1024",
            "add {b}, 2048",
            "add {p}, 256",
            "dec {depth}",
            "jnz 3b",
            a = inout(reg) $a.as_ptr() => _,
            a2 = inout(reg) $a.as_ptr().add($stride) => _,
            b = inout(reg) $b.as_ptr() => _,
            p = inout(reg) $p => _,
            depth = inout(reg) $depth => _,
            line = in(reg) 64usize,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, readonly),
        )
    };
}

impl Sums<'_> {
    /// Adds `a b`, `depth` tiles of 32 columns deep.
    ///
    /// `a`: 32 rows, two rows of tiles that are `stride` numbers apart. `b`: 32 columns, for every
    /// 32 rows of it two tiles of 16 columns, in each of which a row holds 16 pairs of numbers,
    /// those of two rows that follow each other.
    ///
    /// # Panics
    /// When `a` or `b` is too short, or the depth is 0.
    #[inline(always)]
    pub(crate) fn add(&mut self, a: &[u16], stride: usize, b: &[u16], depth: usize) {
        check(a, stride, b, depth);
        // SAFETY: the configuration is loaded while self lives; `a` and `b` hold the tiles that
        // are read, by the check. The registers that change are named.
        unsafe {
            add_tiles!(
                "tileloadd",
                "tileloadd",
                (),
                a,
                stride,
                b,
                depth,
                a.as_ptr()
            )
        };
    }

    /// As [`Sums::add`] for weights. What is read of `a` stays out of the first cache, and so does
    /// `b` when it is `PASSING`. Meanwhile what `near` points to, [`NEAR`] numbers for each tile of
    /// depth, is brought near.
    #[inline(always)]
    pub(crate) fn add_weighed<const PASSING: bool>(
        &mut self,
        a: &[u16],
        stride: usize,
        b: &[u16],
        depth: usize,
        near: *const u16,
    ) {
        check(a, stride, b, depth);
        // SAFETY: as in `add`; prefetching an address is never an access.
        unsafe {
            if PASSING {
                add_tiles!(
                    "tileloaddt1",
                    "tileloaddt1",
                    (0, 64, 128, 192),
                    a,
                    stride,
                    b,
                    depth,
                    near
                );
            } else {
                add_tiles!(
                    "tileloaddt1",
                    "tileloadd",
                    (0, 64, 128, 192),
                    a,
                    stride,
                    b,
                    depth,
                    near
                );
            }
        }
    }

    /// Writes the sums.
    #[inline(always)]
    pub(crate) fn store(self, to: &mut Block) {
        // SAFETY: the configuration is loaded while self lives; a block has the 32 rows of 128
        // bytes that are written.
        unsafe {
            asm!(
                "tilestored [{c} + {row}*1], tmm0",
                "tilestored [{c} + {row}*1 + 64], tmm1",
                "tilestored [{c} + {row}*1 + 2048], tmm2",
                "tilestored [{c} + {row}*1 + 2112], tmm3",
                c = in(reg) to.0.as_mut_ptr(),
                row = in(reg) ROW,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// Whether all tiles of a product are there.
#[inline(always)]
fn check(a: &[u16], stride: usize, b: &[u16], depth: usize) {
    assert!(depth > 0 && depth <= stride / TILE, "depth of a product");
    assert!(
        a.len() >= stride + depth * TILE && b.len() >= 2 * depth * TILE,
        "tiles"
    );
}

impl Drop for TileRegisters {
    fn drop(&mut self) {
        // SAFETY: the processor has tiles, and the compiler keeps nothing in them.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
