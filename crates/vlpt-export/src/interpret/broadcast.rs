//! Numbers of two tensors met as ONNX and NumPy say: shapes from the right, lengths of 1 repeated.

/// The shape of both together.
pub(super) fn shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let axes = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| {
        (axis + shape.len())
            .checked_sub(axes)
            .map_or(1, |i| shape[i])
    };
    (0..axes)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (x, y) if x == y || y == 1 => Ok(x),
            (1, y) => Ok(y),
            _ => Err(format!("shapes {a:?} and {b:?} do not go together")),
        })
        .collect()
}

/// Numbers of a tensor of shape `from` in the places of the shape `to`, each as its place.
pub(super) fn places(from: &[usize], to: &[usize]) -> impl Fn(usize) -> usize + use<> {
    let pad = to.len() - from.len();
    let mut strides = vec![0; to.len()];
    let mut stride = 1;
    for (axis, &length) in from.iter().enumerate().rev() {
        strides[axis + pad] = if length == 1 { 0 } else { stride };
        stride *= length;
    }
    let whole = from == to;
    let lengths = to.to_vec();
    // a row repeated: the usual case of biases and gains
    let row = from.iter().product::<usize>();
    let suffix = to.ends_with(from);
    move |at: usize| {
        if whole {
            return at;
        }
        if suffix {
            return at % row.max(1);
        }
        let (mut rest, mut place) = (at, 0);
        for (length, stride) in lengths.iter().zip(&strides).rev() {
            place += rest % length * stride;
            rest /= length;
        }
        place
    }
}

/// `f` of each pair.
pub(super) fn zip<A: Copy, B: Copy, C>(
    (a, a_shape): (&[A], &[usize]),
    (b, b_shape): (&[B], &[usize]),
    f: impl Fn(A, B) -> C,
) -> Result<(Vec<usize>, Vec<C>), String> {
    let shape = shape(a_shape, b_shape)?;
    let (at_a, at_b) = (places(a_shape, &shape), places(b_shape, &shape));
    let count: usize = shape.iter().product();
    let values = (0..count).map(|at| f(a[at_a(at)], b[at_b(at)])).collect();
    Ok((shape, values))
}
