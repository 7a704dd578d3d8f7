//! The description of all paths, made of the handlers themselves.

use axum::Json;
use utoipa::OpenApi;

use super::{about, hugging_face, oip, predict};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "vlpt",
        description = "Many tuned prompts on one frozen tower. An answer that is no success is JSON with an `error`."
    ),
    paths(
        predict::predict,
        hugging_face::classify,
        about::prompts,
        about::prompt,
        about::health,
        about::ready,
        about::metrics,
        oip::server,
        oip::model,
        oip::infer,
    )
)]
struct Description;

/// `GET /openapi.json`.
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
