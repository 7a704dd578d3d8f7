//! Operators that treat each number by itself.

use super::broadcast;
use crate::onnx::Node;
use crate::value::{Data, Type, Value};

type Result = std::result::Result<Value, String>;

/// Both operands as numbers of one type.
macro_rules! same_type {
    ($op:expr, $a:expr, $b:expr, $f:expr, [$($kind:ident),+]) => {
        match (&$a.data, &$b.data) {
            $((Data::$kind(x), Data::$kind(y)) => {
                let (shape, values) = broadcast::zip((x, &$a.shape), (y, &$b.shape), $f)?;
                Ok(Value::new(&shape, Data::$kind(values)))
            })+
            (x, y) => Err(format!("{} of {:?} and {:?}", $op, x.kind(), y.kind())),
        }
    };
}

pub(super) fn arithmetic(op: &str, a: &Value, b: &Value) -> Result {
    match op {
        "Add" => same_type!(op, a, b, |x, y| x + y, [F32, F64, I64, I32]),
        "Sub" => same_type!(op, a, b, |x, y| x - y, [F32, F64, I64, I32]),
        "Mul" => same_type!(op, a, b, |x, y| x * y, [F32, F64, I64, I32]),
        "Div" => same_type!(op, a, b, |x, y| x / y, [F32, F64]),
        "Max" => same_type!(op, a, b, |x, y| if x > y { x } else { y }, [F32, F64]),
        _ => same_type!(op, a, b, |x, y| if x < y { x } else { y }, [F32, F64]),
    }
}

/// Both operands as numbers of one type, the result as truths.
macro_rules! truths {
    ($op:expr, $a:expr, $b:expr, $f:expr) => {
        match (&$a.data, &$b.data) {
            (Data::F64(x), Data::F64(y)) => {
                broadcast::zip((x, &$a.shape), (y, &$b.shape), |x, y| $f(&x, &y))
            }
            (Data::F32(x), Data::F32(y)) => {
                broadcast::zip((x, &$a.shape), (y, &$b.shape), |x, y| $f(&x, &y))
            }
            (Data::I64(x), Data::I64(y)) => {
                broadcast::zip((x, &$a.shape), (y, &$b.shape), |x, y| $f(&x, &y))
            }
            (x, y) => Err(format!("{} of {:?} and {:?}", $op, x.kind(), y.kind())),
        }
    };
}

pub(super) fn compared(op: &str, a: &Value, b: &Value) -> Result {
    let (shape, values) = match op {
        "Less" => truths!(op, a, b, PartialOrd::lt),
        "GreaterOrEqual" => truths!(op, a, b, PartialOrd::ge),
        _ => truths!(op, a, b, PartialEq::eq),
    }?;
    Ok(Value::new(&shape, Data::Bool(values)))
}

pub(super) fn both(a: &Value, b: &Value) -> Result {
    let (Data::Bool(x), Data::Bool(y)) = (&a.data, &b.data) else {
        return Err("And of numbers".to_owned());
    };
    let (shape, values) = broadcast::zip((x, &a.shape), (y, &b.shape), |x, y| x && y)?;
    Ok(Value::new(&shape, Data::Bool(values)))
}

/// `a` where the condition holds, else `b`.
pub(super) fn chosen(condition: &Value, a: &Value, b: &Value) -> Result {
    let Data::Bool(holds) = &condition.data else {
        return Err("a condition of numbers".to_owned());
    };
    let shape = broadcast::shape(&broadcast::shape(&a.shape, &b.shape)?, &condition.shape)?;
    let [at, at_a, at_b] =
        [&condition.shape, &a.shape, &b.shape].map(|own| broadcast::places(own, &shape));
    let numbers = 0..shape.iter().product::<usize>();
    let data = match (&a.data, &b.data) {
        (Data::F64(x), Data::F64(y)) => {
            let pick = |i| if holds[at(i)] { x[at_a(i)] } else { y[at_b(i)] };
            Data::F64(numbers.map(pick).collect())
        }
        (Data::F32(x), Data::F32(y)) => {
            let pick = |i| if holds[at(i)] { x[at_a(i)] } else { y[at_b(i)] };
            Data::F32(numbers.map(pick).collect())
        }
        (x, y) => return Err(format!("Where of {:?} and {:?}", x.kind(), y.kind())),
    };
    Ok(Value::new(&shape, data))
}

pub(super) fn mapped(op: &str, x: &Value) -> Result {
    let data = match &x.data {
        Data::F32(values) => {
            let f: fn(f32) -> f32 = match op {
                "Abs" => f32::abs,
                "Erf" => |v| libm::erf(f64::from(v)) as f32,
                "Exp" => |v| f64::from(v).exp() as f32,
                "Floor" => f32::floor,
                "Neg" => |v| -v,
                "Round" => f32::round_ties_even,
                "Sigmoid" => |v| (1.0 / (1.0 + f64::from(-v).exp())) as f32,
                "Sqrt" => f32::sqrt,
                _ => return Err(format!("{op} of F32")),
            };
            Data::F32(values.iter().map(|&v| f(v)).collect())
        }
        Data::F64(values) => {
            let f: fn(f64) -> f64 = match op {
                "Abs" => f64::abs,
                "Floor" => f64::floor,
                "Neg" => |v| -v,
                "Round" => f64::round_ties_even,
                "Sign" => |v| {
                    if v > 0.0 {
                        1.0
                    } else if v < 0.0 {
                        -1.0
                    } else {
                        0.0
                    }
                },
                "Sqrt" => f64::sqrt,
                _ => return Err(format!("{op} of F64")),
            };
            Data::F64(values.iter().map(|&v| f(v)).collect())
        }
        other => return Err(format!("{op} of {:?}", other.kind())),
    };
    Ok(Value::new(&x.shape, data))
}

pub(super) fn cast(node: &Node, x: &Value) -> Result {
    let to = node.int("to").and_then(Type::of_code);
    let data = match (&x.data, to) {
        (Data::U8(v), Some(Type::F64)) => Data::F64(v.iter().map(|&v| f64::from(v)).collect()),
        (Data::I64(v), Some(Type::F64)) => Data::F64(v.iter().map(|&v| v as f64).collect()),
        (Data::F64(v), Some(Type::F32)) => Data::F32(v.iter().map(|&v| v as f32).collect()),
        (Data::I32(v), Some(Type::F32)) => Data::F32(v.iter().map(|&v| v as f32).collect()),
        (Data::Bool(v), Some(Type::F32)) => {
            Data::F32(v.iter().map(|&v| f32::from(u8::from(v))).collect())
        }
        (from, to) => return Err(format!("Cast of {:?} to {to:?}", from.kind())),
    };
    Ok(Value::new(&x.shape, data))
}
