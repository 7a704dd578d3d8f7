//! One input that stands for several files.

/// What stands between two files.
const BETWEEN: &[u8] = b"\n=====\n";

/// The first `N` files of an input; those that it lacks are empty. The last one takes the rest.
pub fn split<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut rest = input;
    std::array::from_fn(|index| {
        let end = rest
            .windows(BETWEEN.len())
            .position(|window| window == BETWEEN)
            .filter(|_| index + 1 < N);
        let (part, after) = match end {
            Some(end) => (&rest[..end], &rest[end + BETWEEN.len()..]),
            None => (rest, &[][..]),
        };
        rest = after;
        part
    })
}

/// An input of these files.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_joined_is_split_again() {
        let input = join(&[b"a", b"", b"c\n=====\nd"]);
        assert_eq!(split::<3>(&input), [&b"a"[..], b"", b"c\n=====\nd"]);
        assert_eq!(split::<2>(b"alone"), [&b"alone"[..], b""]);
    }
}
