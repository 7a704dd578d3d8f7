//! Memory in cache lines, on large pages where the system has them.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line([u32; 16]);

/// The size of a large page of x86-64, and of most ARM systems. Where they have another size, to ask
/// for them by this one does no harm.
const LARGE: usize = 2 << 20;

/// Lines of memory, 0 at first.
///
/// Weights and activations are read from one end to the other, so the processor is soon done with a
/// small page and has to look the next one up. What does not fill a large page stays on small ones,
/// so that no memory is held that is not used. But memory that was freed before seldom starts where a
/// large page does, and is used again less.
pub(crate) struct Lines {
    start: NonNull<Line>,
    count: usize,
}

// SAFETY: the lines are owned, and plain numbers.
unsafe impl Send for Lines {}
// SAFETY: as above.
unsafe impl Sync for Lines {}

impl Lines {
    pub(crate) fn new(count: usize) -> Self {
        if count == 0 {
            return Self {
                start: NonNull::dangling(),
                count,
            };
        }
        let layout = Self::layout(count);
        // SAFETY: the size is not 0.
        let Some(start) = NonNull::new(unsafe { alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        ask_for_large_pages(start, layout.size());
        // SAFETY: so many bytes were allocated; all of them 0 are lines.
        unsafe { start.write_bytes(0, layout.size()) };
        Self {
            start: start.cast(),
            count,
        }
    }

    fn layout(count: usize) -> Layout {
        let lines = Layout::array::<Line>(count).and_then(|lines| {
            let align = if lines.size() < LARGE { 1 } else { LARGE };
            lines.align_to(align)
        });
        lines.expect("buffers fit the memory")
    }
}

/// Asks for large pages under what starts at one and has not been touched yet.
#[cfg(target_os = "linux")]
fn ask_for_large_pages(start: NonNull<u8>, bytes: usize) {
    let whole = bytes / LARGE * LARGE;
    if whole > 0 {
        // SAFETY: the bytes are ours, and it changes none of them. What it answers does not
        // matter: without large pages everything goes on as before.
        unsafe { libc::madvise(start.as_ptr().cast(), whole, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages(_: NonNull<u8>, _: usize) {}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        // SAFETY: so many lines were allocated and written, or none are read.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [Line] {
        // SAFETY: as above, and they are borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if self.count > 0 {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.count)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_there_and_zero_and_large_ones_start_at_a_large_page() {
        for count in [0, 1, 1000, LARGE / 64 - 1, LARGE / 64, 5 * LARGE / 128] {
            let mut lines = Lines::new(count);
            assert!(lines.len() == count && lines.iter().all(|line| line.0 == [0; 16]));
            let align = if count < LARGE / 64 { 64 } else { LARGE };
            assert!(lines.as_ptr().addr().is_multiple_of(align), "{count}");
            lines.fill(Line([7; 16]));
        }
    }
}
