//! Operators over the numbers of an axis.

use super::{axis_of, floats, whole};
use crate::onnx::Node;
use crate::value::{Data, Value};

type Result = std::result::Result<Value, String>;

/// Sums, or means, along one axis; sums of f32 are made in f64, those of f64 in order.
pub(super) fn reduce(node: &Node, x: &Value, axes: &Value) -> Result {
    let &[axis] = whole(axes)? else {
        return Err("a reduction of several axes".to_owned());
    };
    let axis = axis_of(axis, x.shape.len())?;
    let length = x.shape[axis];
    let inner: usize = x.shape[axis + 1..].iter().product();
    let outer: usize = x.shape[..axis].iter().product();
    let mut shape = x.shape.clone();
    if node.int("keepdims").unwrap_or(1) == 1 {
        shape[axis] = 1;
    } else {
        shape.remove(axis);
    }
    let sum = |at: &dyn Fn(usize) -> f64, row: usize, column: usize| {
        let mut sum = 0.0;
        for step in 0..length {
            sum += at((row * length + step) * inner + column);
        }
        if node.op == "ReduceMean" {
            sum /= length as f64;
        }
        sum
    };
    let all = |at: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let rows = (0..outer).flat_map(|row| (0..inner).map(move |column| (row, column)));
        rows.map(|(row, column)| sum(at, row, column)).collect()
    };
    let data = match &x.data {
        Data::F32(v) => {
            let sums = all(&|at| f64::from(v[at]));
            Data::F32(sums.into_iter().map(|sum| sum as f32).collect())
        }
        Data::F64(v) => Data::F64(all(&|at| v[at])),
        other => return Err(format!("{} of {:?}", node.op, other.kind())),
    };
    Ok(Value::new(&shape, data))
}

/// The place of the first of the largest numbers along the last axis.
pub(super) fn arg_max(node: &Node, x: &Value) -> Result {
    let values = floats(x)?;
    let axes = x.shape.len();
    if axis_of(node.int("axis").unwrap_or(0), axes)? + 1 != axes {
        return Err("ArgMax along another axis than the last".to_owned());
    }
    let places = values.chunks_exact(x.shape[axes - 1].max(1)).map(|row| {
        let mut best = 0;
        for (place, value) in row.iter().enumerate() {
            if *value > row[best] {
                best = place;
            }
        }
        best as i64
    });
    let mut shape = x.shape.clone();
    shape[axes - 1] = 1;
    Ok(Value::new(&shape, Data::I64(places.collect())))
}

/// Softmax along the last axis.
pub(super) fn softmax(x: &Value) -> Result {
    let mut values = floats(x)?.to_vec();
    let width = x.shape.last().copied().unwrap_or(1).max(1);
    for row in values.chunks_exact_mut(width) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = row.iter().map(|&v| f64::from(v - top).exp()).collect();
        let sum: f64 = powers.iter().sum();
        for (value, power) in row.iter_mut().zip(powers) {
            *value = (power / sum) as f32;
        }
    }
    Ok(Value::f32(&x.shape, values))
}

/// Layer norm along the last axis.
pub(super) fn layer_norm(node: &Node, x: &Value, gain: &Value, bias: &Value) -> Result {
    let (gain, bias) = (floats(gain)?, floats(bias)?);
    let eps = f64::from(node.float("epsilon").unwrap_or(1e-5));
    let mut values = floats(x)?.to_vec();
    if x.shape.last() != Some(&gain.len()) || gain.len() != bias.len() {
        return Err(format!("{:?} by {} gains", x.shape, gain.len()));
    }
    for row in values.chunks_exact_mut(gain.len()) {
        let count = row.len() as f64;
        let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        let squares = row.iter().map(|&v| (f64::from(v) - mean).powi(2));
        let scale = (squares.sum::<f64>() / count + eps).sqrt().recip();
        for (value, (gain, bias)) in row.iter_mut().zip(gain.iter().zip(bias)) {
            let standard = (f64::from(*value) - mean) * scale;
            *value = (standard * f64::from(*gain) + f64::from(*bias)) as f32;
        }
    }
    Ok(Value::f32(&x.shape, values))
}
