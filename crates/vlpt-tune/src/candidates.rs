//! What is tried: methods of the list, by what they need, the cheapest kind first.

use serde::{Deserialize, Serialize};
use vlpt_methods::{METHODS, MethodConfig, MethodSpec};
use vlpt_train::{RunConfig, Select, Views};

use crate::{Result, TuneError};

/// Kinds of candidates by what a fit costs, the cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// Class names alone; nothing is learned from the photos.
    Names,
    /// A fit to features that were computed once.
    Features,
    /// Texts through the text tower in every step.
    Texts,
    /// Photos, and with some methods texts too, through a tower in every step.
    Pixels,
    /// Texts of each photo's own in every step.
    TextsOfPhotos,
}

impl Cost {
    /// The kind of a method with its options.
    pub fn of(method: &MethodConfig) -> Self {
        let needs = method.needs();
        if needs.no_images {
            Self::Names
        } else if method.is_baseline() {
            Self::Features
        } else if needs.texts_per_image {
            Self::TextsOfPhotos
        } else if needs.pixels || needs.image_weights || needs.text_weights {
            Self::Pixels
        } else {
            Self::Texts
        }
    }

    /// In words, for a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Names => "class names alone",
            Self::Features => "a fit to features of the photos",
            Self::Texts => "a prompt before the class names",
            Self::Pixels => "changes inside the towers",
            Self::TextsOfPhotos => "texts of each photo's own",
        }
    }
}

/// Something to try.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its kind.
    pub cost: Cost,
    /// How it is trained.
    pub config: RunConfig,
}

impl Candidate {
    /// Its name: the method's.
    pub fn name(&self) -> &'static str {
        self.config.method.name()
    }
}

/// The candidates, cheapest first, in the order of the list of methods within a kind; `base` says model, data and seed. With
/// names of methods those alone, and what learns nothing, which others are compared with.
///
/// Methods that run a tower are trained as `vlpt train` does without a recipe
/// ([`vlpt_train::default_recipe`]); views are the evaluation view alone.
///
/// # Errors
/// A name that is no method's.
pub fn candidates(base: &RunConfig, names: &[String]) -> Result<Vec<Candidate>> {
    for name in names {
        if vlpt_methods::method(name).is_none() {
            return Err(TuneError::NoMethod {
                found: name.clone(),
                known: METHODS
                    .iter()
                    .map(|spec| spec.name)
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
    }
    let named = |spec: &MethodSpec| {
        names.is_empty()
            || names.iter().any(|name| name == spec.name)
            || *spec == *vlpt_methods::untuned()
    };
    let chosen = METHODS.iter().filter(|spec| named(spec));
    let mut all = chosen
        .map(|spec| {
            let config = configuration(base, spec)?;
            Ok(Candidate {
                cost: Cost::of(&config.method),
                config,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    all.sort_by_key(|candidate| candidate.cost);
    Ok(all)
}

/// How a method is trained here.
fn configuration(base: &RunConfig, spec: &'static MethodSpec) -> Result<RunConfig> {
    let mut config = base.clone();
    config.method = MethodConfig::new(spec);
    if !spec.is_baseline() {
        let settings = [
            format!("model={}", base.model),
            format!("method={}", spec.name),
        ];
        let quick = vlpt_train::load(None, None, &settings)?;
        config.train = quick.train;
        config.method = quick.method;
    }
    config.train.class_weights = base.train.class_weights.clone();
    if spec.is_baseline() && !spec.weighs_classes {
        config.train.class_weights = RunConfig::default().train.class_weights;
    }
    config.train.select = Select::Last;
    config.train.drop_last = false;
    config.views.mode = Views::None;
    Ok(config)
}

/// The method that is taken where nothing can be held out to choose by: of those that fit features, the
/// first that has nothing to choose itself and is held near what the class names say; else the first
/// that has nothing to choose.
pub(crate) fn without_choice(all: &[Candidate]) -> &Candidate {
    let plain = |candidate: &&Candidate| {
        candidate.cost == Cost::Features && !candidate.config.method.needs().validation
    };
    all.iter().find(plain).unwrap_or(&all[0])
}

#[cfg(test)]
mod tests {
    use vlpt_train::default_recipe;

    use super::*;

    #[test]
    fn the_cheapest_kind_comes_first_and_every_method_is_of_one() {
        let all = candidates(&RunConfig::default(), &[]).unwrap();
        assert_eq!(all.len(), METHODS.len());
        assert!(all.is_sorted_by_key(|candidate| candidate.cost));
        assert_eq!(all[0].cost, Cost::Names);
        for cost in [
            Cost::Features,
            Cost::Texts,
            Cost::Pixels,
            Cost::TextsOfPhotos,
        ] {
            assert!(
                all.iter().any(|candidate| candidate.cost == cost),
                "{cost:?}"
            );
        }
        for candidate in &all {
            candidate.config.check().unwrap();
        }
    }

    #[test]
    fn named_methods_are_tried_beside_what_learns_nothing() {
        let base = RunConfig::default();
        let second = METHODS
            .iter()
            .filter(|spec| spec.is_baseline())
            .nth(1)
            .unwrap()
            .name;
        let all = candidates(&base, &[second.to_owned()]).unwrap();
        let names: Vec<&str> = all.iter().map(Candidate::name).collect();
        assert_eq!(names, [vlpt_methods::untuned().name, second]);
        let error = candidates(&base, &["nothing".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("nothing"));
    }

    #[test]
    fn without_anything_held_out_a_fit_that_chooses_nothing_is_taken() {
        let all = candidates(&RunConfig::default(), &[]).unwrap();
        let taken = without_choice(&all);
        assert!(taken.config.method.is_baseline() && !taken.config.method.needs().validation);
        let alone = candidates(
            &RunConfig::default(),
            &[vlpt_methods::untuned().name.to_owned()],
        )
        .unwrap();
        assert_eq!(without_choice(&alone).cost, Cost::Names);
    }

    #[test]
    fn what_is_tuned_in_steps_has_the_rate_of_a_quick_recipe_for_its_model() {
        let rates = |model: &str| {
            let base = RunConfig {
                model: model.to_owned(),
                ..RunConfig::default()
            };
            let all = candidates(&base, &[]).unwrap();
            let tuned = all
                .into_iter()
                .filter(|one| !one.config.method.spec().is_baseline());
            tuned
                .map(|one| (one.name(), one.config.train.lr))
                .collect::<Vec<_>>()
        };
        let (clip, mini) = (rates(vlpt_train::DEFAULT_MODEL), rates("mini-clip"));
        let mut seen = 0;
        let known = clip.iter().zip(&mini);
        let with_recipe = known.filter(|((name, _), _)| default_recipe(name).is_for(name));
        for ((name, clip), (_, mini)) in with_recipe {
            seen += 1;
            assert!(mini > clip, "{name}: {clip} for CLIP, {mini} for mini-clip");
        }
        assert!(seen > 10, "{seen}");
    }
}
