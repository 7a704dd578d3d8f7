//! An inference response: JSON, and binary tensors behind it where they were asked for.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::request::{JSON_LENGTH, Request};
use super::tensor::Tensor;

/// An output, and whether it goes behind the JSON.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// The tensor.
    pub(super) tensor: Tensor,
    /// Whether it goes behind the JSON.
    pub(super) binary: bool,
}

/// The answer to a request.
pub(super) fn write(
    request: &Request,
    name: &str,
    version: Option<String>,
    outputs: &[Output],
) -> Response {
    let mut binary = Vec::new();
    let mut written = Vec::with_capacity(outputs.len());
    for output in outputs {
        let tensor = &output.tensor;
        let mut entry = json!({
            "name": tensor.name,
            "shape": tensor.shape,
            "datatype": tensor.values.datatype(),
        });
        if output.binary {
            let bytes = tensor.values.to_bytes();
            entry["parameters"] = json!({ "binary_data_size": bytes.len() });
            binary.extend(bytes);
        } else {
            entry["data"] = tensor.values.to_json();
        }
        written.push(entry);
    }
    let mut answer = json!({ "model_name": name });
    if let Some(version) = version {
        answer["model_version"] = Value::from(version);
    }
    if let Some(id) = &request.id {
        answer["id"] = Value::from(id.clone());
    }
    answer["outputs"] = Value::from(written);
    let json = answer.to_string();
    if binary.is_empty() {
        return ([(header::CONTENT_TYPE, "application/json")], json).into_response();
    }
    let length = json.len().to_string();
    let mut body = json.into_bytes();
    body.extend(binary);
    let headers = [
        (
            header::CONTENT_TYPE.as_str(),
            "application/octet-stream".to_owned(),
        ),
        (JSON_LENGTH, length),
    ];
    (headers, Body::from(body)).into_response()
}
