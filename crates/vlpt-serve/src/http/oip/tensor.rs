//! Tensors of the protocol: as JSON, or as bytes behind it.

use bytes::Bytes;
use serde_json::Value;

use crate::error::RequestError;
use crate::http::body;

/// A named tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    /// Its name.
    pub(super) name: String,
    /// Its shape.
    pub(super) shape: Vec<usize>,
    /// Its values, row-major.
    pub(super) values: Values,
}

/// Values of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    /// FP32.
    Floats(Vec<f32>),
    /// BYTES: texts or files.
    Bytes(Vec<Bytes>),
}

impl Values {
    /// The protocol's name for their type.
    pub(super) fn datatype(&self) -> &'static str {
        match self {
            Self::Floats(_) => "FP32",
            Self::Bytes(_) => "BYTES",
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    /// Values out of JSON, one list or nested ones.
    pub(super) fn from_json(datatype: &str, data: &Value) -> Result<Self, RequestError> {
        let mut flat = Vec::new();
        flatten(data, &mut flat);
        match datatype {
            "FP32" => {
                let number = |value: &&Value| value.as_f64().map(|number| number as f32);
                let numbers: Option<Vec<f32>> = flat.iter().map(number).collect();
                let numbers = numbers.ok_or_else(|| bad("data of FP32 that is no number"))?;
                Ok(Self::Floats(numbers))
            }
            "BYTES" => {
                let file = |value: &&Value| match value.as_str() {
                    Some(text) => body::image(text),
                    None => Err(bad("data of BYTES that is no text: expected base64")),
                };
                Ok(Self::Bytes(
                    flat.iter().map(file).collect::<Result<_, _>>()?,
                ))
            }
            other => Err(bad(&format!("the type {other}: expected BYTES or FP32"))),
        }
    }

    /// Values out of bytes: little-endian numbers, or elements each behind its length.
    pub(super) fn from_bytes(datatype: &str, bytes: &Bytes) -> Result<Self, RequestError> {
        match datatype {
            "FP32" if bytes.len().is_multiple_of(4) => Ok(Self::Floats(
                bytes
                    .chunks_exact(4)
                    .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
                    .collect(),
            )),
            "FP32" => Err(bad("binary FP32 data of a length that is no multiple of 4")),
            "BYTES" => {
                let mut elements = Vec::new();
                let mut at = 0;
                while at < bytes.len() {
                    let length = bytes.get(at..at + 4).ok_or_else(cut)?;
                    let length = [length[0], length[1], length[2], length[3]];
                    let start = at + 4;
                    let end = start + u32::from_le_bytes(length) as usize;
                    if end > bytes.len() {
                        return Err(cut());
                    }
                    elements.push(bytes.slice(start..end));
                    at = end;
                }
                Ok(Self::Bytes(elements))
            }
            other => Err(bad(&format!("the type {other}: expected BYTES or FP32"))),
        }
    }

    /// As one list of JSON.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Floats(values) => values.iter().map(|&value| Value::from(value)).collect(),
            Self::Bytes(values) => values
                .iter()
                .map(|value| Value::from(String::from_utf8_lossy(value)))
                .collect(),
        }
    }

    /// As bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Floats(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Bytes(values) => values
                .iter()
                .flat_map(|value| [&(value.len() as u32).to_le_bytes()[..], value].concat())
                .collect(),
        }
    }
}

impl Tensor {
    /// Checks that there are as many values as the shape says.
    pub(super) fn check(self) -> Result<Self, RequestError> {
        let count = self
            .shape
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d));
        if count == Some(self.values.len()) {
            return Ok(self);
        }
        Err(bad(&format!(
            "the input `{}` has {} values: expected as many as the shape {:?} says",
            self.name,
            self.values.len(),
            self.shape
        )))
    }
}

fn flatten<'a>(data: &'a Value, into: &mut Vec<&'a Value>) {
    match data {
        Value::Array(values) => values.iter().for_each(|value| flatten(value, into)),
        value => into.push(value),
    }
}

fn bad(what: &str) -> RequestError {
    RequestError::Bad(what.to_owned())
}

fn cut() -> RequestError {
    bad("binary BYTES data that ends inside an element")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_floats_come_back() {
        for values in [
            Values::Floats(vec![1.5, -0.0, f32::MIN_POSITIVE]),
            Values::Bytes(vec![Bytes::from_static(b"cat"), Bytes::new()]),
        ] {
            let bytes = Bytes::from(values.to_bytes());
            let back = Values::from_bytes(values.datatype(), &bytes).unwrap();
            assert_eq!(back, values);
        }
    }

    #[test]
    fn what_is_cut_is_refused_at_every_length() {
        let whole = Values::Bytes(vec![Bytes::from_static(b"cat"), Bytes::from_static(b"dog")]);
        let bytes = Bytes::from(whole.to_bytes());
        for length in (1..bytes.len()).filter(|length| *length != 7) {
            assert!(
                Values::from_bytes("BYTES", &bytes.slice(..length)).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn nested_lists_are_one_list() {
        let data = serde_json::json!([[1, 2.5], [3, 4]]);
        let values = Values::from_json("FP32", &data).unwrap();
        assert_eq!(values, Values::Floats(vec![1.0, 2.5, 3.0, 4.0]));
        assert!(Values::from_json("FP32", &serde_json::json!(["a"])).is_err());
        assert!(Values::from_json("INT64", &data).is_err());
    }
}
