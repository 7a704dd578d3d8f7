//! Downloads through the `hf-hub` crate into the shared cache.

use std::io::Read;
use std::path::PathBuf;

use hf_hub::api::Progress as HubProgress;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo as HubRepo, RepoType};
use sha2::{Digest, Sha256};
use vlpt_base::hash::hex;

use super::cache::{Repo, plain_name};
use super::settings::HubSettings;
use crate::error::{ClipError, Result};
use crate::files::ModelFiles;
use crate::formats;
use crate::progress::Progress;

/// How often a broken transfer is taken up again.
const RETRIES: usize = 3;
/// Bytes hashed at a time.
const CHUNK: usize = 1 << 20;

/// Fetches what loading needs of a repository. Returns the folder of the commit.
pub(super) fn fetch(
    settings: &HubSettings,
    cached: &Repo,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let fetcher = Fetcher {
        settings,
        cached,
        progress,
    };
    let valid = settings
        .endpoint
        .parse::<ureq::http::Uri>()
        .is_ok_and(|uri| {
            uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https"))
        });
    if !valid {
        let what = format!("the endpoint {:?} is no http address", settings.endpoint);
        return Err(fetcher.failure(what, Some("correct HF_ENDPOINT".to_owned())));
    }
    let api = ApiBuilder::from_cache(Cache::new(cached.root.clone()))
        .with_endpoint(settings.endpoint.clone())
        .with_token(settings.token.clone())
        .with_progress(false)
        .with_retries(RETRIES)
        .with_user_agent("vlpt", env!("CARGO_PKG_VERSION"))
        .build()
        .map_err(|error| fetcher.error(None, &error))?;
    let info = api
        .repo(HubRepo::with_revision(
            cached.id.clone(),
            RepoType::Model,
            cached.revision.clone(),
        ))
        .info()
        .map_err(|error| fetcher.error(None, &error))?;
    if !plain_name(&info.sha) {
        return Err(fetcher.failure(format!("the hub answers the commit {:?}", info.sha), None));
    }
    let names: Vec<String> = info
        .siblings
        .into_iter()
        .map(|file| file.rfilename)
        .collect();
    let has = |file: &str| names.iter().any(|name| name == file);
    let repo = api.repo(HubRepo::with_revision(
        cached.id.clone(),
        RepoType::Model,
        info.sha.clone(),
    ));

    let folder = cached.snapshot_of(&info.sha);
    fs_err::create_dir_all(&folder)?;
    for file in formats::SMALL_FILES {
        if has(file) {
            fetcher.file(&api, &repo, &info.sha, file)?;
        } else {
            cached.mark_absent(&info.sha, file)?;
        }
    }
    let small = ModelFiles::folder(cached.id.clone(), &folder)?;
    let weights = formats::choose_weights(&small, &names)?;
    fetcher.file(&api, &repo, &info.sha, &weights)?;
    if weights.ends_with(".index.json") {
        let index = ModelFiles::folder(cached.id.clone(), &folder)?;
        for shard in formats::shard_names(&index, &weights)? {
            if !has(&shard) {
                let what = format!("{weights} names {shard}, which the repository does not have");
                return Err(fetcher.failure(what, None));
            }
            fetcher.file(&api, &repo, &info.sha, &shard)?;
        }
    }
    cached.point(&info.sha)?;
    Ok(folder)
}

struct Fetcher<'a> {
    settings: &'a HubSettings,
    cached: &'a Repo,
    progress: &'a dyn Progress,
}

