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
