//! The bodies of Hugging Face's image-classification and zero-shot-image-classification.

use std::num::NonZeroUsize;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body;
use super::extract::{Path, Query};
use super::scores::{Apply, Score, best, of_logits};
use crate::answer::{App, Image};
use crate::error::RequestError;
use crate::prompts::ZERO_SHOT;

/// An image with what is asked of it.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Inputs {
    /// The image file's bytes in base64.
    inputs: String,
    /// What is asked.
    #[serde(default)]
    parameters: Parameters,
}

/// What is asked of an image.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// What logits become.
    #[serde(default)]
    function_to_apply: Apply,
    /// How many classes are told; all where it is left out.
    #[schema(value_type = Option<usize>, minimum = 1)]
    top_k: Option<NonZeroUsize>,
    /// Class names to tell apart instead of the prompt's.
    candidate_labels: Option<Vec<String>>,
    /// A text with `{}` for the name; of `zero-shot` alone.
    hypothesis_template: Option<String>,
}

/// What is asked of an image that is the body itself.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    top_k: Option<NonZeroUsize>,
}

/// Classes with probabilities, best first: of the prompt's own classes, or of `candidate_labels`. The
/// prompt `zero-shot` is the model as it is, and needs them.
#[utoipa::path(post, path = "/models/{name}", tag = "prediction",
    params(("name" = String, Path, description = "The prompt, or `zero-shot`"),
           ("top_k" = Option<usize>, Query, description = "How many classes are told, where the body is an image")),
    request_body(description = "An image file's bytes, or JSON with them in base64",
        content((Vec<u8> = "application/octet-stream"), (Inputs = "application/json"))),
    responses((status = 200, description = "Classes with scores, best first", body = [Score]),
              (status = 400, description = "No image, or names that the prompt cannot be used with"),
              (status = 404, description = "No such prompt"), (status = 413, description = "Too large"),
              (status = 429, description = "Busy; try again after Retry-After")))]
pub(super) async fn classify(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<Vec<Score>>, RequestError> {
    let bytes = body::read(&app, &headers, sent).await?;
    let (image, parameters) = if body::is_json(&headers) {
        let inputs: Inputs = body::json(&bytes)?;
        (body::image(&inputs.inputs)?, inputs.parameters)
    } else {
        (body::raw(bytes)?, Parameters::default())
    };
    let template = parameters.hypothesis_template;
    let prompt = match parameters.candidate_labels {
        Some(labels) => app.for_names(&name, labels, template).await?,
        None if name == ZERO_SHOT => {
            return Err(RequestError::Bad(
                "zero-shot knows no classes: give parameters.candidate_labels".to_owned(),
            ));
        }
        None if template.is_some() => {
            return Err(RequestError::Bad(
                "a hypothesis_template needs candidate_labels".to_owned(),
            ));
        }
        None => app.prompt(&name)?,
    };
    let said = app.ask(Image::File(image), std::slice::from_ref(&prompt), false);
    let said = said.await?.into_iter().next();
    let said = said.ok_or_else(|| RequestError::Own("no answer".to_owned()))?;
    let classifier = &prompt.classifier;
    let scores = of_logits(classifier, said.logits, parameters.function_to_apply);
    let top = parameters.top_k.or(asked.top_k).map(NonZeroUsize::get);
    Ok(Json(best(&classifier.classes, &scores, top)))
}
