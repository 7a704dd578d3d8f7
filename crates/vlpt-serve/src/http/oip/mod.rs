//! The Open Inference Protocol, version 2, with its extension of binary tensors.
//!
//! | tensor | type and shape | what it is |
//! |---|---|---|
//! | `image` | BYTES \[n\] | image files: raw bytes in binary tensors, base64 in JSON |
//! | `pixel_values` | FP32 \[n, 3, side, side\] | images made ready by the one who asks |
//! | `label` | BYTES \[n\] | the best class of each image |
//! | `probabilities`, `logits` | FP32 \[n, classes\] | a number for each class |

mod request;
mod response;
mod tensor;

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::body;
use super::extract::Path;
use super::scores::{Apply, of_logits};
use crate::answer::{App, Image};
use crate::error::RequestError;
use crate::prompts::Prompt;

use request::Request;
use response::Output;
use tensor::{Tensor, Values};

/// The most images of one request.
const IMAGES: usize = 256;

/// `GET /v2`.
#[utoipa::path(get, path = "/v2", tag = "open inference protocol",
    responses((status = 200, description = "Name, version and extensions of the server")))]
pub(super) async fn server() -> Json<Value> {
    Json(json!({
        "name": "vlpt",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data"],
    }))
}

/// `GET /v2/models/{name}`.
#[utoipa::path(get, path = "/v2/models/{name}", tag = "open inference protocol",
    params(("name" = String, Path, description = "The prompt")),
    responses((status = 200, description = "Inputs and outputs of the prompt"), (status = 404, description = "No such prompt")))]
