//! What the server says of itself.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::Path;
use crate::answer::App;
use crate::error::RequestError;
use crate::prompts::Prompt;

/// A prompt, as others see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct About {
    /// The name in URLs.
    name: String,
    /// Changes with the prompt.
    version: String,
    /// The method that tuned it.
    method: String,
    /// The task it was tuned for.
    task: String,
    /// Number of classes.
    classes: usize,
    /// The class names, in the order of the numbers; of one prompt alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<String>>,
    /// The least probability of an answer: below it an image is of none of the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    /// Side of the square that the model sees, in pixels.
    image_size: u32,
}

impl About {
    fn of(prompt: &Prompt, labels: bool) -> Self {
        let classes = &prompt.classifier.classes;
        Self {
            name: prompt.name.clone(),
            version: prompt.version.clone(),
            method: prompt.method.clone(),
            task: prompt.task.clone(),
            classes: classes.len(),
            labels: labels.then(|| classes.clone()),
            threshold: prompt.threshold,
            image_size: prompt.preprocess.image_size,
        }
    }
}

/// All prompts.
#[utoipa::path(get, path = "/v1/prompts", tag = "prompts",
    responses((status = 200, description = "All prompts, by name", body = [About])))]
pub(super) async fn prompts(State(app): State<App>) -> Json<Vec<About>> {
    let all = app.prompts.now();
    Json(
        all.values()
            .map(|prompt| About::of(prompt, false))
            .collect(),
    )
}

/// One prompt with its class names.
#[utoipa::path(get, path = "/v1/prompts/{name}", tag = "prompts",
    params(("name" = String, Path, description = "The prompt")),
    responses((status = 200, description = "The prompt with its class names", body = About),
              (status = 404, description = "No such prompt")))]
pub(super) async fn prompt(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<About>, RequestError> {
    Ok(Json(About::of(&*app.prompt(&name)?, true)))
}

/// Whether the process lives.
#[utoipa::path(get, path = "/health", tag = "server",
    responses((status = 200, description = "The server runs")))]
pub(super) async fn health() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}

/// The same, in the words of the Open Inference Protocol.
pub(super) async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "live": true }))
}

/// Whether there is a prompt to ask.
#[utoipa::path(get, path = "/ready", tag = "server",
    responses((status = 200, description = "There is a prompt to ask"),
              (status = 503, description = "There is none yet")))]
pub(super) async fn ready(State(app): State<App>) -> impl IntoResponse {
    let ready = !app.prompts.now().is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(serde_json::json!({ "live": true, "ready": ready })),
    )
}

/// Counters for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "server",
    responses((status = 200, description = "Counters in OpenMetrics' text format", content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let at_work = app.options.queue - app.permits.available_permits();
    app.metrics.now(at_work, app.prompts.now().len());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text())
}
