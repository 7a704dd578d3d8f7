//! Whether this process may use tile registers.

use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::sync::OnceLock;

/// Whether the processor has tiles and products of bf16 tiles, and the kernel of the operating
/// system saves them for this process. Asks the system once: tile registers are large, so Linux
/// gives them on request alone.
pub(super) fn allowed() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    *ALLOWED.get_or_init(|| present() && saved_by_system() && granted())
}

fn present() -> bool {
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    __cpuid(0).eax >= 7 && {
        let features = __cpuid_count(7, 0).edx;
        features & BF16 != 0 && features & TILE != 0
    }
}

/// Tile configuration and tile data among the states that the system saves.
fn saved_by_system() -> bool {
    const TILES: u64 = 0b11 << 17;
    // SAFETY: the caller has seen AMX, and every processor with it has XGETBV.
    is_x86_feature_detected!("xsave") && unsafe { states() & TILES == TILES }
}

#[target_feature(enable = "xsave")]
fn states() -> u64 {
    // SAFETY: register 0 exists wherever the instruction does.
    unsafe { _xgetbv(0) }
}

/// `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`, for all threads of the process.
fn granted() -> bool {
    const REQUEST_PERMISSION: libc::c_ulong = 0x1023;
    const TILE_DATA: libc::c_ulong = 18;
    // SAFETY: the call takes two numbers and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 }
}