impl Fetcher<'_> {
    /// Fetches one file, unless its commit's folder has it, and checks what came.
    fn file(&self, api: &Api, repo: &ApiRepo, commit: &str, file: &str) -> Result<()> {
        if self.cached.snapshot_of(commit).join(file).exists() {
            return Ok(());
        }
        let meta = api
            .metadata(&repo.url(file))
            .map_err(|error| self.error(Some(file), &error))?;
        // both become names in the cache
        let etag = meta.etag().trim_start_matches("W/");
        if !plain_name(etag) || meta.commit_hash() != commit {
            let what = format!(
                "{file}: the hub answers etag {:?} of commit {:?}, expected commit {commit}",
                meta.etag(),
                meta.commit_hash()
            );
            return Err(self.failure(what, None));
        }
        let mut bridge = Bridge {
            progress: self.progress,
            started: false,
            absolute: false,
            done: 0,
        };
        let fetched = repo.download_with_progress(file, &mut bridge);
        if bridge.started {
            self.progress.finish();
        }
        let path = fetched.map_err(|error| self.error(Some(file), &error))?;
        self.check(&path, file, etag, meta.size() as u64)
    }

    /// Large files are named by their SHA-256; of all, the size is known.
    fn check(&self, path: &std::path::Path, file: &str, etag: &str, size: u64) -> Result<()> {
        let mut reader = fs_err::File::open(path)?;
        let found = reader.metadata()?.len();
        let mut what = None;
        if found != size {
            what = Some(format!("{file}: {found} bytes came, {size} expected"));
        } else if etag.len() == 64 {
            let mut hasher = Sha256::new();
            let mut buffer = vec![0; CHUNK];
            loop {
                let count = reader.read(&mut buffer)?;
                if count == 0 {
                    break;
                }
                hasher.update(&buffer[..count]);
            }
            let hash = hex(&hasher.finalize());
            if hash != etag {
                what = Some(format!("{file}: SHA-256 {hash}, the hub says {etag}"));
            }
        }
        let Some(what) = what else { return Ok(()) };
        // neither the link nor its blob may stay
        if let Ok(blob) = fs_err::canonicalize(path) {
            fs_err::remove_file(blob).ok();
        }
        fs_err::remove_file(path).ok();
        Err(self.failure(
            what,
            Some("try again; the damaged file was removed".to_owned()),
        ))
    }

    fn failure(&self, what: String, hint: Option<String>) -> ClipError {
        ClipError::Hub {
            repo: format!("{}@{}", self.cached.id, self.cached.revision),
            what,
            hint,
        }
    }

    /// Says what the hub's answer means.
    fn error(&self, file: Option<&str>, error: &ApiError) -> ClipError {
        if let ApiError::LockAcquisition(path) = error {
            let what = format!("another program holds {}", path.display());
            return self.failure(what, Some("wait until its download has ended".to_owned()));
        }
        if let Some(disk) = disk_error(error) {
            let what = format!("writing to {}: {disk}", self.cached.root.display());
            let hint = "free some space, or set HF_HUB_CACHE to a folder that can be written to";
            return self.failure(what, Some(hint.to_owned()));
        }
        let subject = file.map_or_else(|| "the repository".to_owned(), str::to_owned);
        let (status, text) = cause(error);
        let page = format!("{}/{}", self.settings.endpoint, self.cached.id);
        let (what, hint) = match status {
            Some(401 | 403) if self.settings.token.is_some() => (
                format!("{subject}: refused ({})", status.unwrap_or_default()),
                format!(
                    "the token has no access; a gated model's conditions are accepted at {page}"
                ),
            ),
            Some(401 | 403) => (
                format!(
                    "{subject}: refused ({}): no such repository, or it is private or gated",
                    status.unwrap_or_default()
                ),
                format!(
                    "check the name; for a gated model accept its conditions at {page} \
                     and set HF_TOKEN"
                ),
            ),
            Some(404) => (
                format!("{subject}: not found (404)"),
                "check the name and the revision".to_owned(),
            ),
            Some(429) => (
                format!("{subject}: too many requests (429)"),
                "wait a while, or set HF_TOKEN".to_owned(),
            ),
            Some(status) => (
                format!("{subject}: the hub answers {status}"),
                "try again later".to_owned(),
            ),
            None => (
                format!("{subject}: {text}"),
                "check the connection; without one, give the model's folder".to_owned(),
            ),
        };
        self.failure(what, Some(hint))
    }
}

/// The error of the disk, not of the connection, behind an error.
fn disk_error(error: &ApiError) -> Option<&std::io::Error> {
    use std::io::ErrorKind;
    match error {
        ApiError::IoError(io) => matches!(
            io.kind(),
            ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
                | ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::NotADirectory
                | ErrorKind::AlreadyExists
        )
        .then_some(io),
        ApiError::TooManyRetries(inner) => disk_error(inner),
        _ => None,
    }
}

/// The HTTP status behind an error, where there is one, and its text.
fn cause(error: &ApiError) -> (Option<u16>, String) {
    match error {
        ApiError::RequestError(request) => match request.as_ref() {
            ureq::Error::StatusCode(status) => (Some(*status), error.to_string()),
            other => (None, other.to_string()),
        },
        ApiError::TooManyRetries(inner) => cause(inner),
        other => (None, other.to_string()),
    }
}

/// Hands the crate's progress on. Every attempt starts with `init` and then tells where it takes
/// up the file; what an earlier attempt has told is not told again.
struct Bridge<'a> {
    progress: &'a dyn Progress,
    started: bool,
    /// The next update is a place in the file, not a step.
    absolute: bool,
    done: u64,
}

impl HubProgress for &mut Bridge<'_> {
    fn init(&mut self, size: usize, file: &str) {
        if !self.started {
            self.started = true;
            self.progress.start(file, size as u64);
        }
        self.absolute = true;
    }

    fn update(&mut self, size: usize) {
        let mut step = size as u64;
        if std::mem::take(&mut self.absolute) {
            step = step.saturating_sub(self.done);
        }
        self.done += step;
        self.progress.advance(step);
    }

    fn finish(&mut self) {}
}
