//! `vlpt doctor`: what this machine offers and what will be used.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use vlpt_clip::{Clip, ModelFiles, Precision, TowerAdaptation};
use vlpt_kernels::{Description, ISA_VARIABLE, Isa};

use crate::console::Console;
use crate::error::CliError;
use crate::options::PrecisionArgs;

/// Flags of `vlpt doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    precision: PrecisionArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    built_with: Vec<&'static str>,
    images: &'static [&'static str],
    images_without_decoder: &'static [&'static str],
    system: String,
    processor: String,
    cores: usize,
    threads: usize,
    memory_total_mib: Option<u64>,
    memory_available_mib: Option<u64>,
    instructions: Vec<&'static str>,
    level: String,
    level_from: String,
    kernels: BTreeMap<&'static str, &'static str>,
    precision: String,
    precision_from: String,
    gpu: &'static str,
    model_cache: Option<PathBuf>,
    model_cache_exists: bool,
    offline: bool,
    token: bool,
    feature_cache: Option<PathBuf>,
    embedded_model: String,
    images_per_second: f64,
}

/// Prints the report.
pub(crate) fn run(args: &DoctorArgs, console: &Console) -> Result<(), CliError> {
    let hub = vlpt_clip::HubSettings::from_env();
    let kernels = vlpt_kernels::description();
    let (precision, precision_from) = precision(args.precision);
    let clip = Clip::load_as(&ModelFiles::mini(), precision)?;
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        built_with: built_with(),
        images: vlpt_data::image::FORMATS.0,
        images_without_decoder: vlpt_data::image::FORMATS.1,
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor: proc_field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        threads: rayon::current_num_threads(),
        memory_total_mib: memory("MemTotal"),
        memory_available_mib: memory("MemAvailable"),
        instructions: instructions(),
        level: kernels.level.to_string(),
        level_from: level_from(&kernels),
        kernels: BTreeMap::from([
            ("f32 products", kernels.f32_products),
            ("bf16 products", kernels.bf16_products),
            ("attention", kernels.attention),
            ("rows", kernels.rows),
        ]),
        precision: precision.to_string(),
        precision_from,
        gpu: "not used by this version",
        model_cache_exists: hub.cache.as_ref().is_some_and(|folder| folder.is_dir()),
        model_cache: hub.cache,
        offline: hub.offline,
        token: hub.token.is_some(),
        feature_cache: vlpt_adapter::default_cache_dir(),
        images_per_second: speed(&clip),
        embedded_model: format!("{} ({})", clip.name, &clip.fingerprint[..12]),
    };
    console.result(&report, || text(&report))
}

