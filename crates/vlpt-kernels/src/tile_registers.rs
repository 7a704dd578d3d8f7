//! Products of bf16 tiles in the tile registers of AMX.

use std::arch::asm;

use crate::block::{Block, SIDE};
use crate::matrix::TILE;

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

    /// `c = a b`, or `c += a b`: `depth` tiles of 32 columns deep.
    ///
    /// `a`: 32 rows, two rows of tiles that are `stride` numbers apart. `b`: 32 columns, for every
    /// 32 rows of it two tiles of 16 columns, in each of which a row holds 16 pairs of numbers,
    /// those of two rows that follow each other. Meanwhile `prefetch`, 256 bytes for each tile of
    /// depth, is brought near.
    ///
    /// # Panics
    /// When `a` or `b` is too short, or the depth is 0.
    #[inline(always)]
    pub(crate) fn multiply(
        &self,
        a: &[u16],
        stride: usize,
        b: &[u16],
        depth: usize,
        add: bool,
        c: &mut Block,
        prefetch: *const u16,
    ) {
        const ROW: usize = SIDE * size_of::<f32>();
        assert!(depth > 0 && depth <= stride / TILE, "depth of a product");
        assert!(
            a.len() >= stride + depth * TILE && b.len() >= 2 * depth * TILE,
            "tiles"
        );
        // SAFETY: the configuration is loaded while self lives; `a` and `b` hold the tiles that
        // are read by the assertions, `c` the 32 rows of 128 bytes that are read and written;
        // prefetching an address is never an access. The registers that change are named.
        unsafe {
            asm!(
                "test {add:e}, {add:e}",
                "jz 2f",
                "tileloadd tmm0, [{c} + {row}*1]",
                "tileloadd tmm1, [{c} + {row}*1 + 64]",
                "tileloadd tmm2, [{c} + {row}*1 + 2048]",
                "tileloadd tmm3, [{c} + {row}*1 + 2112]",
                "jmp 3f",
                "2:",
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "3:",
                "tileloadd tmm4, [{a} + {line}*1]",
                "tileloadd tmm6, [{b} + {line}*1]",
                "prefetcht1 [{p}]",
                "prefetcht1 [{p} + 64]",
                "tileloadd tmm7, [{b} + {line}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm5, [{a2} + {line}*1]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "prefetcht1 [{p} + 128]",
                "prefetcht1 [{p} + 192]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a}, 1024",
                "add {a2}, 1024",
                "add {b}, 2048",
                "add {p}, 256",
                "dec {depth}",
                "jnz 3b",
                "tilestored [{c} + {row}*1], tmm0",
                "tilestored [{c} + {row}*1 + 64], tmm1",
                "tilestored [{c} + {row}*1 + 2048], tmm2",
                "tilestored [{c} + {row}*1 + 2112], tmm3",
                a = inout(reg) a.as_ptr() => _,
                a2 = inout(reg) a.as_ptr().add(stride) => _,
                b = inout(reg) b.as_ptr() => _,
                p = inout(reg) prefetch => _,
                depth = inout(reg) depth => _,
                add = in(reg) u32::from(add),
                c = in(reg) c.0.as_mut_ptr(),
                line = in(reg) 64usize,
                row = in(reg) ROW,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
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
