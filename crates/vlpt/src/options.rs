//! Flags that several commands share, and how they become a model, a task or a list of images.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vlpt_adapter::{ImageConfig, PrecisionSetting, PromptFolder};
use vlpt_clip::{Clip, Hub, ModelFiles, ModelName, Precision, Tokenizer};
use vlpt_data::image::{Limits, Preprocess, RgbImage};
use vlpt_data::{Format, Task};
use vlpt_kernels::{ISA_VARIABLE, Isa};

use crate::console::{Console, Unit};
use crate::error::CliError;

/// Stack of each thread: what a main thread has.
const STACK: usize = 8 << 20;

/// Runs `work` in the pool that all kernels run in, with so many threads, or one for each core. A
/// command begins inside the pool, so that none of its calls has to wake the pool up from outside.
pub(crate) fn in_pool<T: Send>(
    threads: Option<NonZeroUsize>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, CliError> {
    let threads = threads.map_or(0, NonZeroUsize::get);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .build_global()
        .map_err(|e| CliError::failure(format!("cannot start {threads} threads: {e}")))?;
    Ok(rayon::scope(|_| work()))
}

/// Refuses more threads than can do any good: each takes memory and time to start, and they would
/// only wait for each other.
pub(crate) fn check_threads(threads: Option<NonZeroUsize>) -> Result<(), CliError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let most = (4 * cores).max(64);
    // what the pool takes where nothing else is said
    let usual = || std::env::var("RAYON_NUM_THREADS").ok()?.parse().ok();
    match threads.map(NonZeroUsize::get).or_else(usual) {
        Some(threads) if threads > most => Err(CliError::usage(
            format!("{threads} threads: expected at most {most}, for {cores} cores"),
            "give --threads (VLPT_THREADS, RAYON_NUM_THREADS) the number of cores, or leave it out",
        )),
        _ => Ok(()),
    }
}

/// Refuses kernels that there are not, by name.
pub(crate) fn check_kernels() -> Result<(), CliError> {
    let Err(message) = Isa::requested() else {
        return Ok(());
    };
    let there: Vec<String> = Isa::available().iter().map(Isa::to_string).collect();
    Err(CliError::usage(
        message,
        format!(
            "this processor has {}; unset {ISA_VARIABLE} to use the last of them",
            there.join(", ")
        ),
    ))
}

/// Number format of the towers.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct PrecisionArgs {
    /// Number format of the towers: exact `f32`, quicker `bf16` on processors with AMX [default: auto]
    #[arg(long, value_enum, value_name = "FORMAT", env = "VLPT_PRECISION")]
    pub(crate) precision: Option<PrecisionArg>,
}

/// A number format, or the choice left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionArg {
    Auto,
    F32,
    Bf16,
}

impl PrecisionArgs {
    /// As a setting of a configuration.
    pub(crate) fn setting(self) -> PrecisionSetting {
        match self.precision {
            None | Some(PrecisionArg::Auto) => PrecisionSetting::Auto,
            Some(PrecisionArg::F32) => PrecisionSetting::F32,
            Some(PrecisionArg::Bf16) => PrecisionSetting::Bf16,
        }
    }

    /// What that is on this machine.
    pub(crate) fn resolve(self) -> Precision {
        self.setting().resolve()
    }
}

/// Which CLIP to use.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModelArgs {
    /// The model: a folder, `org/name`, `ViT-B-16/openai`, `hf-hub:org/name`, each with `@revision`; `mini-clip` is built in
    #[arg(long, short, value_name = "NAME", env = "VLPT_MODEL", default_value = vlpt_train::DEFAULT_MODEL)]
    pub(crate) model: String,
}

/// Which CLIP to use, and how it computes.
#[derive(Debug, Clone, Args)]
pub(crate) struct TowerArgs {
    #[command(flatten)]
    pub(crate) name: ModelArgs,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgs,
}

