//! Paths, and what stands before them.

mod about;
mod body;
mod extract;
mod guard;
mod hugging_face;
mod oip;
mod openapi;
mod page;
mod predict;
mod scores;
mod unread;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::answer::App;
use crate::error::RequestError;

/// All paths.
pub(crate) fn router(app: App) -> Router {
    // what computes: a permit each, and a limit of time
    let work = Router::new()
        .route("/v1/predict", post(predict::predict))
        .route("/models/{name}", post(hugging_face::classify))
        .route("/v2/models/{name}/infer", post(oip::infer))
        .route(
            "/v2/models/{name}/versions/{version}/infer",
            post(oip::infer_version),
        )
        .route_layer(from_fn_with_state(app.clone(), guard::permit));
    let told = Router::new()
        .route("/v1/prompts", get(about::prompts))
        .route("/v1/prompts/{name}", get(about::prompt))
        .route("/v2", get(oip::server))
        .route("/v2/models/{name}", get(oip::model))
        .route(
            "/v2/models/{name}/versions/{version}",
            get(oip::model_version),
        )
        .route("/v2/models/{name}/ready", get(oip::model_ready))
        .route(
            "/v2/models/{name}/versions/{version}/ready",
            get(oip::model_version_ready),
        )
        .route("/metrics", get(about::metrics));
    let open = Router::new()
        .route("/health", get(about::health))
        .route("/v2/health/live", get(about::live))
        .route("/v2/health/ready", get(about::ready))
        .route("/ready", get(about::ready))
        .route("/openapi.json", get(openapi::document))
        .route("/", get(page::index))
        .route("/docs", get(page::docs))
        .route("/page/{file}", get(page::file));
    work.merge(told)
        .route_layer(from_fn_with_state(app.clone(), guard::token))
        .merge(open)
        .fallback(|| async {
            RequestError::NotFound("no such path; /openapi.json has all".to_owned())
        })
        .method_not_allowed_fallback(|| async {
            RequestError::Bad("the path has another method; /openapi.json has all".to_owned())
        })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(guard::no_sniffing))
        .layer(from_fn_with_state(app.clone(), guard::observe))
        .layer(from_fn_with_state(app.clone(), unread::read_on))
        .with_state(app)
}
