//! Dynamic quantisation, as ONNX defines it.

use super::{Ran, floats, products};
use crate::value::{Data, Value};

/// So many products of two numbers of 9 bits with sign stay below 2^24, where sums in f32 are exact.
const EXACT: usize = 256;

/// `DynamicQuantizeLinear`: numbers of 8 bits, their scale and their zero point.
pub(super) fn quantise(x: &Value) -> Ran {
    let values = floats(x)?;
    let least = values.iter().copied().fold(0.0_f32, f32::min);
    let most = values.iter().copied().fold(0.0_f32, f32::max);
    let scale = (most - least) / 255.0;
    let part = |v: f32| if scale == 0.0 { 0.0 } else { v / scale };
    let zero = (-part(least)).round_ties_even().clamp(0.0, 255.0);
    let numbers = values
        .iter()
        .map(|&v| (part(v).round_ties_even() + zero).clamp(0.0, 255.0) as u8);
    Ok(vec![
        Value::new(&x.shape, Data::U8(numbers.collect())),
        Value::f32(&[], vec![scale]),
        Value::new(&[], Data::U8(vec![zero as u8])),
    ])
}

/// `MatMulInteger` of u8 and u8 with one zero point each: exact sums of i32.
pub(super) fn product(
    a: &Value,
    b: &Value,
    zero_a: &Value,
    zero_b: &Value,
) -> std::result::Result<Value, String> {
    let (Data::U8(x), Data::U8(y), Data::U8(zero_x), Data::U8(zero_y)) =
        (&a.data, &b.data, &zero_a.data, &zero_b.data)
    else {
        return Err("MatMulInteger of other than u8".to_owned());
    };
    let (&[zero_x], &[zero_y]) = (&zero_x[..], &zero_y[..]) else {
        return Err("MatMulInteger with several zero points".to_owned());
    };
    let ([.., k], [k_2, n]) = (&a.shape[..], &b.shape[..]) else {
        return Err("MatMulInteger of shapes that are no matrices".to_owned());
    };
    let (k, n) = (*k, *n);
    if k != *k_2 {
        return Err(format!("MatMulInteger of {:?} and {:?}", a.shape, b.shape));
    }
    let centred = |numbers: &[u8], zero: u8| -> Vec<f32> {
        let numbers = numbers.iter();
        numbers
            .map(|&v| f32::from(i16::from(v) - i16::from(zero)))
            .collect()
    };
    let (x, y) = (centred(x, zero_x), centred(y, zero_y));
    let rows = x.len() / k.max(1);
    let mut sums = vec![0_i32; rows * n];
    for first in (0..k).step_by(EXACT) {
        let part = EXACT.min(k - first);
        let own: Vec<f32> = x
            .chunks_exact(k)
            .flat_map(|row| &row[first..first + part])
            .copied()
            .collect();
        let block = &y[first * n..(first + part) * n];
        let (_, out) = products::products((&own, &[rows, part]), (block, &[part, n]))?;
        for (sum, part) in sums.iter_mut().zip(out) {
            *sum += part as i32;
        }
    }
    let mut shape = a.shape.clone();
    if let Some(last) = shape.last_mut() {
        *last = n;
    }
    Ok(Value::new(&shape, Data::I32(sums)))
}
