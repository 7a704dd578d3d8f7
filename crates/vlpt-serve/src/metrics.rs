//! What the server counts, for Prometheus.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// What a request was, for counting.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    route: String,
    code: u16,
}

/// What a duration is of.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
}

/// All counters. Clones count together.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<All>);

struct All {
    registry: Registry,
    requests: Family<Request, Counter>,
    duration: Family<Route, Histogram>,
    queue: Histogram,
    inference: Histogram,
    batch: Histogram,
    pass: Histogram,
    at_work: Gauge,
    prompts: Gauge,
}

/// Seconds from half a millisecond to half a minute.
const SECONDS: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0,
    30.0,
];
/// Images.
const IMAGES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

impl Metrics {
    /// All at 0.
    pub(crate) fn new() -> Self {
        let seconds = || Histogram::new(SECONDS);
        let images = || Histogram::new(IMAGES);
        let mut registry = Registry::with_prefix("vlpt");
        let all = All {
            requests: Family::default(),
            duration: Family::new_with_constructor(seconds),
            queue: seconds(),
            inference: seconds(),
            batch: images(),
            pass: images(),
            at_work: Gauge::default(),
            prompts: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered", all.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "From the head of a request to its answer",
            Unit::Seconds,
            all.duration.clone(),
        );
        registry.register_with_unit(
            "queue_duration",
            "How long an image waited for the tower",
            Unit::Seconds,
            all.queue.clone(),
        );
        registry.register_with_unit(
            "inference_duration",
            "How long a batch took in towers and classifiers",
            Unit::Seconds,
            all.inference.clone(),
        );
        registry.register("batch_size", "Images of a batch", all.batch.clone());
        registry.register(
            "pass_size",
            "Images of a pass through the tower",
            all.pass.clone(),
        );
        registry.register(
            "requests_at_work",
            "Requests at work or waiting",
            all.at_work.clone(),
        );
        registry.register("prompts", "Prompts served", all.prompts.clone());
        Self(Arc::new(All { registry, ..all }))
    }

    /// A request was answered.
    pub(crate) fn request(&self, route: &str, code: u16, took: Duration) {
        let route = route.to_owned();
        let request = Request {
            route: route.clone(),
            code,
        };
        self.0.requests.get_or_create(&request).inc();
        let of = self.0.duration.get_or_create(&Route { route });
        of.observe(took.as_secs_f64());
    }

    /// An image waited for the tower.
    pub(crate) fn waited(&self, time: Duration) {
        self.0.queue.observe(time.as_secs_f64());
    }

    /// A batch was answered.
    pub(crate) fn batch(&self, images: usize, took: Duration) {
        self.0.batch.observe(images as f64);
        self.0.inference.observe(took.as_secs_f64());
    }

    /// Images went through the tower together.
    pub(crate) fn pass(&self, images: usize) {
        self.0.pass.observe(images as f64);
    }

    /// What is so at the moment.
    pub(crate) fn now(&self, at_work: usize, prompts: usize) {
        self.0.at_work.set(at_work as i64);
        self.0.prompts.set(prompts as i64);
    }

    /// All of them as text (OpenMetrics).
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // writing to a text cannot fail
        let _ = text::encode(&mut text, &self.0.registry);
        text
    }
}
