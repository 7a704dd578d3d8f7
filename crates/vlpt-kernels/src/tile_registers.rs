//! Products of bf16 tiles in the tile registers of AMX.

use std::arch::asm;

use crate::block::{Block, SIDE};
use crate::tile::TILE;

/// Numbers that are brought near for each tile of depth: over 13 blocks of rows a little more than
/// the 2 tiles of a block of columns, since more would push out what is near.
pub(crate) const NEAR: usize = 96;

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

/// The tiles that a product reads: `depth` tiles of 32 columns deep.
///
/// `a`: 32 rows, two rows of tiles that are `stride` numbers apart. `b`: 32 columns, for every 32
/// rows of it two tiles of 16 columns, in each of which a row holds 16 pairs of numbers, those of
/// two rows that follow each other.
#[derive(Clone, Copy)]
pub(crate) struct Factors<'a> {
    pub(crate) a: &'a [u16],
    pub(crate) stride: usize,
    pub(crate) b: &'a [u16],
    pub(crate) depth: usize,
}

impl Factors<'_> {
    /// Whether all tiles are there.
    #[inline(always)]
    fn check(&self) {
        let (depth, stride) = (self.depth, self.stride);
        assert!(depth > 0 && depth <= stride / TILE, "depth of a product");
        assert!(
            self.a.len() >= stride + depth * TILE && self.b.len() >= 2 * depth * TILE,
            "tiles"
        );
    }
}

/// Adds a product, whose tiles are loaded by the instructions `$a` and `$b`; the bytes `$line`
/// from `$near` on, and for each tile of depth the next ones, are brought near.
macro_rules! add_tiles {
    ($factors:expr, $a:literal, $b:literal, $near:expr, [$($line:literal),*]) => {
        asm!(
            "3:",
            concat!($a, " tmm4, [{a} + {row}*1]"),
            concat!($b, " tmm6, [{b} + {row}*1]"),
            $(concat!("prefetcht1 [{near} + ", $line, "]"),)*
            concat!($b, " tmm7, [{b} + {row}*1 + 1024]"),
            "tdpbf16ps tmm0, tmm4, tmm6",
            concat!($a, " tmm5, [{a2} + {row}*1]"),
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a}, 1024",
            "add {a2}, 1024",
            "add {b}, 2048",
            "add {near}, 192",
            "dec {depth}",
            "jnz 3b",
            a = inout(reg) $factors.a.as_ptr() => _,
            a2 = inout(reg) $factors.a.as_ptr().add($factors.stride) => _,
            b = inout(reg) $factors.b.as_ptr() => _,
            near = inout(reg) $near => _,
            depth = inout(reg) $factors.depth => _,
            row = in(reg) 64usize,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, readonly),
        )
    };
}

impl Sums<'_> {
    /// Adds a product.
    ///
    /// # Panics
    /// When a factor is too short, or the depth is 0.
    #[inline(always)]
    pub(crate) fn add(&mut self, factors: Factors) {
        factors.check();
        // SAFETY: the configuration is loaded while self lives; the tiles that are read are there,
        // by the check. The registers that change are named.
        unsafe {
            add_tiles!(factors, "tileloadd", "tileloadd", factors.a.as_ptr(), []);
        }
    }

    /// As [`Sums::add`], for long products. What is read of `a` stays out of the first cache, and
    /// so does `b` when it is `PASSING`. Meanwhile what `near` points to, [`NEAR`] numbers for each
    /// tile of depth, is brought near.
    #[inline(always)]
    pub(crate) fn add_long<const PASSING: bool>(&mut self, factors: Factors, near: *const u16) {
        factors.check();
        // SAFETY: as in `add`; prefetching an address is never an access.
        unsafe {
            if PASSING {
                add_tiles!(factors, "tileloaddt1", "tileloaddt1", near, [0, 64, 128]);
            } else {
                add_tiles!(factors, "tileloaddt1", "tileloadd", near, [0, 64, 128]);
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

impl Drop for TileRegisters {
    fn drop(&mut self) {
        // SAFETY: the processor has tiles, and the compiler keeps nothing in them.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
