//! `vlpt train`: tunes a prompt and writes a run folder.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde::Serialize;
use vlpt_train::{Method, RECIPES, Run, RunConfig, RunOptions, RunSummary};

use crate::console::Console;
use crate::error::CliError;
use crate::figures;
use crate::options::{CacheArgs, DataFlags};
use crate::watch::Watch;

const AFTER_HELP: &str = "\
Settings come in layers, each over the one before: built-in values, --recipe, --config, flags and --set.
--print-config shows every one of them with the value it has in the end.

  vlpt train photos --out runs/photos
  vlpt train photos --method vpt --prompts 8 --out runs/photos-vpt
  vlpt train eurosat --recipe coop-paper --model ViT-B-16/openai --shots 16 --seed 1 --out runs/eurosat-1
  vlpt train photos --set coop.position=middle --set train.lr=0.01 --print-config
  vlpt train --resume runs/photos";

/// Flags of `vlpt train`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct TrainArgs {
    /// The data set: a folder, a manifest (.csv, .jsonl), or `drawn:NAME`
    #[arg(value_name = "DATA")]
    data: Option<String>,
    /// The run folder to write
    #[arg(long, short, value_name = "FOLDER", required_unless_present_any = ["resume", "print_config", "list_recipes"])]
    out: Option<PathBuf>,
    /// Go on with an interrupted run; it ends with the bytes of one that was left alone
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["out", "data", "recipe", "config"])]
    resume: Option<PathBuf>,
    /// The model: a folder, `org/name`, `ViT-B-16/openai`, each with `@revision`; `mini-clip` is built in
    #[arg(long, short, value_name = "NAME", env = "VLPT_MODEL")]
    model: Option<String>,
    /// What is tuned, or the baseline to fit [default: coop]
    #[arg(long, value_name = "NAME", value_parser = methods())]
    method: Option<String>,
    #[command(flatten)]
    flags: DataFlags,
    /// Training images of each class, or `all` [default: 16]
    #[arg(long, value_name = "K")]
    shots: Option<String>,
    /// Seed of the subset, the initial values, the order and the views; 0 is one too [default: 1]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Passes over the training images, or `by-shots` as published [default: 50]
    #[arg(long, value_name = "N")]
    epochs: Option<String>,
    /// Learning rate at its peak [default: 0.002]
    #[arg(long, value_name = "RATE")]
    lr: Option<f64>,
    /// Number of learned text tokens (coop, vlpt, upt, cocoop) [default: the method's]
    #[arg(long, value_name = "N")]
    context: Option<usize>,
    /// Words that the learned text tokens start from, such as `a photo of a` [default: the method's]
    #[arg(long, value_name = "WORDS")]
    init: Option<String>,
    /// Number of learned image tokens in each block (vpt, vlpt, upt) [default: the method's]
    #[arg(long, value_name = "N")]
    prompts: Option<usize>,
    /// Which views of an image training sees: `none`, `bank` or `fresh` [default: none]
    #[arg(long, value_name = "MODE")]
    views: Option<String>,
    /// Which epoch's prompt is kept: `last` or `best_val` [default: last]
    #[arg(long, value_name = "RULE")]
    select: Option<String>,
    /// Start from a named recipe; --list-recipes prints them
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// Read settings from a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change any one setting; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the resolved settings as TOML and do nothing else
    #[arg(long)]
    print_config: bool,
    /// Print the named recipes and do nothing else
    #[arg(long)]
    list_recipes: bool,
    #[command(flatten)]
    cache: CacheArgs,
}

#[derive(Debug, Serialize)]
struct Trained {
    run: PathBuf,
    prompt: PathBuf,
    selected_epoch: usize,
    validation: Option<f64>,
    already_finished: bool,
}

