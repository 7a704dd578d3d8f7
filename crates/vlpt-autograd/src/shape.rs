//! Shapes: axes, sizes, and numpy's rules of broadcasting.

use crate::{Result, TensorError};

/// The most axes that a tensor may have.
pub const MAX_RANK: usize = 4;

/// Number of values of a shape; of one too large to be counted, the largest number.
pub(crate) fn size(shape: &[usize]) -> usize {
    let product = |size: usize, length: &usize| size.saturating_mul(*length);
    shape.iter().fold(1, product)
}

/// Refuses a shape of too many axes.
pub(crate) fn check_rank(operation: &'static str, shape: &[usize]) -> Result<()> {
    if shape.len() <= MAX_RANK {
        return Ok(());
    }
    Err(TensorError::Shape {
        operation,
        found: shape.to_vec(),
        expected: format!("at most {MAX_RANK} axes"),
    })
}

/// Refuses a number of values that is not that of the shape.
pub(crate) fn check_size(operation: &'static str, shape: &[usize], found: usize) -> Result<()> {
    check_rank(operation, shape)?;
    if found == size(shape) {
        return Ok(());
    }
    Err(TensorError::Values {
        operation,
        shape: shape.to_vec(),
        found,
    })
}

/// The position of an axis, which counts from the end where it is negative.
pub(crate) fn axis_of(operation: &'static str, shape: &[usize], axis: isize) -> Result<usize> {
    let from_start = if axis < 0 {
        axis + shape.len() as isize
    } else {
        axis
    };
    usize::try_from(from_start)
        .ok()
        .filter(|&position| position < shape.len())
        .ok_or_else(|| TensorError::Axis {
            operation,
            shape: shape.to_vec(),
            axis,
        })
}

/// Sizes before, of, and behind an axis.
pub(crate) fn around(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    (size(&shape[..axis]), shape[axis], size(&shape[axis + 1..]))
}

/// The shape that two operands have together: aligned at the last axis, an axis of length 1 (or a
/// missing one) is repeated to the other's length.
pub(crate) fn broadcast(
    operation: &'static str,
    left: &[usize],
    right: &[usize],
) -> Result<Vec<usize>> {
    let rank = left.len().max(right.len());
    let length = |shape: &[usize], axis: usize| {
        (axis + shape.len())
            .checked_sub(rank)
            .map_or(1, |own| shape[own])
    };
    (0..rank)
        .map(|axis| match (length(left, axis), length(right, axis)) {
            (a, b) if a == b => Ok(a),
            (1, b) => Ok(b),
            (a, 1) => Ok(a),
            _ => Err(TensorError::Shapes {
                operation,
                left: left.to_vec(),
                right: right.to_vec(),
            }),
        })
        .collect()
}

/// Steps through the values of `shape` for each axis of `whole`, which it is repeated to: 0 along
/// an axis that is repeated.
fn steps(shape: &[usize], whole: &[usize]) -> Vec<usize> {
    let missing = whole.len() - shape.len();
    let mut steps = vec![0; whole.len()];
    let mut step = 1;
    for axis in (missing..whole.len()).rev() {
        let length = shape[axis - missing];
        if length == whole[axis] {
            steps[axis] = step;
        }
        step *= length;
    }
    steps
}

/// Values of the shape `from` repeated to the shape `to`.
pub(crate) fn expand(values: &[f32], from: &[usize], to: &[usize]) -> Vec<f32> {
    fn fill(values: &[f32], shape: &[usize], steps: &[usize], to: &mut Vec<f32>) {
        match (shape, steps) {
            ([length], [0]) => to.extend(std::iter::repeat_n(values[0], *length)),
            ([length], _) => to.extend_from_slice(&values[..*length]),
            ([length, shape @ ..], [step, steps @ ..]) => {
                for i in 0..*length {
                    fill(&values[i * step..], shape, steps, to);
                }
            }
            _ => to.push(values[0]),
        }
    }
    let mut expanded = Vec::with_capacity(size(to));
    if size(to) > 0 {
        fill(values, to, &steps(from, to), &mut expanded);
    }
    expanded
}

/// Values of the shape `from` summed to the shape `to`, which [`expand`] repeats to `from`: one
/// value after another, in the order in which they lie.
pub(crate) fn fold(values: &[f32], from: &[usize], to: &[usize]) -> Vec<f32> {
    fn add(values: &[f32], shape: &[usize], steps: &[usize], sums: &mut [f32]) {
        match (shape, steps) {
            ([_], [0]) => {
                for value in values {
                    sums[0] += value;
                }
            }
            ([length, shape @ ..], [step, steps @ ..]) if !shape.is_empty() => {
                for (i, values) in values.chunks_exact(values.len() / length).enumerate() {
                    add(values, shape, steps, &mut sums[i * step..]);
                }
            }
            _ => {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
        }
    }
    let mut sums = vec![0.0; size(to)];
    if size(from) > 0 {
        add(values, from, &steps(to, from), &mut sums);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_broadcast_as_numpy_does() {
        let together = |a: &[usize], b: &[usize]| broadcast("add", a, b);
        assert_eq!(together(&[2, 3], &[3]).unwrap(), [2, 3]);
        assert_eq!(together(&[2, 1, 4], &[3, 1]).unwrap(), [2, 3, 4]);
        assert_eq!(together(&[], &[5]).unwrap(), [5]);
        assert_eq!(together(&[1], &[0]).unwrap(), [0]);
        assert!(together(&[2, 3], &[2]).is_err());
    }

    #[test]
    fn values_are_repeated_and_summed_along_the_same_axes() {
        let cases: [(&[usize], &[usize]); 7] = [
            (&[3], &[2, 3]),
            (&[2, 1], &[2, 3]),
            (&[1, 2, 1, 2], &[2, 2, 3, 2]),
            (&[], &[2, 2]),
            (&[1, 1], &[3, 1]),
            (&[2, 1, 3], &[2, 2, 3]),
            (&[1], &[0]),
        ];
        for (small, large) in cases {
            let values: Vec<f32> = (0..size(small)).map(|i| i as f32 + 1.0).collect();
            let expanded = expand(&values, small, large);
            assert_eq!(expanded.len(), size(large), "{small:?} {large:?}");
            let times = size(large) as f32 / size(small) as f32;
            let sums: Vec<f32> = values.iter().map(|v| v * times).collect();
            assert_eq!(fold(&expanded, large, small), sums, "{small:?} {large:?}");
        }
        assert_eq!(expand(&[1.0, 2.0], &[2, 1], &[2, 2]), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(expand(&[1.0, 2.0], &[2], &[2, 2]), [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn an_axis_counts_from_either_end() {
        assert_eq!(axis_of("sum", &[2, 3], -1), Ok(1));
        assert_eq!(axis_of("sum", &[2, 3], 0), Ok(0));
        assert!(axis_of("sum", &[2, 3], 2).is_err());
        assert!(axis_of("sum", &[2, 3], -3).is_err());
    }
}
