//! The weight of each class, from the images that are trained on.

use vlpt_adapter::places;

use super::TrainingData;
use crate::{ClassWeights, Result, TrainError, WeightRule};

impl ClassWeights {
    /// A weight for each class; none where all weigh the same.
    ///
    /// # Errors
    /// A name that is no class, names in doubt, or images of several classes.
    pub fn of(&self, data: &TrainingData) -> Result<Option<Vec<f64>>> {
        if self.is_none() {
            return Ok(None);
        }
        if data.task.multi_label {
            return Err(TrainError::Incompatible {
                what: format!(
                    "train.class_weights is set, but an image of {} may show several classes",
                    data.task.name
                ),
                hint: Some(
                    "leave --class-weights out: an image is weighed by its one class".to_owned(),
                ),
            });
        }
        let classes = &data.task.classes;
        match self {
            Self::Rule(_) => {
                debug_assert_eq!(*self, Self::Rule(WeightRule::Balanced));
                Ok(Some(balanced(data)))
            }
            Self::Named(named) => {
                let names: Vec<String> = named.keys().cloned().collect();
                let mut weights = vec![1.0; classes.len()];
                let found = places(&names, classes)?;
                for ((name, &weight), place) in named.iter().zip(found) {
                    let Some(place) = place else {
                        return Err(TrainError::Setting {
                            key: "train.class_weights",
                            found: format!("a weight for \"{name}\""),
                            expected: format!("classes of {}", data.task.name),
                        });
                    };
                    weights[place] = weight;
                }
                Ok(Some(weights))
            }
        }
    }
}

/// Of each task: its images, divided by its classes that have some and by the images of the class; 1
/// for a class without.
fn balanced(data: &TrainingData) -> Vec<f64> {
    let counts = data.train.class_counts(data.task.classes.len());
    let mut weights = Vec::with_capacity(counts.len());
    for member in &data.members {
        let own = &counts[member.classes.clone()];
        let images: usize = own.iter().sum();
        let shown = own.iter().filter(|&&count| count > 0).count();
        weights.extend(own.iter().map(|&count| match count {
            0 => 1.0,
            count => images as f64 / (shown * count) as f64,
        }));
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunConfig;

    fn data() -> TrainingData {
        let mut config = RunConfig::default();
        config.few_shot.shots = vlpt_data::Shots::Count(4);
        let task = vlpt_data::synthetic::task("shapes", 0).unwrap();
        let mut data = TrainingData::of(task, &config).unwrap();
        // One image of the first class is left.
        let mut seen = 0;
        data.train.samples.retain(|sample| {
            seen += usize::from(sample.labels == [0]);
            sample.labels != [0] || seen == 1
        });
        data.members[0].train = 0..data.train.len();
        data
    }

    #[test]
    fn balanced_classes_weigh_the_same_together() {
        let data = data();
        let weights = ClassWeights::Rule(WeightRule::Balanced)
            .of(&data)
            .unwrap()
            .unwrap();
        let counts = data.train.class_counts(weights.len());
        let each = data.train.len() as f64 / weights.len() as f64;
        for (weight, count) in weights.iter().zip(counts) {
            assert!((weight * count as f64 - each).abs() < 1e-12);
        }
        assert!(ClassWeights::default().of(&data).unwrap().is_none());
    }

    #[test]
    fn weights_by_name_are_of_classes() {
        let data = data();
        let first = data.task.classes[0].to_uppercase();
        let named = |name: &str| ClassWeights::Named([(name.to_owned(), 2.5)].into());
        let weights = named(&first).of(&data).unwrap().unwrap();
        assert_eq!((weights[0], weights[1]), (2.5, 1.0));
        let error = named("no such class").of(&data).unwrap_err().to_string();
        assert!(error.contains("no such class"), "{error}");
    }
}
