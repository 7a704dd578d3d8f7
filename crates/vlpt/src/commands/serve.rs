//! `vlpt serve`: prompts behind HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};
use vlpt_adapter::PromptFolder;
use vlpt_serve::{NamedFolder, ServeOptions, Server, Watched};

use crate::console::Console;
use crate::error::CliError;
use crate::interrupt;
use crate::options::{PrecisionArgs, open_model, switch};

/// Flags of `vlpt serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Prompt folders, or run folders with one, all of one model; NAME=FOLDER gives another name than the folder's
    #[arg(value_name = "PROMPT")]
    prompts: Vec<String>,
    /// Serve the prompt folders in this folder too, and follow it: new ones come, changed ones are replaced, removed ones go
    #[arg(long, value_name = "FOLDER", env = "VLPT_SERVE_WATCH")]
    watch: Option<PathBuf>,
    /// Seconds between two looks into that folder
    #[arg(
        long,
        value_name = "SECONDS",
        env = "VLPT_SERVE_WATCH_SECONDS",
        default_value = "2"
    )]
    watch_seconds: f64,
    /// The model, where it is not found by the name in the first prompt folder
    #[arg(
        long,
        short,
        value_name = "NAME",
        env = "VLPT_SERVE_MODEL",
        help_heading = "Model"
    )]
    model: Option<String>,
    #[command(flatten)]
    precision: PrecisionArgs,
    /// Where to listen; other machines reach it only where this says so, as 0.0.0.0:8000 does
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "VLPT_SERVE_LISTEN",
        default_value = "127.0.0.1:8000"
    )]
    listen: SocketAddr,
    /// The most images that go through the tower at once
    #[arg(long, value_name = "N", env = "VLPT_SERVE_BATCH", default_value = "32")]
    batch: std::num::NonZeroUsize,
    /// Milliseconds that the first image of a batch waits for others
    #[arg(
        long,
        value_name = "MS",
        env = "VLPT_SERVE_WAIT_MS",
        default_value = "2"
    )]
    wait_ms: u64,
    /// The most requests at work or waiting; more are answered with 429 at once
    #[arg(long, value_name = "N", env = "VLPT_SERVE_QUEUE", default_value = "64")]
    queue: std::num::NonZeroUsize,
    /// The most MiB of a request's body
    #[arg(
        long,
        value_name = "MIB",
        env = "VLPT_SERVE_BODY_MB",
        default_value = "20"
    )]
    body_mb: std::num::NonZeroUsize,
    /// The most millions of pixels of an image
    #[arg(
        long,
        value_name = "MP",
        env = "VLPT_SERVE_MEGAPIXELS",
        default_value = "64"
    )]
    megapixels: std::num::NonZeroU64,
    /// Seconds that a request may take, the arrival of its body included
    #[arg(
        long,
        value_name = "SECONDS",
        env = "VLPT_SERVE_TIMEOUT",
        default_value = "30"
    )]
    timeout: std::num::NonZeroU64,
    /// What `Authorization: Bearer` must say, everywhere but at /health, /ready and the page itself; better given by the environment, which other users of the machine cannot see
    #[arg(
        long,
        value_name = "TOKEN",
        env = "VLPT_SERVE_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
    /// How requests are logged to standard error
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        env = "VLPT_SERVE_LOG",
        default_value = "text"
    )]
    log: LogFormat,
    /// Take an address that other machines reach without a token
    #[arg(long, env = "VLPT_SERVE_OPEN", value_parser = switch)]
    open: bool,
}

/// How requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// A line for people
    Text,
    /// One JSON object a line
    Json,
    /// Not at all
    Off,
}

/// Serves until a signal asks it to end, then answers what it has taken.
pub(crate) fn run(args: &ServeArgs, console: &Console) -> Result<(), CliError> {
    let options = options(args)?;
    let folders: Vec<NamedFolder> = args
        .prompts
        .iter()
        .map(|prompt| prompt.parse())
        .collect::<Result<_, _>>()?;
    log(args.log);
    let model = model(args, &folders)?;
    let clip = open_model(&model, args.precision.resolve(), console)?;
    let server = Server::start(Arc::new(clip), &folders, options)?;
    let address = server.address();
    let about = serde_json::json!({ "listening": format!("http://{address}"), "model": model });
    console.result(&about, || {
        format!("listening at http://{address} (the interface is at /docs)")
    })?;

    let _gently = interrupt::Gently::begin();
    let end = Arc::new(AtomicBool::new(false));
    let follow = Arc::clone(&end);
    std::thread::Builder::new()
        .name("end".to_owned())
        .spawn(move || {
            while !interrupt::stop().load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            follow.store(true, Ordering::Relaxed);
        })?;
    server.run(&end)?;
    console.say("all requests that were taken are answered");
    Ok(())
}

/// The options, checked.
fn options(args: &ServeArgs) -> Result<ServeOptions, CliError> {
    if args.token.is_none() && !args.listen.ip().is_loopback() && !args.open {
        return Err(CliError::usage(
            format!(
                "{} is reached from other machines, and no token is asked for",
                args.listen
            ),
            "set VLPT_SERVE_TOKEN, or say that it is meant so with --open",
        ));
    }
    if args
        .token
        .as_ref()
        .is_some_and(|token| token.trim().is_empty())
    {
        return Err(CliError::usage(
            "the token is empty",
            "give VLPT_SERVE_TOKEN a value, or leave it out",
        ));
    }
    let every = Duration::try_from_secs_f64(args.watch_seconds)
        .ok()
        .filter(|every| *every >= Duration::from_millis(10));
    let every = every.ok_or_else(|| {
        CliError::usage(
            format!(
                "--watch-seconds {}: expected 0.01 or more",
                args.watch_seconds
            ),
            "leave it out for 2 seconds",
        )
    })?;
    Ok(ServeOptions {
        listen: args.listen,
        watch: args.watch.clone().map(|folder| Watched { folder, every }),
        batch: args.batch.get(),
        wait: Duration::from_millis(args.wait_ms),
        queue: args.queue.get(),
        body: args.body_mb.get().saturating_mul(1 << 20),
        pixels: args.megapixels.get().saturating_mul(1_000_000),
        timeout: Duration::from_secs(args.timeout.get()),
        token: args.token.clone(),
    })
}

/// The model that the prompts were tuned for.
fn model(args: &ServeArgs, folders: &[NamedFolder]) -> Result<String, CliError> {
    if let Some(model) = &args.model {
        return Ok(model.clone());
    }
    let Some(first) = folders.first() else {
        return Err(CliError::usage(
            "no prompt folder says which model is served",
            "name it with --model, or give a prompt folder",
        ));
    };
    let folder = PromptFolder::open(&first.folder)?;
    let run = folder.path.parent().unwrap_or(std::path::Path::new(""));
    Ok(vlpt_train::located_model(&folder.adapter.base_model, run)?)
}

/// Lines of the log go to standard error.
fn log(format: LogFormat) {
    let lines = || {
        tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_target(false)
    };
    // the first of a process stays, which in a program with one server is this one
    match format {
        LogFormat::Text => drop(lines().with_ansi(false).try_init()),
        LogFormat::Json => drop(lines().json().flatten_event(true).try_init()),
        LogFormat::Off => {}
    }
}
