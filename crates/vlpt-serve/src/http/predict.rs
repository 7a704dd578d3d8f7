//! One image, any number of prompts.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vlpt_adapter::is_answer;

use super::body;
use super::extract::Query;
use super::scores::{Apply, Score, best, of_logits};
use crate::answer::{App, Image};
use crate::error::RequestError;
use crate::prompts::Prompt;

/// How many classes are told of each prompt, where nothing else is asked for.
const TOP: usize = 5;
/// The most prompts of one request.
const PROMPTS: usize = 1000;

/// What is asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The prompts to ask, separated by commas; all of them where it is left out
    prompts: Option<String>,
    /// How many classes are told of each [default: 5]
    #[param(value_type = Option<usize>, minimum = 1)]
    top_k: Option<NonZeroUsize>,
    /// Also tell what the model looked at: a share for each patch, row by row
    #[serde(default)]
    attention: bool,
}

/// An image in JSON.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ImageBody {
    /// The image file's bytes in base64.
    image: String,
}

/// What a prompt says of the image.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Answered {
    /// The prompt's version.
    version: String,
    /// The best classes, best first.
    predictions: Vec<Score>,
    /// Whether the image is of none of the classes by the prompt's threshold, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    none: Option<bool>,
    /// Shares of the class token's attention in the last block, row by row of patches.
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<Vec<f32>>,
}

/// Asks prompts of an image: the image goes through the tower once for all that leave the tower as
/// it is.
#[utoipa::path(post, path = "/v1/predict", tag = "prediction", params(Asked),
    request_body(description = "An image file's bytes, or JSON with them in base64",
        content((Vec<u8> = "application/octet-stream"), (ImageBody = "application/json"))),
    responses((status = 200, description = "What each prompt says, by name", body = BTreeMap<String, Answered>),
              (status = 400, description = "No image"), (status = 404, description = "No such prompt"),
              (status = 413, description = "Too large"), (status = 429, description = "Busy; try again after Retry-After")))]
pub(super) async fn predict(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<BTreeMap<String, Answered>>, RequestError> {
    let prompts = prompts(&app, asked.prompts.as_deref())?;
    let bytes = body::read(&app, &headers, sent).await?;
    let image = if body::is_json(&headers) {
        body::image(&body::json::<ImageBody>(&bytes)?.image)?
    } else {
        body::raw(bytes)?
    };
    let said = app
        .ask(Image::File(image), &prompts, asked.attention)
        .await?;
    let top = Some(asked.top_k.map_or(TOP, NonZeroUsize::get));
    let answers = prompts.iter().zip(said).map(|(prompt, said)| {
        let classifier = &prompt.classifier;
        let scores = of_logits(classifier, said.logits, Apply::Usual);
        let top_score = scores.iter().copied().fold(0.0_f32, f32::max);
        let answered = Answered {
            version: prompt.version.clone(),
            none: prompt.threshold.map(|least| !is_answer(top_score, least)),
            predictions: best(&classifier.classes, &scores, top),
            attention: said.attention,
        };
        (prompt.name.clone(), answered)
    });
    Ok(Json(answers.collect()))
}

/// The prompts of a list of names, each once.
fn prompts(app: &App, names: Option<&str>) -> Result<Vec<Arc<Prompt>>, RequestError> {
    let all = app.prompts.now();
    let prompts: Vec<Arc<Prompt>> = match names {
        None => all.values().cloned().collect(),
        Some(names) => {
            let mut names: Vec<&str> = names.split(',').map(str::trim).collect();
            names.sort_unstable();
            names.dedup();
            let prompt = |name: &str| app.prompt(name);
            names.into_iter().map(prompt).collect::<Result<_, _>>()?
        }
    };
    match prompts.len() {
        0 => Err(RequestError::NotFound("there is no prompt yet".to_owned())),
        1..=PROMPTS => Ok(prompts),
        more => Err(RequestError::Bad(format!(
            "{more} prompts at once: expected at most {PROMPTS}; name some with ?prompts="
        ))),
    }
}
