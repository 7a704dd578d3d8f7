//! Operators that move numbers and leave them as they are.

use super::{axis_of, broadcast, whole};
use crate::onnx::Node;
use crate::value::{Data, Value};

type Result = std::result::Result<Value, String>;

/// The numbers of a value in other places: `pick` gives, for each new place, the old one.
fn picked(x: &Value, shape: &[usize], pick: impl Fn(usize) -> usize) -> Value {
    let places = 0..shape.iter().product::<usize>();
    let data = match &x.data {
        Data::F32(v) => Data::F32(places.map(|at| v[pick(at)]).collect()),
        Data::F64(v) => Data::F64(places.map(|at| v[pick(at)]).collect()),
        Data::I64(v) => Data::I64(places.map(|at| v[pick(at)]).collect()),
        Data::I32(v) => Data::I32(places.map(|at| v[pick(at)]).collect()),
        Data::U8(v) => Data::U8(places.map(|at| v[pick(at)]).collect()),
        Data::Bool(v) => Data::Bool(places.map(|at| v[pick(at)]).collect()),
    };
    Value::new(shape, data)
}

/// The same numbers under another shape.
fn reshaped(x: &Value, shape: Vec<usize>) -> Result {
    if shape.iter().product::<usize>() != x.shape.iter().product::<usize>() {
        return Err(format!("{:?} as {shape:?}", x.shape));
    }
    Ok(Value {
        shape,
        data: x.data.clone(),
    })
}

/// Row-major strides.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

pub(super) fn reshape(x: &Value, shape: &Value) -> Result {
    let mut lengths = Vec::new();
    let mut open = None;
    for (axis, &length) in whole(shape)?.iter().enumerate() {
        lengths.push(match length {
            -1 => {
                open = Some(axis);
                1
            }
            0 => *x.shape.get(axis).ok_or("a dimension that is not there")?,
            length => usize::try_from(length).map_err(|_| format!("length {length}"))?,
        });
    }
    if let Some(axis) = open {
        let known: usize = lengths.iter().product();
        lengths[axis] = x.shape.iter().product::<usize>() / known.max(1);
    }
    reshaped(x, lengths)
}

pub(super) fn unsqueeze(x: &Value, axes: &Value) -> Result {
    let mut shape = x.shape.clone();
    for &axis in whole(axes)? {
        shape.insert(axis_of(axis, shape.len() + 1)?, 1);
    }
    reshaped(x, shape)
}

pub(super) fn transpose(node: &Node, x: &Value) -> Result {
    let order = node.ints("perm").ok_or("no order")?;
    let order: Vec<usize> = order.iter().map(|&axis| axis as usize).collect();
    if order.len() != x.shape.len() {
        return Err(format!("order {order:?} of {:?}", x.shape));
    }
    let shape: Vec<usize> = order.iter().map(|&axis| x.shape[axis]).collect();
    let old = strides(&x.shape);
    let old: Vec<usize> = order.iter().map(|&axis| old[axis]).collect();
    let lengths = shape.clone();
    Ok(picked(x, &shape, |at| {
        let (mut rest, mut place) = (at, 0);
        for (length, stride) in lengths.iter().zip(&old).rev() {
            place += rest % length * stride;
            rest /= length;
        }
        place
    }))
}

pub(super) fn concat(node: &Node, parts: &[&Value]) -> Result {
    let axis = axis_of(node.int("axis").unwrap_or(0), parts[0].shape.len())?;
    let mut shape = parts[0].shape.clone();
    shape[axis] = parts.iter().map(|part| part.shape[axis]).sum();
    let outer: usize = shape[..axis].iter().product();
    macro_rules! joined {
        ($kind:ident) => {{
            let mut values = Vec::with_capacity(shape.iter().product());
            for row in 0..outer {
                for part in parts {
                    let Data::$kind(own) = &part.data else {
                        return Err("parts of different types".to_owned());
                    };
                    let size = own.len() / outer.max(1);
                    values.extend_from_slice(&own[row * size..(row + 1) * size]);
                }
            }
            Data::$kind(values)
        }};
    }
    let data = match parts[0].data {
        Data::F32(_) => joined!(F32),
        Data::F64(_) => joined!(F64),
        Data::I64(_) => joined!(I64),
        ref other => return Err(format!("Concat of {:?}", other.kind())),
    };
    Ok(Value::new(&shape, data))
}

pub(super) fn slice(x: &Value, starts: &Value, ends: &Value, axes: &Value) -> Result {
    let (starts, ends, axes) = (whole(starts)?, whole(ends)?, whole(axes)?);
    let mut shape = x.shape.clone();
    let mut first = vec![0; shape.len()];
    for ((&axis, &start), &end) in axes.iter().zip(starts).zip(ends) {
        let axis = axis_of(axis, shape.len())?;
        let length = x.shape[axis] as i64;
        let place = |at: i64| if at < 0 { at + length } else { at }.clamp(0, length);
        first[axis] = place(start) as usize;
        shape[axis] = (place(end) - place(start)).max(0) as usize;
    }
    let old = strides(&x.shape);
    let lengths = shape.clone();
    let begin: usize = first.iter().zip(&old).map(|(at, stride)| at * stride).sum();
    Ok(picked(x, &shape, |at| {
        let (mut rest, mut place) = (at, begin);
        for (length, stride) in lengths.iter().zip(&old).rev() {
            place += rest % length * stride;
            rest /= length;
        }
        place
    }))
}

/// Rows of a table, by number.
pub(super) fn gather(node: &Node, table: &Value, numbers: &Value) -> Result {
    if node.int("axis").unwrap_or(0) != 0 || table.shape.is_empty() {
        return Err("Gather along another axis than the first".to_owned());
    }
    let size: usize = table.shape[1..].iter().product();
    let rows = table.shape[0] as i64;
    let numbers_of = whole(numbers)?;
    if let Some(number) = numbers_of.iter().find(|number| !(0..rows).contains(number)) {
        return Err(format!("row {number} of {rows}"));
    }
    let shape = [&numbers.shape[..], &table.shape[1..]].concat();
    Ok(picked(table, &shape, |at| {
        numbers_of[at / size] as usize * size + at % size
    }))
}

pub(super) fn expand(x: &Value, shape: &Value) -> Result {
    let shape: Vec<usize> = whole(shape)?
        .iter()
        .map(|&length| length as usize)
        .collect();
    let shape = broadcast::shape(&x.shape, &shape)?;
    let place = broadcast::places(&x.shape, &shape);
    Ok(picked(x, &shape, place))
}

pub(super) fn shape(x: &Value) -> Value {
    let lengths = x.shape.iter().map(|&length| length as i64).collect();
    Value::new(&[x.shape.len()], Data::I64(lengths))
}

pub(super) fn range(from: &Value, to: &Value, step: &Value) -> Result {
    let (&[from], &[to], &[step]) = (whole(from)?, whole(to)?, whole(step)?) else {
        return Err("Range of other than three numbers".to_owned());
    };
    if step < 1 {
        return Err(format!("Range in steps of {step}"));
    }
    let numbers: Vec<i64> = (from..to).step_by(step as usize).collect();
    Ok(Value::new(&[numbers.len()], Data::I64(numbers)))
}
