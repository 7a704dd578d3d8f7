//! An HTTP server: one frozen tower that answers for many tuned prompts.
//!
//! A tuned prompt is a few thousand numbers beside a model of many millions. So one model in memory
//! serves them all: [`Server`] holds the towers once, takes prompts in and out while it runs, and
//! answers each request by the prompts that it names.
//!
//! * An image goes through the image tower once for all prompts that leave it as it is.
//! * Prompts of learned rows share a pass too: rows are a few more keys in attention, and each image
//!   of a batch may have those of another prompt.
//! * Images of many requests go together ([`ServeOptions::batch`], [`ServeOptions::wait`]).
//! * A request holds a permit from its head to its answer; with none left, the answer is 429 at once.
//!
//! Interfaces: Open Inference Protocol v2 with binary tensors, the bodies of Hugging Face's
//! image-classification and zero-shot-image-classification, raw image bytes, and a page for people;
//! `/openapi.json` describes them. No URL that a request names is ever fetched.

mod answer;
mod engine;
mod error;
mod http;
mod metrics;
mod options;
mod prompts;
mod server;

pub use error::ServeError;
pub use options::{ServeOptions, Watched};
pub use prompts::NamedFolder;
pub use server::Server;
