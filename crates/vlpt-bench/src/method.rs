//! A method of a benchmark, ready for jobs.

use serde_json::Value;
use vlpt_train::RunConfig;

/// A method of a benchmark.
#[derive(Debug, Clone, Default)]
pub struct BenchMethod {
    /// Its name in tables.
    pub name: String,
    /// The recipe it follows; none: the program's own values.
    pub from: Option<String>,
    /// Its runs' configuration, without what jobs decide.
    pub config: RunConfig,
    /// The same as jobs say it.
    pub recipe: Value,
    /// That of jobs that train on ImageNet alone, where published code has another there.
    pub imagenet_recipe: Option<Value>,
    /// That of a source stage over several tasks.
    pub source_recipe: Value,
}
