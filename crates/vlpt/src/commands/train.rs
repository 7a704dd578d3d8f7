//! `vlpt train`: tunes a prompt and writes a run folder.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_base::shell;
use vlpt_train::{RECIPES, Run, RunConfig, RunOptions, RunSummary, TrainError, remembered_data};

use vlpt_tune::name_of;

use crate::console::Console;
use crate::error::CliError;
use crate::figures;
use crate::interrupt;
use crate::options::{CacheArgs, DataFlags, from_environment, same_place};
use crate::tuning::{TuneFlags, quoted};
use crate::watch::Watch;

const AFTER_HELP: &str = "\
Settings come in layers, each over the one before: built-in values, --recipe, --config, flags and --set.
--print-config shows every one of them with the value it has in the end. Without --recipe it is a
quick one for the method, as `vlpt methods NAME` says. A recipe may have settings for one model alone:
the embedded one wants larger learning rates than CLIP.

  vlpt train photos                             writes runs/photos
  vlpt train photos --method vpt --prompts 8 --out runs/photos-vpt
  vlpt train eurosat --recipe coop-paper --model ViT-B-16/openai --shots 16 --seed 1 --out runs/eurosat-1
  vlpt train photos --set train.optimizer=adamw --set train.lr=0.001 --print-config
  vlpt train cars --init-from runs/photos --shots 5 --out runs/cars
  vlpt train --resume runs/photos
  vlpt train --resume runs/photos --epochs 100

Beside --resume only settings that the run has already are accepted, those that cannot change its
result (--cache, --threads, compute.checkpoint_seconds), and more --epochs: the run then goes on from
its last epoch with the learning rates of a run of that many. With the schedules `constant` and
`steps` that is the same as a run of that many from the start; with `cosine` it is not, and a note
says so.";

/// Flags of `vlpt train`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct TrainArgs {
    /// The data set: a folder, a manifest (.csv, .jsonl), or `synthetic:NAME`
    #[arg(value_name = "DATA")]
    data: Option<String>,
    /// The run folder to write [default: runs/ and the name of the data set's folder]
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Go on with an interrupted run; it ends with the bytes of one that was left alone. A larger --epochs also continues a finished one
    #[arg(long, value_name = "FOLDER", conflicts_with = "out")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    flags: DataFlags,
    /// A prompt folder to start from; its method, options and model hold unless others are given
    #[arg(long, value_name = "FOLDER")]
    init_from: Option<PathBuf>,
    #[command(flatten)]
    tune: TuneFlags,
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
        let config = args.resumed(dir)?;
        if args.print_config {
            return console.result(&config, || config.explained());
        }
        interrupt::run_goes_on(dir);
        let moved = moved(args.data.as_deref(), dir)?;
        let summary = match moved {
            Some(data) => Run::resume_with_data_at(data, Some(&config), &options, &watch)?,
            None => Run::resume(Some(&config), &options, &watch)?,
        };
        return report(summary, console);
    }
    let config = args.resolve()?;
    if args.print_config {
        return console.result(&config, || config.explained());
    }
    if config.data.path.is_empty() && config.tasks.is_empty() {
        return Err(CliError::usage(
            "no data set is named",
            "name a folder: `vlpt train photos`, or try `vlpt train synthetic:shapes`",
        ));
    }
    let dir = match &args.out {
        Some(out) => out.clone(),
        None if config.data.path.is_empty() => {
            return Err(CliError::usage(
                "no run folder is named, and several tasks have no name to call it by",
                "add --out runs/NAME",
            ));
        }
        None => Path::new("runs").join(name_of(&config.data.path)),
    };
    let options = RunOptions {
        dir,
        cache: args.cache.folder(),
    };
    // what another run in the folder says of itself is not for this one
    if !options.dir.join("config.toml").exists() {
        interrupt::run_goes_on(&options.dir);
    }
    report(Run::start(&config, &options, &watch)?, console)
}

impl TrainArgs {
    /// The configuration of the run in `dir` with what is given beside `--resume` over it. Paths that
    /// lead to where the run's lead are the same, however they are written.
    fn resumed(&self, dir: &Path) -> Result<RunConfig, CliError> {
        let path = dir.join("config.toml");
        if !path.exists() {
            return Err(TrainError::NoRun {
                dir: dir.to_owned(),
            }
            .into());
        }
        let stored = vlpt_train::read_resolved(&path)?;
        let located = remembered_data(dir)?.pop().unwrap_or_default();
        let mut flags = self.flags.clone();
        if from_environment("format") {
            flags.format = None;
        }
        let mut settings = flags.settings(self.data.as_deref());
        let data = self.data.iter();
        settings.extend(data.map(|data| format!("data.path={}", quoted(data))));
        let init_from = self.init_from.iter();
        settings.extend(
            init_from.map(|folder| format!("init_from={}", quoted(&folder.to_string_lossy()))),
        );
        let mut given = self.tune.over(&stored, settings)?;
        let moved = moved(self.data.as_deref(), dir)?.is_some();
        if moved || same_place(&given.data.path, &located.path) {
            given.data.path.clone_from(&stored.data.path);
        }
        if let (Some(file), Some(known)) = (&given.data.class_file, &located.class_file)
            && same_place(file, known)
        {
            given.data.class_file.clone_from(&stored.data.class_file);
        }
        Ok(given)
    }

    /// All layers in one configuration.
    fn resolve(&self) -> Result<RunConfig, CliError> {
        let mut settings = self.flags.settings(self.data.as_deref());
        let data = self.data.iter();
        settings.extend(data.map(|data| format!("data.path={}", quoted(data))));
        self.tune.resolve(settings, self.init_from.as_deref())
    }
}

/// The data set beside `--resume`, where the run's own is no longer at its place.
fn moved<'d>(data: Option<&'d str>, dir: &Path) -> Result<Option<&'d str>, CliError> {
    let Some(data) = data else { return Ok(None) };
    let remembered = remembered_data(dir)?;
    let gone = matches!(&remembered[..], [run] if vlpt_train::is_gone(&run.path));
    Ok(gone.then_some(data))
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

/// Writes the run's page and prints what came out.
pub(crate) fn report(summary: RunSummary, console: &Console) -> Result<(), CliError> {
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
            0 => "a classifier fitted at once".to_owned(),
            epoch => format!("prompt of epoch {epoch}"),
        };
        format!(
            "{} {done}: {kept}{validation}\n{}\nnext: vlpt eval {}",
            trained.run.display(),
            trained.prompt.display(),
            shell::path(&trained.run)
        )
    })
}
