//! Memory that is used again and again.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::lines::{Line, Lines};

/// Buffers that were given back and wait to be used again.
///
/// A step of training asks for the same buffers as the step before, so after the first one nothing
/// is allocated, and no fresh page has to be cleared by the system. It keeps what the largest step
/// needed until it is dropped. Clones share the buffers.
#[derive(Clone, Default)]
pub struct Arena(Arc<Shelf>);

#[derive(Default)]
struct Shelf {
    free: Mutex<Vec<Lines>>,
    made: AtomicUsize,
}

impl Arena {
    /// `len` floats of any value.
    pub fn floats(&self, len: usize) -> Buffer<f32> {
        self.take(len)
    }

    /// `len` floats, copied.
    pub fn copy(&self, floats: &[f32]) -> Buffer<f32> {
        let mut buffer = self.floats(floats.len());
        buffer.copy_from_slice(floats);
        buffer
    }

    /// How many buffers were allocated so far: it stands still once a step has found its size.
    pub fn allocations(&self) -> usize {
        self.0.made.load(Ordering::Relaxed)
    }

    /// `len` numbers of any value. The smallest free buffer that is long enough and not far too
    /// long serves.
    pub(crate) fn take<T: Plain>(&self, len: usize) -> Buffer<T> {
        const SMALL: usize = 256;
        if len == 0 {
            let lines = Lines::new(0);
            return Buffer {
                lines,
                len,
                arena: self.clone(),
                kind: std::marker::PhantomData,
            };
        }
        let lines = (len * size_of::<T>()).div_ceil(size_of::<Line>());
        let most = 2 * lines.max(SMALL);
        let mut free = self.free();
        let fits = |(_, buffer): &(usize, &Lines)| (lines..=most).contains(&buffer.len());
        let best = free
            .iter()
            .enumerate()
            .filter(fits)
            .min_by_key(|(_, buffer)| buffer.len());
        let taken = best.map(|(i, _)| i).map(|i| free.swap_remove(i));
        drop(free);
        let buffer = taken.unwrap_or_else(|| {
            self.0.made.fetch_add(1, Ordering::Relaxed);
            Lines::new(lines)
        });
        Buffer {
            lines: buffer,
            len,
            arena: self.clone(),
            kind: std::marker::PhantomData,
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Lines>> {
        self.0.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let bytes: usize = self
            .free()
            .iter()
            .map(|lines| lines.len() * size_of::<Line>())
            .sum();
        f.debug_struct("Arena")
            .field("free_bytes", &bytes)
            .finish_non_exhaustive()
    }
}

/// Numbers of which every bit pattern is one.
pub(crate) trait Plain: private::Sealed + Copy {}

mod private {
    pub(crate) trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for u16 {}
}

impl Plain for f32 {}
impl Plain for u16 {}

/// Numbers in a buffer of an [`Arena`], which gets it back when it is dropped. It starts at a
/// cache line.
pub struct Buffer<T> {
    lines: Lines,
    len: usize,
    arena: Arena,
    kind: std::marker::PhantomData<T>,
}

#[allow(
    private_bounds,
    reason = "the two kinds of numbers are made here alone"
)]
impl<T: Plain> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the lines hold at least `len` numbers (see `take`), are initialised and aligned
        // to 64 bytes, and every bit pattern is a number.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

#[allow(
    private_bounds,
    reason = "the two kinds of numbers are made here alone"
)]
impl<T: Plain> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and the buffer is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let lines = std::mem::replace(&mut self.lines, Lines::new(0));
        if !lines.is_empty() {
            self.arena.free().push(lines);
        }
    }
}

impl<T> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Buffer of {}", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_given_back_serves_again() {
        let arena = Arena::default();
        let first = arena.copy(&[1.0; 1000]);
        let place = first.as_ptr();
        assert!(place.addr().is_multiple_of(64));
        drop(first);
        let second = arena.floats(900);
        assert_eq!((second.as_ptr(), second.len()), (place, 900));
        assert_eq!(arena.allocations(), 1);
        let third = arena.take::<u16>(10);
        assert_eq!((third.len(), arena.allocations()), (10, 2));
    }

    #[test]
    fn a_far_too_long_buffer_is_left_for_others() {
        let arena = Arena::default();
        drop(arena.floats(1 << 20));
        drop(arena.floats(1 << 14));
        assert_eq!(arena.allocations(), 2);
    }
}
