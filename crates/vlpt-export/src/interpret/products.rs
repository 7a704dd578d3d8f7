//! Matrix products and the convolution of patches.

use vlpt_kernels::{Element, matrix_product};

use super::{broadcast, floats};
use crate::onnx::Node;
use crate::value::{Data, Value};

type Result = std::result::Result<Value, String>;

pub(super) fn product(a: &Value, b: &Value) -> Result {
    match (&a.data, &b.data) {
        (Data::F32(x), Data::F32(y)) => {
            let (shape, values) = products((x, &a.shape), (y, &b.shape))?;
            Ok(Value::new(&shape, Data::F32(values)))
        }
        (Data::F64(x), Data::F64(y)) => {
            let (shape, values) = products((x, &a.shape), (y, &b.shape))?;
            Ok(Value::new(&shape, Data::F64(values)))
        }
        (x, y) => Err(format!("MatMul of {:?} and {:?}", x.kind(), y.kind())),
    }
}

/// Products of the last two axes, the axes before them met as everywhere.
pub(super) fn products<T: Element>(
    (a, a_shape): (&[T], &[usize]),
    (b, b_shape): (&[T], &[usize]),
) -> std::result::Result<(Vec<usize>, Vec<T>), String> {
    let refused = || format!("MatMul of shapes {a_shape:?} and {b_shape:?}");
    let ([a_batch @ .., m, k], [b_batch @ .., k_2, n]) = (a_shape, b_shape) else {
        return Err(refused());
    };
    if k != k_2 {
        return Err(refused());
    }
    let (m, n, k) = (*m, *n, *k);
    let batch = broadcast::shape(a_batch, b_batch)?;
    let shape = [&batch[..], &[m, n]].concat();
    let mut out = vec![T::ZERO; shape.iter().product()];
    if b_batch.is_empty() {
        // one matrix for all: its rows are those of one product
        let rows = a.len() / k.max(1);
        matrix_product((rows, n, k), (a, false), (b, false), &mut out);
        return Ok((shape, out));
    }
    let (at_a, at_b) = (
        broadcast::places(a_batch, &batch),
        broadcast::places(b_batch, &batch),
    );
    for (place, out) in out.chunks_exact_mut((m * n).max(1)).enumerate() {
        let a = &a[at_a(place) * m * k..][..m * k];
        let b = &b[at_b(place) * k * n..][..k * n];
        matrix_product((m, n, k), (a, false), (b, false), out);
    }
    Ok((shape, out))
}

/// A convolution whose steps are as long as its window: patches times weights.
pub(super) fn convolve(node: &Node, x: &Value, weight: &Value) -> Result {
    let (&[images, channels, height, width], &[outputs, inputs, side, side_2]) =
        (&x.shape[..], &weight.shape[..])
    else {
        return Err(format!("Conv of {:?} and {:?}", x.shape, weight.shape));
    };
    let steps = node.ints("strides").unwrap_or(&[1, 1]);
    if inputs != channels || side != side_2 || steps.iter().any(|&step| step as usize != side) {
        return Err("Conv of other than patches side by side".to_owned());
    }
    let (values, weights) = (floats(x)?, floats(weight)?);
    let (down, across) = (height / side, width / side);
    let size = channels * side * side;
    let mut patches = Vec::with_capacity(images * down * across * size);
    for image in values.chunks_exact(channels * height * width) {
        for (top, left) in (0..down).flat_map(|y| (0..across).map(move |x| (y * side, x * side))) {
            for channel in image.chunks_exact(height * width) {
                for row in top..top + side {
                    patches.extend_from_slice(&channel[row * width + left..][..side]);
                }
            }
        }
    }
    let count = down * across;
    let mut out = vec![0.0; images * outputs * count];
    for (own, out) in patches
        .chunks_exact(count * size)
        .zip(out.chunks_exact_mut(outputs * count))
    {
        matrix_product((outputs, count, size), (weights, false), (own, true), out);
    }
    Ok(Value::f32(&[images, outputs, down, across], out))
}
