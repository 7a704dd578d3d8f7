//! Memory whose amount a file decides, taken only where there is so much.

/// Makes room for so many items more in a vector.
///
/// # Errors
/// The process cannot have so much memory: how many bytes were asked for, and the way out, in words.
pub(crate) fn make_room<T>(vector: &mut Vec<T>, more: usize) -> Result<(), String> {
    vector.try_reserve(more).map_err(|_| {
        let bytes = more as u128 * size_of::<T>() as u128;
        format!(
            "there is no memory for {bytes} bytes: free some, or raise the limit of the process (`ulimit -v`)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_can_be_is_an_error_that_says_how_much() {
        let mut small: Vec<u32> = Vec::new();
        make_room(&mut small, 100).unwrap();
        assert!(small.capacity() >= 100);
        let error = make_room(&mut small, usize::MAX / 8).unwrap_err();
        let told = format!("no memory for {} bytes", usize::MAX / 8 * 4);
        assert!(error.contains(&told), "{error}");
    }
}
