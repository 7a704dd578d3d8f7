//! Zero-shot: a classifier from hand-written templates, nothing learned.

use serde::{Deserialize, Serialize};
use serde_json::json;
use vlpt_clip::{Clip, PromptToken, TowerAdaptation};

use super::known_texts::KNOWN;
use crate::head::{FittedHead, Head};
use crate::{Fit, MethodConfig, MethodError, MethodSpec, Needs, Report, Result, class_text};

/// How many texts go through the tower at once; a constant, so that results never depend on it.
const TEXTS_AT_ONCE: usize = 512;
/// The template for data without its own.
pub const DEFAULT_TEMPLATE: &str = "a photo of a {}.";

options! {
    /// Options of the zero-shot classifier.
    pub struct ZeroShotConfig = "zero_shot" {
        /// Which templates class names are put into.
        templates: TemplateChoice = TemplateChoice::Ensemble, "one or ensemble";
    }
}

/// What zero-shot classification says of itself.
pub static SPEC: MethodSpec = MethodSpec {
    name: "zero-shot",
    summary: "baseline: class names in templates, nothing learned",
    source: "Radford et al., \"Learning transferable visual models from natural language supervision\", 2021",
    good_for: "no labelled image at hand, or classes whose names the model \
               knows: the best method gains 3 points on CIFAR-100 (mini-clip, \
               16 shots)",
    tables: &[&ZeroShotConfig::TABLE],
    report: Report {
        done: "Class names in templates tell the classes apart; nothing was learned",
        holds: "class names in templates, nothing learned",
    },
    needs: |_| Needs {
        no_images: true,
        open_classes: true,
        ..Needs::default()
    },
    learns: Some(|_, _| 0),
    fit: Fit::Head(|method, inputs, observer| {
        inputs.check(method)?;
        let config: &ZeroShotConfig = method.options();
        let (templates, text) = inputs.text(config.templates)?;
        let val = inputs.val_metric(|images| inputs.cosines(&text, images), observer)?;
        Ok(FittedHead {
            head: Head::Text(text),
            metrics: json!({"templates": templates.len()}),
            settled: None,
            templates: Some(templates),
            parameters: 0,
            val,
            epochs: Vec::new(),
        })
    }),
    ..MethodSpec::BASE
};

