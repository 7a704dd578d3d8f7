//! Hyper-parameters chosen by validation images, before a job's training.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::job::Job;

use super::context::ExecutorError;
use super::settings::SEARCH;

/// The most trainings of a search: more end in no lifetime.
const MOST_TRIALS: usize = 100_000;

/// What is tried out before a job trains: every combination of the values of its axes, each trained as
/// the job would be and judged on the validation images of the same few shots. Test images play no part,
/// unless `on_test` says so.
///
/// It is the key `search` of a job's recipe, so that another search is another job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// The settings that are searched.
    pub axes: Vec<SearchAxis>,
    /// Settings of the trials alone, such as fewer epochs, by their keys.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub trial: Map<String, Value>,
    /// Settings of the last training alone, with what was found best, by their keys.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub last: Map<String, Value>,
    /// Judge trials on the test images, which makes the result too good: how some published figures were
    /// tuned. For comparison only.
    #[serde(skip_serializing_if = "is_off")]
    pub on_test: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way to ask
fn is_off(value: &bool) -> bool {
    !*value
}

/// A setting and the values it may have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchAxis {
    /// Its key in a configuration, such as `train.lr`.
    pub key: String,
    /// Its values, in their order.
    pub values: Vec<Value>,
    /// Where not every value is tried: first those so many places apart, then around the best one those
    /// half as many places to both sides, and so on down to its neighbours. At most one axis has this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coarse: Option<usize>,
}

/// A combination that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Trial {
    /// Its settings.
    pub(super) settings: Map<String, Value>,
    /// The task's metric on the validation images; none where it failed.
    pub(super) value: Option<f64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl Search {
    /// The grid of ELEVATER's toolkit: six learning rates from 1e-6 to 0.1, and for each of them weight
    /// decays out of 97 from 1e-6 to 1e6, seven at first and then around the best one; trials of 10
    /// epochs. The last training learns from the validation images too, so that its last epoch is kept;
    /// with one shot, where these are the training images, that changes nothing.
    pub fn elevater() -> Self {
        let log = |low: f64, high: f64, count: usize| -> Vec<Value> {
            let step = (high - low) / (count - 1) as f64;
            (0..count)
                .map(|i| json!(10f64.powf(low + step * i as f64)))
                .collect()
        };
        Self {
            axes: vec![
                SearchAxis {
                    key: "train.lr".to_owned(),
                    values: log(-6.0, -1.0, 6),
                    coarse: None,
                },
                SearchAxis {
                    key: "train.weight_decay".to_owned(),
                    values: log(-6.0, 6.0, 97),
                    coarse: Some(16),
                },
            ],
            trial: Map::from_iter([("train.epochs".to_owned(), json!(10))]),
            last: Map::from_iter([
                ("few_shot.merge_val".to_owned(), json!(true)),
                ("train.select".to_owned(), json!("last")),
            ]),
            on_test: false,
        }
    }

    /// A small grid: a third, once and three times the recipe's learning rate, and half, once and twice
    /// its epochs.
    pub fn small(lr: f64, epochs: Option<usize>) -> Self {
        let mut axes = vec![SearchAxis {
            key: "train.lr".to_owned(),
            values: [lr / 3.0, lr, 3.0 * lr].map(|lr| json!(lr)).to_vec(),
            coarse: None,
        }];
        if let Some(epochs) = epochs {
            let values = [epochs.div_ceil(2), epochs, 2 * epochs];
            axes.push(SearchAxis {
                key: "train.epochs".to_owned(),
                values: values.map(|epochs| json!(epochs)).to_vec(),
                coarse: None,
            });
        }
        Self {
            axes,
            ..Self::default()
        }
    }

    /// The most trainings that it takes beside the last one.
    pub fn trials(&self) -> usize {
        let of = |axis: &SearchAxis| match axis.coarse {
            None => axis.values.len(),
            Some(step) => {
                let step = step.max(1);
                axis.values.len().div_ceil(step) + 2 * step.ilog2() as usize
            }
        };
        self.axes.iter().map(of).fold(1, usize::saturating_mul)
    }

    /// The search of a job, if it has one.
    pub(super) fn of(job: &Job) -> Result<Option<Self>, ExecutorError> {
        let Some(value) = job.recipe.get(SEARCH) else {
            return Ok(None);
        };
        let search = Self::deserialize(value)
            .map_err(|error| ExecutorError::from(format!("search of the job: {error}")))?;
        match search.trials() {
            0..=MOST_TRIALS => Ok(Some(search)),
            more => Err(format!(
                "search of the job: {more} trials, at most {MOST_TRIALS} are made"
            )
            .into()),
        }
    }

    /// Tries combinations; `value` trains and judges one, and is not asked twice for the same. Gives all
    /// trials and the place of the best one: the first of equals.
    pub(super) fn run(&self, value: &mut Try<'_>) -> Result<(Vec<Trial>, usize), ExecutorError> {
        let plain: Vec<&SearchAxis> = self.axes.iter().filter(|a| a.coarse.is_none()).collect();
        let refined: Vec<&SearchAxis> = self.axes.iter().filter(|a| a.coarse.is_some()).collect();
        if refined.len() > 1 {
            return Err("a search refines one axis, not several".into());
        }
        let mut trials = Vec::new();
        for settings in combinations(&plain) {
            match refined.first() {
                None => trials.push(value(&settings)?),
                Some(axis) => refine(axis, &settings, &mut trials, value)?,
            }
        }
        let better = |a: &Trial, b: &Trial| a.value > b.value;
        let mut best = 0;
        for place in 1..trials.len() {
            if better(&trials[place], &trials[best]) {
                best = place;
            }
        }
        match trials.get(best) {
            Some(trial) if trial.value.is_some() => Ok((trials, best)),
            Some(trial) => Err(format!(
                "every trial of the search failed, the first with: {}",
                trial.error.as_deref().unwrap_or("no value")
            )
            .into()),
            None => Err("a search without values".into()),
        }
    }
}

