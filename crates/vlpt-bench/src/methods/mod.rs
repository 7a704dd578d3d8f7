//! The methods of a benchmark, each with the recipe that follows its protocol.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde_json::{Value, json};
use vlpt_data::FewShotRule;
use vlpt_methods::{METHODS, MethodSpec, untuned};
use vlpt_study::{MethodRequest, Search};
use vlpt_train::{Epochs, RunConfig, load, recipe};

use crate::method::BenchMethod;
use crate::protocol::Protocol;
use crate::ways::{Unsound, Ways};
use crate::{BenchError, Result};

/// How methods are asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wishes<'a> {
    /// Name of the model that they adapt.
    pub(crate) model: &'a str,
    /// `NAME`, or `NAME=RECIPE`.
    pub(crate) methods: &'a [String],
    /// The program's own values for all that name no recipe.
    pub(crate) own_values: bool,
    /// A configuration file over the recipes.
    pub(crate) file: Option<PathBuf>,
    /// `key=value`, or `NAME:key=value` for one method.
    pub(crate) settings: &'a [String],
    /// What is tried out before each training.
    pub(crate) search: Option<SearchKind>,
    /// Which published ways are taken.
    pub(crate) ways: Ways,
}

/// Which search precedes each training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchKind {
    /// Three learning rates by three numbers of epochs around the recipe's.
    Small,
    /// The grid of ELEVATER's toolkit over learning rate and weight decay.
    Elevater,
}

/// The recipe of a name with settings over it, resolved.
type Resolve<'a> =
    dyn Fn(Option<String>, &[String]) -> vlpt_study::Result<vlpt_study::ResolvedMethod> + 'a;