pub(super) async fn model(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Value>, RequestError> {
    Ok(Json(about(&*app.prompt(&name)?)))
}

/// `GET /v2/models/{name}/versions/{version}`.
pub(super) async fn model_version(
    State(app): State<App>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<Value>, RequestError> {
    Ok(Json(about(&*of_version(&app, &name, &version)?)))
}

/// `GET /v2/models/{name}/ready`.
pub(super) async fn model_ready(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Value>, RequestError> {
    let prompt = app.prompt(&name)?;
    Ok(Json(json!({ "name": prompt.name, "ready": true })))
}

/// `GET /v2/models/{name}/versions/{version}/ready`.
pub(super) async fn model_version_ready(
    State(app): State<App>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<Value>, RequestError> {
    let prompt = of_version(&app, &name, &version)?;
    Ok(Json(json!({ "name": prompt.name, "ready": true })))
}

/// `POST /v2/models/{name}/infer`.
#[utoipa::path(post, path = "/v2/models/{name}/infer", tag = "open inference protocol",
    params(("name" = String, Path, description = "The prompt")),
    request_body(description = "An inference request of the protocol, in JSON or with binary tensors", content_type = "application/json"),
    responses((status = 200, description = "label, probabilities, logits as asked"), (status = 400, description = "Not such a request"),
              (status = 404, description = "No such prompt"), (status = 429, description = "Busy; try again after Retry-After")))]
pub(super) async fn infer(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, RequestError> {
    let prompt = app.prompt(&name)?;
    let bytes = body::read(&app, &headers, sent).await?;
    answer(&app, &prompt, None, &Request::read(&headers, &bytes)?).await
}

/// `POST /v2/models/{name}/versions/{version}/infer`.
pub(super) async fn infer_version(
    State(app): State<App>,
    Path((name, version)): Path<(String, String)>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, RequestError> {
    let prompt = of_version(&app, &name, &version)?;
    let bytes = body::read(&app, &headers, sent).await?;
    let request = Request::read(&headers, &bytes)?;
    answer(&app, &prompt, Some(version), &request).await
}

/// The prompt of a name, where it has this version.
fn of_version(app: &App, name: &str, version: &str) -> Result<Arc<Prompt>, RequestError> {
    let prompt = app.prompt(name)?;
    if prompt.version == version {
        return Ok(prompt);
    }
    Err(RequestError::NotFound(format!(
        "the prompt `{name}` has version {}, not {version}",
        prompt.version
    )))
}

/// What a prompt takes and gives.
fn about(prompt: &Prompt) -> Value {
    let side = prompt.preprocess.image_size;
    let classes = prompt.classifier.classes.len();
    json!({
        "name": prompt.name,
        "versions": [prompt.version],
        "platform": "vlpt",
        "inputs": [
            { "name": "image", "datatype": "BYTES", "shape": [-1],
              "parameters": { "optional": true, "content": "image file; base64 where the tensor is JSON" } },
            { "name": "pixel_values", "datatype": "FP32", "shape": [-1, 3, side, side],
              "parameters": { "optional": true } },
        ],
        "outputs": [
            { "name": "label", "datatype": "BYTES", "shape": [-1] },
            { "name": "probabilities", "datatype": "FP32", "shape": [-1, classes] },
            { "name": "logits", "datatype": "FP32", "shape": [-1, classes] },
        ],
        "parameters": { "method": prompt.method, "task": prompt.task, "labels": prompt.classifier.classes },
    })
}

/// The answer to a request.
async fn answer(
    app: &App,
    prompt: &Arc<Prompt>,
    version: Option<String>,
    request: &Request,
) -> Result<Response, RequestError> {
    let images = images(prompt, request)?;
    let count = images.len();
    // all at once, so that they go through the tower together
    // where one is refused or the one who asked has gone, the others end with the set
    let mut asked = JoinSet::new();
    for (place, image) in images.into_iter().enumerate() {
        let (app, prompt) = (app.clone(), Arc::clone(prompt));
        asked.spawn(async move { (place, app.ask(image, &[prompt], false).await) });
    }
    let mut rows = vec![Vec::new(); count];
    while let Some(said) = asked.join_next().await {
        let (place, said) = said.map_err(|_| RequestError::Own("a worker failed".to_owned()))?;
        rows[place] = said?.into_iter().flat_map(|said| said.logits).collect();
    }
    let logits = rows.concat();
    let outputs = outputs(prompt, request, count, &logits)?;
    Ok(response::write(request, &prompt.name, version, &outputs))
}

/// The images of a request.
fn images(prompt: &Prompt, request: &Request) -> Result<Vec<Image>, RequestError> {
    let [input] = &request.inputs[..] else {
        return Err(RequestError::Bad(format!(
            "{} inputs: expected one, `image` or `pixel_values`",
            request.inputs.len()
        )));
    };
    let count = input.shape.first().copied().unwrap_or(0);
    if !(1..=IMAGES).contains(&count) {
        return Err(RequestError::Bad(format!(
            "{count} images: expected 1 to {IMAGES}"
        )));
    }
    match (input.name.as_str(), &input.values) {
        ("image", Values::Bytes(files)) => {
            if input.shape != [count] {
                return Err(RequestError::Bad(format!(
                    "image of shape {:?}: expected [n]",
                    input.shape
                )));
            }
            Ok(files.iter().map(|file| Image::File(file.clone())).collect())
        }
        ("pixel_values", Values::Floats(values)) => {
            let side = prompt.preprocess.image_size as usize;
            if input.shape != [count, 3, side, side] {
                return Err(RequestError::Bad(format!(
                    "pixel_values of shape {:?}: expected [n, 3, {side}, {side}]",
                    input.shape
                )));
            }
            if values.iter().any(|value| !value.is_finite()) {
                return Err(RequestError::Bad(
                    "pixel_values: a number that is NaN or infinite".to_owned(),
                ));
            }
            let one = values.len() / count;
            let image = |values: &[f32]| Image::Pixels(values.to_vec());
            Ok(values.chunks_exact(one).map(image).collect())
        }
        (name, _) => Err(RequestError::Bad(format!(
            "the input `{name}` of {}: expected `image` of BYTES or `pixel_values` of FP32",
            input.values.datatype()
        ))),
    }
}

/// The outputs that were asked for, or the usual ones.
fn outputs(
    prompt: &Prompt,
    request: &Request,
    count: usize,
    logits: &[f32],
) -> Result<Vec<Output>, RequestError> {
    let classes = &prompt.classifier.classes;
    let usual = ["label", "probabilities"];
    let names: Vec<(String, bool)> = if request.outputs.is_empty() {
        let usual = usual.iter().map(|name| (*name).to_owned());
        usual.map(|name| (name, request.binary_output)).collect()
    } else {
        request.outputs.clone()
    };
    let output = |(name, binary): (String, bool)| {
        let floats = |values| Tensor {
            name: name.clone(),
            shape: vec![count, classes.len()],
            values: Values::Floats(values),
        };
        let tensor = match name.as_str() {
            "logits" => floats(logits.to_vec()),
            "probabilities" => floats(of_logits(&prompt.classifier, logits.to_vec(), Apply::Usual)),
            "label" => Tensor {
                name: name.clone(),
                shape: vec![count],
                values: Values::Bytes(
                    logits
                        .chunks_exact(classes.len().max(1))
                        .map(|row| classes[best(row)].clone().into_bytes().into())
                        .collect(),
                ),
            },
            other => {
                return Err(RequestError::NotFound(format!(
                    "no output is called `{other}`; there are label, probabilities, logits"
                )));
            }
        };
        Ok(Output { tensor, binary })
    };
    names.into_iter().map(output).collect()
}

/// The place of the largest number, the first of equal ones.
fn best(row: &[f32]) -> usize {
    let mut best = 0;
    for (place, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = place;
        }
    }
    best
}