/// Every combination of the values of some axes, the last axis changing first.
fn combinations(axes: &[&SearchAxis]) -> Vec<Map<String, Value>> {
    let mut all = vec![Map::new()];
    for axis in axes {
        let with = |settings: &Map<String, Value>| -> Vec<Map<String, Value>> {
            let one = |value: &Value| {
                let mut settings = settings.clone();
                settings.insert(axis.key.clone(), value.clone());
                settings
            };
            axis.values.iter().map(one).collect()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

/// Trains and judges one combination.
type Try<'a> = dyn FnMut(&Map<String, Value>) -> Result<Trial, ExecutorError> + 'a;

/// Tries some values of one axis, ever nearer to the best.
fn refine(
    axis: &SearchAxis,
    settings: &Map<String, Value>,
    trials: &mut Vec<Trial>,
    value: &mut Try<'_>,
) -> Result<(), ExecutorError> {
    let mut step = axis.coarse.unwrap_or(1).max(1);
    let mut seen: Vec<(usize, Option<f64>)> = Vec::new();
    let mut places: Vec<usize> = (0..axis.values.len()).step_by(step).collect();
    loop {
        for place in places {
            if seen.iter().any(|(known, _)| *known == place) {
                continue;
            }
            let mut settings = settings.clone();
            settings.insert(axis.key.clone(), axis.values[place].clone());
            let trial = value(&settings)?;
            seen.push((place, trial.value));
            trials.push(trial);
        }
        step /= 2;
        let order = |a: &(usize, Option<f64>), b: &(usize, Option<f64>)| {
            let by_value = a.1.partial_cmp(&b.1).unwrap_or(Ordering::Equal);
            by_value.then(b.0.cmp(&a.0))
        };
        let best = seen.iter().max_by(|a, b| order(a, b));
        let (Some((best, _)), true) = (best, step > 0) else {
            return Ok(());
        };
        let around = [best.checked_sub(step), Some(best + step)];
        let inside = around.into_iter().flatten();
        places = inside.filter(|place| *place < axis.values.len()).collect();
    }
}

/// Sets a key such as `train.lr` in a recipe.
pub(super) fn set(recipe: &mut Value, settings: &Map<String, Value>) -> Result<(), ExecutorError> {
    for (key, value) in settings {
        let pointer = format!("/{}", key.replace('.', "/"));
        let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", &pointer));
        let table = recipe.pointer_mut(parent).and_then(Value::as_object_mut);
        let table = table.ok_or_else(|| format!("the search sets {key}, which no recipe has"))?;
        table.insert(name.to_owned(), value.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(
        search: &Search,
        value: impl Fn(&Map<String, Value>) -> Option<f64>,
    ) -> (usize, Map<String, Value>) {
        let mut one = |settings: &Map<String, Value>| {
            Ok(Trial {
                settings: settings.clone(),
                value: value(settings),
                error: None,
            })
        };
        let (trials, best) = search.run(&mut one).unwrap();
        (trials.len(), trials[best].settings.clone())
    }

    #[test]
    fn a_grid_is_tried_whole_and_the_first_of_equals_is_taken() {
        let search = Search::small(0.003, Some(10));
        let (trials, best) = searched(&search, |settings| {
            Some(if settings["train.lr"] == json!(0.003) {
                0.5
            } else {
                0.25
            })
        });
        assert_eq!((trials, search.trials()), (9, 9));
        assert_eq!(best["train.epochs"], json!(5));
    }

    #[test]
    fn the_grid_of_elevater_comes_to_any_peak_within_its_trials() {
        let search = Search::elevater();
        assert_eq!(search.trials(), 6 * (7 + 8));
        let decays = &search.axes[1].values;
        for peak in [0, 1, 41, 55, 96] {
            let place = |settings: &Map<String, Value>| {
                let own = |value: &Value| *value == settings["train.weight_decay"];
                decays.iter().position(own).unwrap()
            };
            let (trials, best) = searched(&search, |settings| {
                let lr = settings["train.lr"].as_f64().unwrap();
                Some(1.0 - place(settings).abs_diff(peak) as f64 / 100.0 - (lr - 1e-3).abs())
            });
            assert!(trials <= search.trials(), "{trials}");
            assert_eq!(place(&best), peak);
            assert!((best["train.lr"].as_f64().unwrap() - 1e-3).abs() < 1e-9);
        }
    }

    #[test]
    fn trials_that_fail_lose_and_a_search_that_fails_whole_says_why() {
        let search = Search::small(1.0, None);
        let (_, best) = searched(&search, |settings| {
            (settings["train.lr"] == json!(3.0)).then_some(0.0)
        });
        assert_eq!(best["train.lr"], json!(3.0));
        let error = search
            .run(&mut |settings| {
                Ok(Trial {
                    settings: settings.clone(),
                    value: None,
                    error: Some("the loss is no number".to_owned()),
                })
            })
            .unwrap_err();
        assert!(error.to_string().contains("the loss is no number"));
    }

    #[test]
    fn more_combinations_than_end_in_a_lifetime_are_none() {
        let axis = SearchAxis {
            key: "train.lr".to_owned(),
            values: vec![json!(1.0); 32],
            coarse: None,
        };
        let search = Search {
            axes: vec![axis; 20],
            ..Search::default()
        };
        assert_eq!(search.trials(), usize::MAX);
    }
}
