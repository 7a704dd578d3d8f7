//! Parts of slices for several threads.

use std::marker::PhantomData;

use super::for_tasks;

/// Parts of a slice, of one size but for the last, for several threads.
pub(crate) struct Parts<'a, T> {
    start: *mut T,
    length: usize,
    size: usize,
    life: PhantomData<&'a mut [T]>,
}

// SAFETY: all access is through `part`, whose callers promise that no part is in two hands at once.
unsafe impl<T: Send> Sync for Parts<'_, T> {}

impl<'a, T> Parts<'a, T> {
    /// # Panics
    /// When `size` is 0.
    pub(crate) fn new(whole: &'a mut [T], size: usize) -> Self {
        assert!(size > 0, "parts of nothing");
        Self {
            start: whole.as_mut_ptr(),
            length: whole.len(),
            size,
            life: PhantomData,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.length.div_ceil(self.size)
    }

    /// # Safety
    /// While the part is held, nobody else asks for it.
    ///
    /// # Panics
    /// When there is no such part.
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        assert!(index < self.count(), "a part outside a slice");
        let first = index * self.size;
        // SAFETY: inside the slice by the assertion, borrowed mutably for 'a by `new`, and not
        // aliased by the caller's promise.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.start.add(first),
                self.size.min(self.length - first),
            )
        }
    }
}

/// Calls `work` with the number of each part and the part.
pub(crate) fn for_parts<T: Send>(parts: &Parts<T>, work: impl Fn(usize, &mut [T]) + Sync) {
    // SAFETY: each task has its part, and each task is done once.
    for_tasks(parts.count(), |i| work(i, unsafe { parts.part(i) }));
}

/// Calls `work` with the number of each part and that part of both.
///
/// # Panics
/// When there are more parts of one than of the other.
pub(crate) fn for_both_parts<T: Send, U: Send>(
    first: &Parts<T>,
    second: &Parts<U>,
    work: impl Fn(usize, &mut [T], &mut [U]) + Sync,
) {
    assert_eq!(first.count(), second.count(), "parts of two slices");
    // SAFETY: as above.
    for_tasks(first.count(), |i| unsafe {
        work(i, first.part(i), second.part(i));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_slice() {
        let (mut numbers, mut halves) = (vec![0; 103], vec![0; 52]);
        for_both_parts(
            &Parts::new(&mut numbers, 10),
            &Parts::new(&mut halves, 5),
            |i, numbers, halves| {
                numbers.fill(i);
                halves.fill(i);
            },
        );
        assert!(numbers.iter().enumerate().all(|(i, part)| *part == i / 10));
        assert!(halves.iter().enumerate().all(|(i, part)| *part == i / 5));
    }
}
