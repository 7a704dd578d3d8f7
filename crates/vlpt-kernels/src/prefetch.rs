//! Prefetching cache lines before they are used. An address that is not there does no harm.

/// The line of an address, to be read soon.
#[inline(always)]
pub(crate) fn to_read<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetching an address is never an access.
    unsafe {
        std::arch::asm!("prefetcht0 [{}]", in(reg) at, options(nostack, readonly, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// The line of an address, to be written soon.
#[inline(always)]
pub(crate) fn to_write<T>(at: *mut T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) at, options(nostack, readonly, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