fn text(r: &Report) -> String {
    let yes = |b: bool| if b { "yes" } else { "no" };
    let folder = |path: &Option<PathBuf>| {
        path.as_ref()
            .map_or_else(|| "none".to_owned(), |p| p.display().to_string())
    };
    let mib = |m: Option<u64>| m.map_or_else(|| "unknown".to_owned(), |m| format!("{m} MiB"));
    let rows = [
        ("vlpt", r.version.to_owned()),
        (
            "built with",
            match r.built_with[..] {
                [] => "none of hub, parquet, webdataset, heic".to_owned(),
                _ => r.built_with.join(" "),
            },
        ),
        (
            "images",
            format!(
                "{}; no decoder for {}: convert them first{}",
                r.images.join(" "),
                r.images_without_decoder.join(" and "),
                if cfg!(feature = "heic") {
                    ""
                } else {
                    ", or build it with `cargo install --path crates/vlpt --features heic`"
                }
            ),
        ),
        ("system", r.system.clone()),
        ("processor", format!("{}, {} cores", r.processor, r.cores)),
        (
            "memory",
            format!(
                "{} available of {}",
                mib(r.memory_available_mib),
                mib(r.memory_total_mib)
            ),
        ),
        ("instructions", r.instructions.join(" ")),
        ("kernels", format!("{} ({})", r.level, r.level_from)),
        ("f32 products", r.kernels["f32 products"].to_owned()),
        ("bf16 products", r.kernels["bf16 products"].to_owned()),
        ("attention", r.kernels["attention"].to_owned()),
        ("rows", r.kernels["rows"].to_owned()),
        (
            "precision",
            format!("{} ({})", r.precision, r.precision_from),
        ),
        (
            "threads",
            format!("{} (change with --threads or VLPT_THREADS)", r.threads),
        ),
        ("gpu", r.gpu.to_owned()),
        (
            "model cache",
            format!(
                "{} (exists: {})",
                folder(&r.model_cache),
                yes(r.model_cache_exists)
            ),
        ),
        ("offline", format!("{} (HF_HUB_OFFLINE)", yes(r.offline))),
        (
            "hub token",
            format!("{} (HF_TOKEN or the token file)", yes(r.token)),
        ),
        (
            "feature cache",
            format!("{} (safe to delete)", folder(&r.feature_cache)),
        ),
        ("embedded model", r.embedded_model.clone()),
        (
            "its speed",
            format!("{:.0} images a second", r.images_per_second),
        ),
    ];
    rows.iter()
        .map(|(k, v)| format!("{k:15} {v}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The Cargo features that this program was built with.
fn built_with() -> Vec<&'static str> {
    [
        ("hub", cfg!(feature = "hub")),
        ("parquet", cfg!(feature = "parquet")),
        ("serve", cfg!(feature = "serve")),
        ("watch", cfg!(feature = "watch")),
        ("webdataset", cfg!(feature = "webdataset")),
        ("heic", cfg!(feature = "heic")),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect()
}

/// What commands compute in, and why.
fn precision(given: PrecisionArgs) -> (Precision, String) {
    let precision = given.resolve();
    let why = if given.setting().named().is_some() {
        "as --precision or VLPT_PRECISION says".to_owned()
    } else {
        "fastest with these kernels; change with --precision or VLPT_PRECISION".to_owned()
    };
    (precision, why)
}

/// Where the level is from.
fn level_from(kernels: &Description) -> String {
    match Isa::requested() {
        Ok(Some(_)) => format!("as {ISA_VARIABLE} says; the processor has {}", kernels.best),
        _ => format!("all that the processor has; lower with {ISA_VARIABLE}"),
    }
}

/// Images a second through the embedded model's image tower: the median of five batches of 32.
fn speed(clip: &Clip) -> f64 {
    let side = clip.config.vision.image_size;
    let images = vec![0.5; 32 * 3 * side * side];
    let mut seconds: Vec<f64> = (0..6)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(clip.vision.features(&images, 32, &TowerAdaptation::NONE));
            start.elapsed().as_secs_f64()
        })
        .skip(1)
        .collect();
    seconds.sort_by(f64::total_cmp);
    32.0 / seconds[seconds.len() / 2]
}

fn proc_field(file: &str, field: &str) -> Option<String> {
    let text = fs_err::read_to_string(file).ok()?;
    let line = text.lines().find(|l| l.starts_with(field))?;
    line.split_once(':').map(|(_, v)| v.trim().to_owned())
}

fn memory(field: &str) -> Option<u64> {
    let value = proc_field("/proc/meminfo", field)?;
    value
        .split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib / 1024)
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> Vec<&'static str> {
    macro_rules! present {
        ($($name:tt),*) => { [$(($name, std::is_x86_feature_detected!($name))),*] };
    }
    let all = present!(
        "sse4.1",
        "avx",
        "avx2",
        "fma",
        "avx512f",
        "avx512bw",
        "avx512vl",
        "avx512bf16"
    );
    all.iter()
        .filter(|(_, has)| *has)
        .map(|(name, _)| *name)
        .collect()
}

#[cfg(target_arch = "aarch64")]
fn instructions() -> Vec<&'static str> {
    vec!["neon"]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn instructions() -> Vec<&'static str> {
    Vec::new()
}