impl TowerArgs {
    /// Finds, downloads if need be, and loads the model.
    pub(crate) fn open(&self, console: &Console) -> Result<Clip, CliError> {
        open_model(&self.name.model, self.precision.resolve(), console)
    }
}

/// The base model of a prompt folder, where its own name is not to be followed.
#[derive(Debug, Clone, Args)]
pub(crate) struct BaseModelArgs {
    /// Find the base model under this name instead of the one in the prompt folder
    #[arg(long, short, value_name = "NAME")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgs,
    /// Use the prompt although it was learned on other weights than the model found has
    #[arg(long)]
    pub(crate) force: bool,
}

impl BaseModelArgs {
    /// Finds, downloads if need be, and loads the base model of a prompt folder, and checks that it
    /// is the one that the prompt was learned on.
    pub(crate) fn open(&self, folder: &PromptFolder, console: &Console) -> Result<Clip, CliError> {
        let name = self.model.as_ref().unwrap_or(&folder.adapter.base_model);
        let clip = open_model(name, self.precision.resolve(), console)?;
        if !self.force {
            folder.check_model(&clip)?;
        }
        Ok(clip)
    }
}

/// Finds, downloads if need be, and loads the model `name`.
pub(crate) fn open_model(
    name: &str,
    precision: Precision,
    console: &Console,
) -> Result<Clip, CliError> {
    Ok(Clip::load_as(&find_model(name, console)?, precision)?)
}

/// Finds the files of the model `name`; downloads them if need be.
pub(crate) fn find_model(name: &str, console: &Console) -> Result<ModelFiles, CliError> {
    let name: ModelName = name.parse()?;
    let bar = console.bar(Unit::Bytes);
    Ok(Hub::from_env().resolve(&name, &bar)?)
}

/// The tokenizer of the model `name`, or OpenAI's, which needs no model.
pub(crate) fn load_tokenizer(name: Option<&str>, console: &Console) -> Result<Tokenizer, CliError> {
    match name {
        Some(name) => Ok(Clip::load_tokenizer(&find_model(name, console)?)?),
        None => Ok(Tokenizer::openai()),
    }
}

/// What the model `name` does to an image before it looks at it.
pub(crate) fn load_preprocess(name: &str, console: &Console) -> Result<Preprocess, CliError> {
    Ok(vlpt_adapter::preprocess(
        &open_model(name, Precision::F32, console)?,
        &ImageConfig::default(),
    ))
}

/// How a data set is read.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataFlags {
    /// Its format; recognised when left out
    #[arg(long, value_name = "FORMAT", env = "VLPT_FORMAT")]
    pub(crate) format: Option<Format>,
    /// Its name in the catalogue, or which of several sets below the folder [default: from the folder]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Which column holds the labels where a file has several
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label_column: Option<String>,
    /// The seed of the split made where the data has none [default: 0]
    #[arg(long, value_name = "SEED")]
    pub(crate) split_seed: Option<u64>,
    /// Leave out class folders without images instead of refusing them
    #[arg(long)]
    pub(crate) drop_empty_classes: bool,
    /// Leave out listed images that are absent instead of refusing them
    #[arg(long)]
    pub(crate) skip_missing_images: bool,
}

impl DataFlags {
    /// The flags given, as settings of a configuration.
    pub(crate) fn settings(&self) -> Vec<String> {
        let mut settings = Vec::new();
        let mut set = |key: &str, value: Option<String>| {
            settings.extend(value.map(|v| format!("data.{key}={v}")));
        };
        set("format", self.format.map(|f| f.to_string()));
        set("name", self.name.clone());
        set("label_column", self.label_column.clone());
        set("split_seed", self.split_seed.map(|s| s.to_string()));
        set(
            "drop_empty_classes",
            self.drop_empty_classes.then(|| "true".to_owned()),
        );
        set(
            "skip_missing_images",
            self.skip_missing_images.then(|| "true".to_owned()),
        );
        settings
    }
}

/// A data set and how to read it.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataArgs {
    /// The data set: a folder, a manifest (.csv, .jsonl), or `synthetic:NAME`
    #[arg(value_name = "DATA")]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) flags: DataFlags,
}

