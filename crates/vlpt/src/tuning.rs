//! Flags of every command that tunes, and how they become one configuration.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use vlpt_adapter::PromptFolder;
use vlpt_clip::Precision;
use vlpt_methods::{Flags, METHODS, MethodConfig, MethodSpec};
use vlpt_train::{Layers, RECIPES, RunConfig};

use crate::error::CliError;
use crate::options::{PrecisionArgs, ViewFlags, from_environment};

/// What is tuned and how; which data sets is for the command to say.
#[derive(Debug, Clone, Args)]
pub(crate) struct TuneFlags {
    /// The model: a folder, `org/name`, `ViT-B-16/openai`, each with `@revision`; `mini-clip` is built in
    #[arg(long, short, value_name = "NAME", env = "VLPT_MODEL")]
    model: Option<String>,
    #[arg(long, value_name = "NAME", value_parser = methods(), help = method_help())]
    method: Option<String>,
    /// Training images of each class, or `all` [default: 16]
    #[arg(long, value_name = "K")]
    shots: Option<String>,
    /// Train on the images that a file names instead of a draw: .jsonl, CoOp's .pkl, or .json of `vlpt data sample`; `{task}`, `{shots}`, `{seed}` in its name are filled in
    #[arg(long, value_name = "FILE")]
    few_shot_list: Option<PathBuf>,
    /// Seed of the subset, the initial values, the order and the views; 0 is one too [default: 1]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Passes over the training images, or `by-shots` as published [default: the recipe's, 50 for CoOp]
    #[arg(long, value_name = "N")]
    epochs: Option<String>,
    /// Learning rate at its peak [default: the recipe's]
    #[arg(long, value_name = "RATE")]
    lr: Option<f64>,
    #[arg(long, value_name = "N", help = flag_help("Number of learned text tokens", |f| f.context))]
    context: Option<usize>,
    /// Words that the learned text tokens start from, such as `a photo of a` [default: the method's]
    #[arg(long, value_name = "WORDS")]
    init: Option<String>,
    #[arg(long, value_name = "N", help = flag_help("Number of learned image tokens in each block", |f| f.prompts))]
    prompts: Option<usize>,
    #[command(flatten)]
    precision: PrecisionArgs,
    /// Which views of an image training sees: `none`, `cached` or `online` [default: none]
    #[arg(long, value_name = "MODE")]
    views: Option<String>,
    /// What images of each class weigh in the loss: `none`, `balanced`, or `cat=2,dog=0.5` [default: none]
    #[arg(long, value_name = "WEIGHTS")]
    class_weights: Option<String>,
    #[command(flatten)]
    view: ViewFlags,
    /// Which epoch's prompt is kept: `last` or `best_val` [default: last]
    #[arg(long, value_name = "RULE")]
    select: Option<String>,
    /// Start from a named recipe; --list-recipes prints them [default: the quick one of the method]
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// Read settings from a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change any one setting; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Names of the recipes for a method.
pub(crate) fn recipes_for(spec: &MethodSpec) -> Vec<&'static str> {
    let own = RECIPES.iter().filter(|recipe| recipe.is_for(spec.name));
    own.map(|recipe| recipe.name).collect()
}

impl TuneFlags {
    /// All layers in one configuration: `settings` of the command come before the flags here. With
    /// `init_from`, the prompt in that folder says what is taken for method, options and model.
    pub(crate) fn resolve(
        &self,
        mut settings: Vec<String>,
        init_from: Option<&Path>,
    ) -> Result<RunConfig, CliError> {
        let followed = match init_from {
            Some(folder) => {
                settings.push(format!("init_from={}", quoted(&folder.to_string_lossy())));
                Some(PromptFolder::open(folder)?)
            }
            None => None,
        };
        self.layers(
            settings,
            Layers {
                follow: followed.as_ref().map(|folder| &folder.adapter),
                ..Layers::default()
            },
        )
    }

    /// The same with more settings over it.
    pub(crate) fn with(&self, settings: &[String]) -> Self {
        let mut flags = self.clone();
        flags.set.extend_from_slice(settings);
        flags
    }

    /// The configuration of a run that goes on, with what is given over it. What the environment
    /// names is for new runs.
    pub(crate) fn over(
        &self,
        run: &RunConfig,
        settings: Vec<String>,
    ) -> Result<RunConfig, CliError> {
        let mut flags = self.clone();
        if from_environment("model") {
            flags.model = None;
        }
        if from_environment("precision") {
            flags.precision = PrecisionArgs::default();
        }
        flags.layers(
            settings,
            Layers {
                base: Some(run),
                ..Layers::default()
            },
        )
    }

