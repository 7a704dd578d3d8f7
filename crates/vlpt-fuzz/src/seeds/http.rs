//! Requests as the clients of each interface send them.

use serde_json::json;

use super::good_png;
use crate::parts::join;
use crate::targets::PROMPT;

/// A request of each kind that carries a body, and some that have none.
pub(crate) fn http_requests() -> Vec<Vec<u8>> {
    let png = good_png();
    let plain = |head: &str, body: &[u8]| join(&[head.as_bytes(), body]);
    let sent = |path: &str, body: serde_json::Value| {
        let head = format!("POST {path}\nContent-Type: application/json");
        plain(&head, body.to_string().as_bytes())
    };
    let infer = format!("/v2/models/{PROMPT}/infer");
    let classify = format!("/models/{PROMPT}");
    let pixels = vec![0.5; 3 * 2 * 2]; // fewer than the model takes
    let head = json!({
        "id": "1",
        "inputs": [{ "name": "image", "shape": [1], "datatype": "BYTES",
                     "parameters": { "binary_data_size": 4 + png.len() } }],
        "outputs": [{ "name": "probabilities", "parameters": { "binary_data": true } }],
    })
    .to_string();
    let mut binary = head.clone().into_bytes();
    binary.extend((png.len() as u32).to_le_bytes());
    binary.extend(&png);
    vec![
        plain(
            &format!(
                "POST /v1/predict?prompts={PROMPT}&attention=true&top_k=1\nContent-Type: image/png"
            ),
            &png,
        ),
        plain(
            "POST /v1/predict\nContent-Type: application/octet-stream\nX-Request-Id: a1",
            &png,
        ),
        plain(&format!("POST {classify}\nContent-Type: image/png"), &png),
        sent(
            &classify,
            json!({ "inputs": base64(&png), "parameters": { "top_k": 2, "function_to_apply": "none" } }),
        ),
        sent(
            "/models/zero-shot",
            json!({ "inputs": base64(&png), "parameters": {
                "candidate_labels": ["cat", "dog"], "hypothesis_template": "a photo of a {}." } }),
        ),
        sent(
            &infer,
            json!({ "id": "1", "inputs": [{ "name": "pixel_values", "shape": [1, 3, 2, 2],
                    "datatype": "FP32", "data": pixels }] }),
        ),
        sent(
            &infer,
            json!({ "inputs": [{ "name": "image", "shape": [1], "datatype": "BYTES",
                    "data": [base64(&png)] }], "outputs": [{ "name": "label" }] }),
        ),
        plain(
            &format!(
                "POST {infer}\nContent-Type: application/octet-stream\nInference-Header-Content-Length: {}",
                head.len()
            ),
            &binary,
        ),
        plain(&format!("GET /v1/prompts/{PROMPT}"), b""),
        plain(
            "GET /v2/models/zero-shot/versions/1\nAuthorization: Bearer x",
            b"",
        ),
    ]
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