impl Wishes<'_> {
    /// The methods, checked as far as it goes without tasks.
    pub(crate) fn resolve(&self, protocol: &Protocol) -> Result<Vec<BenchMethod>> {
        let mut all: Vec<BenchMethod> = Vec::new();
        for wish in self.methods {
            let method = self.one(wish, protocol)?;
            if all.iter().any(|known| known.name == method.name) {
                return Err(BenchError::choice(
                    format!("the method {} is named twice", method.name),
                    "give the second a name of its own: NAME=RECIPE",
                ));
            }
            all.push(method);
        }
        for given in self.settings {
            if let Some((name, rest)) = given.split_once(':')
                && rest.contains('=')
                && !name.contains('=')
                && all.iter().all(|method| method.name != name)
            {
                return Err(BenchError::choice(
                    format!("`{given}` is for {name}, which is no method here"),
                    format!("name one of {}", names(&all).join(", ")),
                ));
            }
        }
        Ok(all)
    }

    fn one(&self, wish: &str, protocol: &Protocol) -> Result<BenchMethod> {
        let (name, named) = match wish.split_once('=') {
            Some((name, recipe)) => (name, Some(recipe)),
            None => (wish, None),
        };
        let known = METHODS.iter().find(|spec| spec.name == name);
        if name == untuned().name {
            return Err(BenchError::choice(
                format!("{name} is compared with anyway"),
                "leave it out of --methods",
            ));
        }
        let from = match (named, known) {
            (Some(named), _) => Some(named.to_owned()),
            (None, None) => {
                let known: Vec<&str> = METHODS.iter().map(|spec| spec.name).collect();
                return Err(BenchError::choice(
                    format!("`{name}` is no method"),
                    format!(
                        "there are {}; or name a recipe: {name}=RECIPE",
                        known.join(", ")
                    ),
                ));
            }
            (None, Some(_)) if self.own_values => None,
            (None, Some(_)) => of_protocol(name, protocol),
        };
        // a label of the user's own takes its method from the recipe
        let method = match known {
            Some(spec) => spec.name.to_owned(),
            None => load(from.as_deref(), None, &[])?.method.name().to_owned(),
        };
        let resolve = |recipe: Option<String>, more: &[String]| {
            let request = MethodRequest {
                method: method.clone(),
                recipe,
                file: self.file.clone(),
                settings: [more, &self.settings_of(name)].concat(),
            };
            request.resolve(self.model)
        };
        let fitted = vlpt_methods::method(&method).is_some_and(MethodSpec::is_baseline);
        let search = self.search.filter(|_| !fitted);
        // one draw and one look at images for all methods
        let more = self.settings_by(protocol.rule, fitted, search.is_some());
        let resolved = resolve(from.clone(), &more)?;
        let config = resolved.config;
        if protocol.prompts_only && fitted {
            return Err(BenchError::choice(
                format!(
                    "{name} learns no prompt, and {} is about prompts",
                    protocol.name
                ),
                "leave it out",
            ));
        }
        let needs = config.method.needs();
        let closed = needs.class_specific || (fitted && !needs.open_classes);
        if closed && !protocol.closed_classes {
            return Err(BenchError::choice(
                format!(
                    "{name} knows the classes it was trained on and no others, which {} asks for",
                    protocol.name
                ),
                "leave it out, or take a method with one context for all classes",
            ));
        }
        let mut recipe = resolved.recipe;
        let on_imagenet = from.as_ref().map(|from| format!("{from}-imagenet"));
        let on_imagenet = on_imagenet.filter(|name| vlpt_train::recipe(name).is_some());
        let on_imagenet = on_imagenet.map(|name| resolve(Some(name), &more));
        let on_imagenet = on_imagenet.transpose()?;
        let mut imagenet_recipe = on_imagenet.as_ref().map(|own| own.recipe.clone());
        // images of several tasks are drawn and batched as the recipe of the source stage says
        let source = self
            .source_recipe(protocol, from.as_deref(), &resolve)?
            .unwrap_or_else(|| recipe.clone());
        if let Some(kind) = search {
            // around the values of each recipe
            let around = |config: &RunConfig| {
                let mut search = kind.of(config);
                search.on_test = self.ways.takes(Unsound::TuneOnTarget);
                if let Some((key, value)) = self.ways.of_last() {
                    search.last.insert(key.to_owned(), json!(value));
                }
                json!(search)
            };
            recipe["search"] = around(&config);
            if let (Some(own), Some(recipe)) = (&on_imagenet, &mut imagenet_recipe) {
                recipe["search"] = around(&own.config);
            }
        }
        Ok(BenchMethod {
            name: name.to_owned(),
            from,
            config,
            recipe,
            imagenet_recipe,
            source_recipe: source,
        })
    }

    /// What the source stage over CoOp's sets says otherwise: sampled by CoOp's rule, with new views, the
    /// last batch dropped. Where the recipe for ELEVATER's tasks ends in `-elevater`, the one without is
    /// that of the source stage.
    fn source_recipe(
        &self,
        protocol: &Protocol,
        from: Option<&str>,
        resolve: &Resolve<'_>,
    ) -> Result<Option<Value>> {
        let stem = from.and_then(|from| from.strip_suffix("-elevater"));
        if protocol.prompts_only {
            let own = stem
                .filter(|stem| recipe(stem).is_some())
                .map(str::to_owned);
            let more = self.settings_by(FewShotRule::Coop, false, false);
            return Ok(Some(
                resolve(own.or_else(|| from.map(str::to_owned)), &more)?.recipe,
            ));
        }
        // a source stage is not searched: it has at once what a search leaves to the last training
        let more = self.settings_by(protocol.rule, false, false);
        if stem.is_none() {
            let searched = self.search.is_some();
            let own = searched.then(|| resolve(from.map(str::to_owned), &more));
            return Ok(own.transpose()?.map(|own| own.recipe));
        }
        // ELEVATER's own source stage: batches of 64 in the order of the draw
        let stage = ["train.batch_size=64", "train.shuffle=false"].map(str::to_owned);
        let more = [&stage[..], &more].concat();
        Ok(Some(resolve(from.map(str::to_owned), &more)?.recipe))
    }

    /// What a draw by a rule, and the published ways, set before all settings of the user.
    fn settings_by(&self, rule: FewShotRule, baseline: bool, searched: bool) -> Vec<String> {
        let ways = self.ways.settings(rule, baseline, searched).into_iter();
        let rule = format!("few_shot.rule={rule}");
        std::iter::once(rule)
            .chain(ways.map(str::to_owned))
            .collect()
    }

    /// What of the settings is for a method.
    fn settings_of(&self, method: &str) -> Vec<String> {
        let own = |given: &String| match given.split_once(':') {
            // a colon may also stand in a value
            Some((name, rest)) if rest.contains('=') && !name.contains('=') => {
                (name == method).then(|| rest.to_owned())
            }
            _ => Some(given.clone()),
        };
        self.settings.iter().filter_map(own).collect()
    }
}

impl SearchKind {
    fn of(self, config: &RunConfig) -> Search {
        let epochs = match config.train.epochs {
            Epochs::Count(epochs) => Some(epochs),
            Epochs::Rule(_) => None,
        };
        match self {
            Self::Small => Search::small(config.train.lr, epochs),
            Self::Elevater => {
                let mut search = Search::elevater();
                // trials are the shorter trainings
                if let (Some(own), Some(trial)) = (epochs, search.trial.get_mut("train.epochs"))
                    && trial.as_u64().is_some_and(|trial| trial > own as u64)
                {
                    *trial = json!(own);
                }
                search
            }
        }
    }
}

/// The recipe of a method for a protocol, by its name.
fn of_protocol(method: &str, protocol: &Protocol) -> Option<String> {
    let names = protocol
        .recipes
        .iter()
        .map(|ending| format!("{method}{ending}"));
    names.into_iter().find(|name| recipe(name).is_some())
}

pub(crate) fn names(methods: &[BenchMethod]) -> Vec<&str> {
    methods.iter().map(|method| method.name.as_str()).collect()
}