impl From<ZeroShotConfig> for MethodConfig {
    fn from(options: ZeroShotConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

/// Which of the templates at hand are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TemplateChoice {
    /// The task's first, or [`DEFAULT_TEMPLATE`].
    One,
    /// All of the task's; general ones for a task that has one or none.
    #[default]
    Ensemble,
}

impl TemplateChoice {
    /// The templates for a task that has `own` ones; `general` are those for any task.
    pub fn of(self, own: &[String], general: &[String]) -> Vec<String> {
        let first = || own.first().map_or(DEFAULT_TEMPLATE, String::as_str);
        match self {
            Self::Ensemble if own.len() > 1 => own.to_vec(),
            Self::Ensemble if !general.is_empty() => general.to_vec(),
            _ => vec![first().to_owned()],
        }
    }
}

/// Puts a class name into a template at `{}` (or `{c}`); underscores in the name become spaces.
///
/// # Errors
/// A template without a place for the name.
pub fn fill(template: &str, class: &str) -> Result<String> {
    let name = class_text(class);
    if template.contains("{}") {
        Ok(template.replace("{}", &name))
    } else if template.contains("{c}") {
        Ok(template.replace("{c}", &name))
    } else {
        Err(MethodError::Template {
            template: template.to_owned(),
        })
    }
}

/// The zero-shot classifier: normalised text features, row-major (classes x embed).
///
/// Each class's texts, one for each template, are encoded and normalised; their mean is
/// normalised again (Radford et al., 2021).
///
/// # Errors
/// No template, a template without a place for the name, or a text longer than the text tower.
pub fn classifier(clip: &Clip, classes: &[String], templates: &[String]) -> Result<Vec<f32>> {
    ensemble(clip, classes, templates, true)
}

/// The normalised mean of each class's text features (classes x embed), which are normalised
/// themselves before, or not.
pub(crate) fn ensemble(
    clip: &Clip,
    classes: &[String],
    templates: &[String],
    each_normalised: bool,
) -> Result<Vec<f32>> {
    let mut rows = means(clip, classes, templates, each_normalised)?;
    rows.chunks_exact_mut(clip.config.embed_dim)
        .for_each(normalise);
    Ok(rows)
}

/// The mean of each class's text features (classes x embed), as long as it comes out; the features
/// are normalised before, or not.
pub(crate) fn means(
    clip: &Clip,
    classes: &[String],
    templates: &[String],
    each_normalised: bool,
) -> Result<Vec<f32>> {
    if templates.is_empty() {
        return Err(MethodError::NoTemplate);
    }
    KNOWN.get(clip, (classes, templates), each_normalised, || {
        new_means(clip, classes, templates, each_normalised)
    })
}

fn new_means(
    clip: &Clip,
    classes: &[String],
    templates: &[String],
    each_normalised: bool,
) -> Result<Vec<f32>> {
    let embed = clip.config.embed_dim;
    let mut rows = Vec::with_capacity(classes.len() * embed);
    for group in classes.chunks((TEXTS_AT_ONCE / templates.len()).max(1)) {
        let mut texts: Vec<Vec<PromptToken>> = Vec::with_capacity(group.len() * templates.len());
        for class in group {
            for template in templates {
                let ids = clip.tokenizer.encode(&fill(template, class)?)?;
                texts.push(ids.into_iter().map(PromptToken::Token).collect());
            }
        }
        let mut features = clip.text.features(&texts, &TowerAdaptation::NONE);
        if each_normalised {
            features.chunks_exact_mut(embed).for_each(normalise);
        }
        for of_class in features.chunks_exact(embed * templates.len()) {
            rows.extend((0..embed).map(|i| {
                let values = of_class.iter().skip(i).step_by(embed);
                let sum: f64 = values.map(|&v| f64::from(v)).sum();
                (sum / templates.len() as f64) as f32
            }));
        }
    }
    Ok(rows)
}

/// Divides a vector by its length, with the sum of squares in f64; a zero vector stays as it is.
pub fn normalise(vector: &mut [f32]) {
    let length = vector
        .iter()
        .map(|&v| f64::from(v) * f64::from(v))
        .sum::<f64>()
        .sqrt();
    if length > 0.0 {
        for value in vector {
            *value = (f64::from(*value) / length) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_where_the_template_says() {
        assert_eq!(
            fill("a photo of a {}.", "polar_bear").unwrap(),
            "a photo of a polar bear."
        );
        assert_eq!(fill("{c} texture.", "banded").unwrap(), "banded texture.");
        assert!(fill("a photo.", "cat").is_err());
    }

    #[test]
    fn an_ensemble_is_the_tasks_own_or_the_general_one() {
        let general = ["a bad photo of a {}.", "art of a {}."].map(str::to_owned);
        let own = ["a photo of a {}, a pet.", "my {}."].map(str::to_owned);
        assert_eq!(TemplateChoice::One.of(&own, &general), own[..1]);
        assert_eq!(TemplateChoice::One.of(&[], &general), [DEFAULT_TEMPLATE]);
        assert_eq!(TemplateChoice::Ensemble.of(&own, &general), own);
        assert_eq!(TemplateChoice::Ensemble.of(&own[..1], &general), general);
        assert_eq!(TemplateChoice::Ensemble.of(&own[..1], &[]), own[..1]);
    }

    #[test]
    fn a_normalised_vector_has_length_one_and_zero_stays_zero() {
        let mut vector = [3.0, 4.0];
        normalise(&mut vector);
        assert_eq!(vector, [0.6, 0.8]);
        let mut zero = [0.0; 3];
        normalise(&mut zero);
        assert_eq!(zero, [0.0; 3]);
    }
}
