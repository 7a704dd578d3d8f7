//! An inference request: JSON, and binary tensors behind it where the head says so.

use axum::http::HeaderMap;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::tensor::{Tensor, Values};
use crate::error::RequestError;
use crate::http::body;

/// How long the JSON before binary tensors is.
pub(super) const JSON_LENGTH: &str = "inference-header-content-length";

/// An inference request, read.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Its name, which the answer repeats.
    pub(super) id: Option<String>,
    /// Its tensors.
    pub(super) inputs: Vec<Tensor>,
    /// The outputs asked for, and whether each is to be binary; empty: the usual ones.
    pub(super) outputs: Vec<(String, bool)>,
    /// Whether the usual ones are to be binary.
    pub(super) binary_output: bool,
}

#[derive(Deserialize)]
struct Written {
    id: Option<String>,
    #[serde(default)]
    parameters: Map<String, Value>,
    inputs: Vec<WrittenTensor>,
    #[serde(default)]
    outputs: Vec<WrittenOutput>,
}

#[derive(Deserialize)]
struct WrittenTensor {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    data: Option<Value>,
}

#[derive(Deserialize)]
struct WrittenOutput {
    name: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    /// What is wrong in it.
    pub(super) fn read(headers: &HeaderMap, bytes: &Bytes) -> Result<Self, RequestError> {
        let length = match headers.get(JSON_LENGTH) {
            None => bytes.len(),
            Some(value) => {
                let length = value
                    .to_str()
                    .ok()
                    .and_then(|text| text.trim().parse().ok());
                let length = length.filter(|&length: &usize| length <= bytes.len());
                length.ok_or_else(|| {
                    RequestError::Bad(format!(
                        "{JSON_LENGTH} is no number of bytes of the body, which has {}",
                        bytes.len()
                    ))
                })?
            }
        };
        let written: Written = body::json(&bytes[..length])?;
        let mut binary = bytes.slice(length..);
        let mut inputs = Vec::with_capacity(written.inputs.len());
        for tensor in written.inputs {
            inputs.push(tensor.read(&mut binary)?);
        }
        if !binary.is_empty() {
            return Err(RequestError::Bad(format!(
                "{} bytes behind the last binary tensor",
                binary.len()
            )));
        }
        let flag = |parameters: &Map<String, Value>, name: &str| {
            parameters.get(name).and_then(Value::as_bool)
        };
        let binary_output = flag(&written.parameters, "binary_data_output").unwrap_or(false);
        let output = |output: WrittenOutput| {
            let binary = flag(&output.parameters, "binary_data").unwrap_or(binary_output);
            (output.name, binary)
        };
        Ok(Self {
            id: written.id,
            inputs,
            outputs: written.outputs.into_iter().map(output).collect(),
            binary_output,
        })
    }
}

impl WrittenTensor {
    /// The tensor, its values out of JSON or of the front of what is behind it.
    fn read(self, binary: &mut Bytes) -> Result<Tensor, RequestError> {
        let size = self.parameters.get("binary_data_size");
        let values = match (size, &self.data) {
            (Some(size), None) => {
                let size = size.as_u64().map(|size| size as usize);
                let size = size.filter(|&size| size <= binary.len());
                let size = size.ok_or_else(|| {
                    RequestError::Bad(format!(
                        "binary_data_size of `{}` is not within the body",
                        self.name
                    ))
                })?;
                Values::from_bytes(&self.datatype, &binary.split_to(size))?
            }
            (None, Some(data)) => Values::from_json(&self.datatype, data)?,
            _ => {
                return Err(RequestError::Bad(format!(
                    "the input `{}` needs either data or binary_data_size",
                    self.name
                )));
            }
        };
        let tensor = Tensor {
            name: self.name,
            shape: self.shape,
            values,
        };
        tensor.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &Value, binary: &[u8]) -> Result<Request, RequestError> {
        let json = json.to_string();
        let mut headers = HeaderMap::new();
        headers.insert(JSON_LENGTH, json.len().to_string().parse().unwrap());
        Request::read(&headers, &Bytes::from([json.as_bytes(), binary].concat()))
    }

    #[test]
    fn binary_tensors_follow_in_order() {
        let json = serde_json::json!({
            "inputs": [
                { "name": "a", "shape": [1], "datatype": "BYTES", "parameters": { "binary_data_size": 5 } },
                { "name": "b", "shape": [2], "datatype": "FP32", "data": [1, 2] },
                { "name": "c", "shape": [1], "datatype": "FP32", "parameters": { "binary_data_size": 4 } },
            ],
            "parameters": { "binary_data_output": true },
        });
        let request = read(&json, b"\x01\0\0\0x\0\0\x80\x3f").unwrap();
        let values: Vec<&Values> = request.inputs.iter().map(|tensor| &tensor.values).collect();
        assert_eq!(values[0], &Values::Bytes(vec![Bytes::from_static(b"x")]));
        assert_eq!(values[1], &Values::Floats(vec![1.0, 2.0]));
        assert_eq!(values[2], &Values::Floats(vec![1.0]));
        assert!(request.binary_output);
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        let tensor = |parameters: Value, shape: Value| serde_json::json!({ "inputs": [{ "name": "a", "shape": shape, "datatype": "FP32", "parameters": parameters }] });
        let size = |size: u64| serde_json::json!({ "binary_data_size": size });
        let one = serde_json::json!([1]);
        assert!(read(&tensor(size(8), one.clone()), &[0; 4]).is_err());
        assert!(read(&tensor(size(4), one.clone()), &[0; 8]).is_err());
        assert!(read(&tensor(size(4), serde_json::json!([2])), &[0; 4]).is_err());
        assert!(read(&tensor(size(u64::MAX), one.clone()), &[0; 4]).is_err());
        assert!(read(&tensor(serde_json::json!({}), one.clone()), &[]).is_err());
        let huge = serde_json::json!([u64::MAX, u64::MAX]);
        assert!(read(&tensor(size(4), huge), &[0; 4]).is_err());
        assert!(read(&tensor(size(4), one), &[0; 4]).is_ok());
    }
}