/// Trains, resumes, or prints what would be done.
pub(crate) fn run(args: &TrainArgs, console: &Console) -> Result<(), CliError> {
    if args.list_recipes {
        return list_recipes(console);
    }
    let watch = Watch::new(console);
    if let Some(dir) = &args.resume {
        let options = RunOptions {
            dir: dir.clone(),
            cache: args.cache.folder(),
        };
        return report(Run::resume(None, &options, &watch)?, console);
    }
    let config = args.resolve()?;
    if args.print_config {
        return console.result(&config, || config.explained());
    }
    if config.data.path.is_empty() {
        return Err(CliError::usage(
            "no data set is named",
            "name a folder: `vlpt train photos --out runs/photos`, or try `vlpt train drawn:shapes --out runs/shapes`",
        ));
    }
    let Some(dir) = args.out.clone() else {
        return Err(CliError::usage(
            "no run folder is named",
            "add --out runs/NAME",
        ));
    };
    let options = RunOptions {
        dir,
        cache: args.cache.folder(),
    };
    report(Run::start(&config, &options, &watch)?, console)
}

impl TrainArgs {
    /// All layers in one configuration.
    fn resolve(&self) -> Result<RunConfig, CliError> {
        let mut settings = self.flags.settings();
        let mut set = |key: &str, value: Option<String>| {
            settings.extend(value.map(|v| format!("{key}={v}")));
        };
        set("data.path", self.data.clone());
        set("model", self.model.clone());
        set("method", self.method.clone());
        set("few_shot.shots", self.shots.clone());
        set("seed", self.seed.map(|v| v.to_string()));
        set("train.epochs", self.epochs.clone());
        set("train.lr", self.lr.map(|v| v.to_string()));
        set("views.mode", self.views.clone());
        set("train.select", self.select.clone());
        let (recipe, file) = (self.recipe.as_deref(), self.config.as_deref());
        let all = [settings.clone(), self.set.clone()].concat();
        let method = vlpt_train::method_of(recipe, file, &all)?;
        settings.extend(self.token_settings(method)?);
        settings.extend(self.set.iter().cloned());
        Ok(vlpt_train::load(recipe, file, &settings)?)
    }

    /// The flags whose keys depend on the method.
    fn token_settings(&self, method: Method) -> Result<Vec<String>, CliError> {
        let context = self.context.map(|n| n.to_string());
        let prompts = self.prompts.map(|n| n.to_string());
        let flags = [
            ("--context", context, method.context_key(), "text tokens"),
            (
                "--init",
                self.init.clone(),
                method.init_key(),
                "text tokens",
            ),
            ("--prompts", prompts, method.visual_key(), "image tokens"),
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

/// The methods' names with what they are.
fn methods() -> PossibleValuesParser {
    let value = |method: Method| PossibleValue::new(method.name()).help(method.describe());
    PossibleValuesParser::new(Method::ALL.map(value))
}

fn list_recipes(console: &Console) -> Result<(), CliError> {
    let all: Vec<(&str, &str)> = RECIPES.iter().map(|r| (r.name, r.text)).collect();
    console.result(&all, || {
        let heads = all.iter().map(|(name, text)| {
            let head: Vec<&str> = text.lines().take_while(|l| l.starts_with('#')).collect();
            format!(
                "{}\n{}",
                console.bold(name),
                head.join("\n").replace("# ", "  ").replace('#', "")
            )
        });
        heads.collect::<Vec<_>>().join("\n\n")
    })
}

fn report(summary: RunSummary, console: &Console) -> Result<(), CliError> {
    let page = summary.dir.join("report.html");
    figures::run_report(&summary.dir, summary.selected_epoch, None)?.write(&page)?;
    let trained = Trained {
        run: summary.dir,
        prompt: summary.prompt,
        selected_epoch: summary.selected_epoch,
        validation: summary.val,
        already_finished: summary.already_finished,
    };
    console.result(&trained, || {
        let done = if trained.already_finished {
            "was finished already"
        } else {
            "finished"
        };
        let validation = trained.validation.map_or_else(String::new, |v| {
            format!(", {:.2} % on validation images", 100.0 * v)
        });
        let kept = match trained.selected_epoch {
            0 => "nothing to train in epochs".to_owned(),
            epoch => format!("prompt of epoch {epoch}"),
        };
        format!(
            "{} {done}: {kept}{validation}\n{}\nnext: vlpt eval {} DATA",
            trained.run.display(),
            trained.prompt.display(),
            trained.prompt.display()
        )
    })
}