impl DataArgs {
    /// Opens the data set.
    pub(crate) fn open(&self) -> Result<Task, CliError> {
        let mut settings = self.flags.settings();
        settings.push(format!("data.path={}", self.data));
        Ok(vlpt_train::open_task(
            &vlpt_train::load(None, None, &settings)?.data,
        )?)
    }
}

/// Where features are kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct CacheArgs {
    /// Where image features are kept; safe to delete [default: vlpt below the user's cache folder]
    #[arg(long, value_name = "FOLDER", env = "VLPT_CACHE_DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Compute image features anew and keep none
    #[arg(long, conflicts_with = "cache")]
    pub(crate) no_cache: bool,
}

impl CacheArgs {
    /// The folder to use, if any.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        if self.no_cache {
            None
        } else {
            self.cache.clone().or_else(vlpt_adapter::default_cache_dir)
        }
    }
}

/// Images named on the command line: files, folders, or one image on standard input.
#[derive(Debug, Clone, Args)]
pub(crate) struct ImageArgs {
    /// Image files or folders; `-` reads one image from standard input
    #[arg(value_name = "IMAGE", required_unless_present = "files_from")]
    pub(crate) images: Vec<PathBuf>,
    /// A file with one image path a line; `-` reads the list from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,
}

/// One image to work on.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// A file on disk.
    File(PathBuf),
    /// The bytes of one image from standard input.
    Stdin(Vec<u8>),
}

impl Input {
    /// What to call it in results and errors.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin(_) => "-".into(),
        }
    }

    /// Its name in errors and its bytes.
    pub(crate) fn named_bytes(&self) -> Result<(String, Vec<u8>), CliError> {
        match self {
            Self::File(path) => Ok((self.label(), fs_err::read(path)?)),
            Self::Stdin(bytes) => Ok(("standard input".to_owned(), bytes.clone())),
        }
    }

    /// Reads and decodes it.
    pub(crate) fn load(&self, limits: &Limits) -> Result<RgbImage, CliError> {
        let (name, bytes) = self.named_bytes()?;
        Ok(vlpt_data::image::decode(&bytes, &name, limits)?)
    }
}

const EXTENSIONS: [&str; 10] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff",
];

impl ImageArgs {
    /// All images in the order given; folders are walked in name order.
    pub(crate) fn inputs(&self) -> Result<Vec<Input>, CliError> {
        let mut inputs = Vec::new();
        let mut paths = self.images.clone();
        if let Some(list) = &self.files_from {
            let text = if list == Path::new("-") {
                std::io::read_to_string(std::io::stdin())?
            } else {
                fs_err::read_to_string(list)?
            };
            paths.extend(
                text.lines()
                    .filter(|l| !l.trim().is_empty())
                    .map(PathBuf::from),
            );
        }
        for path in paths {
            if path == Path::new("-") {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
                inputs.push(Input::Stdin(bytes));
            } else if path.is_dir() {
                let before = inputs.len();
                walk(&path, &mut inputs)?;
                if inputs.len() == before {
                    return Err(CliError::usage(
                        format!("no images in the folder {}", path.display()),
                        format!("images end in one of: {}", EXTENSIONS.join(", ")),
                    ));
                }
            } else {
                inputs.push(Input::File(path));
            }
        }
        if inputs.is_empty() {
            return Err(CliError::usage(
                "no images given",
                "name image files or folders",
            ));
        }
        Ok(inputs)
    }
}

fn walk(folder: &Path, inputs: &mut Vec<Input>) -> Result<(), CliError> {
    let mut entries = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        entries.push(entry?.path());
    }
    entries.sort();
    for path in entries {
        let hidden = path
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with('.'));
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if hidden {
        } else if path.is_dir() {
            walk(&path, inputs)?;
        } else if extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str())) {
            inputs.push(Input::File(path));
        }
    }
    Ok(())
}