    /// The settings of a command, then the flags here, over the first of the layers.
    fn layers(&self, mut settings: Vec<String>, first: Layers<'_>) -> Result<RunConfig, CliError> {
        let mut set = |key: &str, value: Option<String>| {
            settings.extend(value.map(|v| format!("{key}={v}")));
        };
        set("model", self.model.clone());
        set("method", self.method.clone());
        set("few_shot.shots", self.shots.clone());
        let list = self.few_shot_list.as_ref();
        set(
            "few_shot.list",
            list.map(|file| quoted(&file.to_string_lossy())),
        );
        set("seed", self.seed.map(|v| v.to_string()));
        set("train.epochs", self.epochs.clone());
        set("train.lr", self.lr.map(|v| format!("{v:?}")));
        set("compute.precision", self.precision().map(|p| p.to_string()));
        set("views.mode", self.views.clone());
        set("train.select", self.select.clone());
        let weights = self.class_weights.as_deref().map(class_weights);
        set("train.class_weights", weights.transpose()?);
        settings.extend(self.view.settings());
        let all = [settings.clone(), self.set.clone()].concat();
        let first = Layers {
            recipe: self.recipe.as_deref(),
            file: self.config.as_deref(),
            overrides: &all,
            ..first
        };
        settings.extend(self.token_settings(&first.method()?)?);
        settings.extend(self.set.iter().cloned());
        let overrides = &settings[..];
        Ok(Layers { overrides, ..first }.load()?)
    }

    /// The number format that a flag names.
    pub(crate) fn precision(&self) -> Option<Precision> {
        self.precision.setting().named()
    }

    /// The flags whose keys depend on the method.
    fn token_settings(&self, method: &MethodConfig) -> Result<Vec<String>, CliError> {
        let context = self.context.map(|n| n.to_string());
        let prompts = self.prompts.map(|n| n.to_string());
        let keys = method.spec().flags;
        let flags = [
            ("--context", context, keys.context, "text tokens"),
            ("--init", self.init.clone(), keys.init, "text tokens"),
            ("--prompts", prompts, keys.prompts, "image tokens"),
        ];
        let mut settings = Vec::new();
        for (flag, value, key, what) in flags {
            match (value, key) {
                (None, _) => {}
                (Some(value), Some(key)) => settings.push(format!("{key}={value}")),
                (Some(_), None) => {
                    return Err(CliError::usage(
                        format!("{flag} was given, but {method} has no learned {what}"),
                        format!("leave {flag} out, or choose another --method"),
                    ));
                }
            }
        }
        Ok(settings)
    }
}

/// Weights of classes as a setting: a rule, or a table of numbers by name.
fn class_weights(given: &str) -> Result<String, CliError> {
    if !given.contains('=') {
        return Ok(given.to_owned());
    }
    let entries = given.split(',').map(|entry| {
        let (name, weight) = entry.rsplit_once('=').unwrap_or((entry, ""));
        match weight.trim().parse::<f64>() {
            Ok(weight) => Ok(format!("{} = {weight:?}", quoted(name.trim()))),
            Err(_) => Err(CliError::usage(
                format!("--class-weights: `{entry}` is no class with its weight"),
                "write `none`, `balanced`, or weights by name such as `cat=2,dog=0.5`",
            )),
        }
    });
    Ok(format!(
        "{{ {} }}",
        entries.collect::<Result<Vec<_>, _>>()?.join(", ")
    ))
}

/// A text as TOML, so that no path is taken for a number.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The methods' names with what they are.
pub(crate) fn methods() -> PossibleValuesParser {
    let value = |spec: &&'static MethodSpec| PossibleValue::new(spec.name).help(spec.summary);
    PossibleValuesParser::new(METHODS.iter().map(value))
}

fn method_help() -> String {
    let default = METHODS[0].name;
    format!("What is tuned, or the baseline to fit [default: {default}]")
}

/// The help of a flag that some methods have.
fn flag_help(what: &str, key: fn(&Flags) -> Option<&'static str>) -> String {
    let with = METHODS.iter().filter(|spec| key(&spec.flags).is_some());
    let names: Vec<&str> = with.map(|spec| spec.name).collect();
    format!("{what} ({}) [default: the method's]", names.join(", "))
}
