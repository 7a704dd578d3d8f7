//! A job: what is trained, from what, and where it is evaluated.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use vlpt_base::hash::sha256;

use crate::canonical::canonical;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nothing is trained: CLIP with written prompts, evaluated on every target.
    ZeroShot,
    /// Trains on one source task and evaluates on every target without training there.
    Train,
    /// Trains on one target from scratch: what transfer is compared with.
    Single,
    /// Trains on two tasks together and evaluates on those of them that are targets.
    CoTrain,
    /// Starts from the prompt of a source, trains on one target, evaluates there.
    Adapt,
    /// Trains one prompt on a group of targets and evaluates on each member.
    Joint,
}

impl Kind {
    /// Every kind, in the order in which a plan lists them.
    pub const ALL: [Self; 6] = [
        Self::ZeroShot,
        Self::Train,
        Self::Single,
        Self::CoTrain,
        Self::Adapt,
        Self::Joint,
    ];

    /// The name in plans and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot",
            Self::Train => "train",
            Self::Single => "single",
            Self::CoTrain => "co-train",
            Self::Adapt => "adapt",
            Self::Joint => "joint",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A job's name: the SHA-256 of its content, 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// Reads an id; `None` unless it is 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == 64 && digits).then(|| Self(text.to_owned()))
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits: enough for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "job id \"{text}\": expected 64 lower-case hexadecimal digits"
            ))
        })
    }
}

/// A task by its name in the study, with whatever is needed to load it anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// The name in tables; unique in a study.
    pub name: String,
    /// Where its images are, what they hash to, its metric: the study does not look inside.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub settings: Value,
}

/// The jobs whose prompt a job starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartPoint {
    /// The names of the tasks the prompt was trained on.
    pub tasks: Vec<String>,
    /// Images per class it was trained with.
    pub shots: usize,
    /// The jobs that trained it: one, or several whose prompts are averaged.
    #[serde(rename = "units")]
    pub jobs: Vec<JobId>,
}

/// A job of a study. It is self-contained: whoever holds it, and the results of the jobs it
/// starts from, can do it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What it does.
    pub kind: Kind,
    /// The method's name in tables.
    pub method: String,
    /// The tasks it trains on, in the order of their label space.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub train_on: Vec<TaskSpec>,
    /// What it starts from; nothing: the method's own start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_from: Option<StartPoint>,
    /// The tasks it is evaluated on.
    pub evaluate_on: Vec<TaskSpec>,
    /// Images per class it trains with.
    pub shots: usize,
    /// Seed of everything drawn.
    pub seed: u64,
    /// The method's settings: the study does not look inside.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub recipe: Value,
    /// Settings common to all jobs (model, its hash, preprocessing): not looked into either.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub settings: Value,
}

impl Job {
    /// A job that trains on nothing yet and is judged on nothing yet.
    pub fn new(
        kind: Kind,
        method: &str,
        (shots, seed): (usize, u64),
        recipe: Value,
        settings: Value,
    ) -> Self {
        Self {
            kind,
            method: method.to_owned(),
            train_on: Vec::new(),
            start_from: None,
            evaluate_on: Vec::new(),
            shots,
            seed,
            recipe,
            settings,
        }
    }

    /// The job as canonical JSON, without its id.
    pub fn content(&self) -> String {
        canonical(&self.to_value())
    }

    /// The id: SHA-256 of [`Job::content`].
    pub fn id(&self) -> JobId {
        JobId(sha256(self.content().as_bytes()))
    }

    /// The jobs whose results this one needs.
    pub fn needs(&self) -> &[JobId] {
        self.start_from.as_ref().map_or(&[], |source| &source.jobs)
    }

    /// One line for people: `adapt coop pets -> flowers, 5 shots, seed 1`.
    pub fn title(&self) -> String {
        let names = |tasks: &[TaskSpec]| {
            let names: Vec<_> = tasks.iter().map(|t| t.name.as_str()).collect();
            names.join("+")
        };
        let from = self
            .start_from
            .as_ref()
            .map_or_else(String::new, |s| format!("{} -> ", s.tasks.join("+")));
        match self.kind {
            // of one task alone, or of all
            Kind::ZeroShot => match &self.evaluate_on[..] {
                [task] => format!("{} on {}", self.method, task.name),
                _ => format!("{} {}", self.kind, self.method),
            },
            _ => format!(
                "{} {} {from}{}, {} shots, seed {}",
                self.kind,
                self.method,
                names(&self.train_on),
                self.shots,
                self.seed
            ),
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a job has string keys only")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(recipe: Value) -> Job {
        Job {
            kind: Kind::Train,
            method: "coop".into(),
            train_on: vec![TaskSpec {
                name: "pets".into(),
                settings: Value::Null,
            }],
            start_from: None,
            evaluate_on: Vec::new(),
            shots: 16,
            seed: 0,
            recipe,
            settings: Value::Null,
        }
    }

    #[test]
    fn the_id_is_the_hash_of_the_content_whatever_the_order_of_keys() {
        let one = job(json!({"lr": 0.002, "epochs": 50}));
        let two = job(json!({"epochs": 50, "lr": 0.002}));
        assert_eq!(one.id(), two.id());
        assert_eq!(one.id().as_str(), sha256(one.content().as_bytes()));
        assert_ne!(one.id(), job(json!({"epochs": 51, "lr": 0.002})).id());
    }

    #[test]
    fn an_id_is_64_lower_case_digits_and_never_a_path() {
        assert!(JobId::parse(&"a".repeat(64)).is_some());
        assert!(JobId::parse(&"A".repeat(64)).is_none());
        assert!(JobId::parse("../../etc/passwd").is_none());
    }
}
