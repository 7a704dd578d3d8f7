//! A result in the form of CLIP_benchmark's result files.

use serde_json::{Map, Value, json};
use vlpt_data::Metric;

use crate::Evaluation;

/// Fewest classes that have a top-5 accuracy there.
const TOP5_CLASSES: usize = 5;

impl Evaluation {
    /// The result in the form of CLIP_benchmark's result files, with its names and what it means by
    /// them: `acc1`; `acc5`, which with fewer than five classes is no number (`null`, for JSON has no
    /// NaN; pandas reads it as one); `mean_per_class_recall`, scikit-learn's balanced accuracy with all
    /// classes to be predicted; and for images of several classes `mean_average_precision`, over all
    /// classes. A metric of the task's own that is none of these stands beside them under its name.
    pub fn clip_benchmark(&self, model: &str, pretrained: &str) -> Value {
        let mut values = Map::new();
        if let (Some(acc1), Some(acc5), Some(recall)) =
            (self.accuracy, self.accuracy_top5, self.balanced_accuracy)
        {
            let acc5 = (self.classes.len() >= TOP5_CLASSES).then_some(acc5);
            values.insert("acc1".to_owned(), json!(acc1));
            values.insert("acc5".to_owned(), json!(acc5));
            values.insert("mean_per_class_recall".to_owned(), json!(recall));
        }
        if let Some(precision) = self.average_precision {
            values.insert("mean_average_precision".to_owned(), json!(precision));
        }
        if !matches!(self.metric, Metric::Accuracy | Metric::MeanPerClass) {
            values.insert(self.metric.name().to_owned(), json!(self.value));
        }
        json!({
            "dataset": self.task,
            "model": model,
            "pretrained": pretrained,
            "task": "zeroshot_classification",
            "metrics": values,
            "language": "en",
            "choices": {
                "classes_of": self.classes_of,
                "classes": self.classes,
                "data_classes": self.data_classes.as_ref().unwrap_or(&self.classes),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassesOf, IntervalKind, SplitName};

    fn evaluation(classes: usize, metric: Metric) -> Evaluation {
        let single = matches!(metric, Metric::Accuracy | Metric::MeanPerClass);
        Evaluation {
            task: "pets".to_owned(),
            split: SplitName::Test,
            images: 4,
            left_out: 0,
            classes: (0..classes).map(|class| class.to_string()).collect(),
            classes_of: ClassesOf::Data,
            data_classes: None,
            metric,
            value: 0.5,
            low: 0.4,
            high: 0.6,
            interval: IntervalKind::Wilson,
            confidence: 0.95,
            accuracy: single.then_some(0.5),
            accuracy_top5: single.then_some(1.0),
            mean_per_class: single.then_some(0.75),
            macro_f1: None,
            brier_score: None,
            calibration: None,
            scaled: None,
            balanced_accuracy: single.then_some(0.25),
            average_precision: (!single).then_some(0.375),
            per_class: Vec::new(),
            confusion: Vec::new(),
            threshold: None,
            predictions: Vec::new(),
            probabilities: Vec::new(),
        }
    }

    #[test]
    fn names_mean_what_they_mean_there() {
        let metrics = |classes, metric| {
            let file = evaluation(classes, metric).clip_benchmark("model", "weights");
            file["metrics"].clone()
        };
        assert_eq!(
            metrics(5, Metric::MeanPerClass),
            json!({"acc1": 0.5, "acc5": 1.0, "mean_per_class_recall": 0.25})
        );
        // four classes have no five most probable ones
        assert_eq!(
            metrics(4, Metric::Accuracy),
            json!({"acc1": 0.5, "acc5": null, "mean_per_class_recall": 0.25})
        );
        assert_eq!(
            metrics(20, Metric::ElevenPointMap),
            json!({"mean_average_precision": 0.375, "11point_mAP": 0.5})
        );
    }
}
