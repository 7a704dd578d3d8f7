//! Downloads into the shared cache.

mod refusal;

use std::path::PathBuf;

use super::cache::{Locked, Repo, plain_name};
use super::checksum::Checksum;
use super::info::RepoInfo;
use super::net::{Client, Failure};
use super::settings::HubSettings;
use super::transfer::{Told, Wanted, content_range, transfer};
use super::waits::HubWaits;
use crate::error::Result;
use crate::files::ModelFiles;
use crate::formats;
use crate::progress::Progress;

/// Fetches what loading needs of a repository. Returns the folder of the commit; what the hub
/// leaves uncertain is told in `notes`.
pub(super) fn fetch(
    settings: &HubSettings,
    waits: HubWaits,
    cached: &Repo,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<PathBuf> {
    let place = refusal::Subject {
        settings,
        cached,
        file: None,
    };
    let Some(client) = Client::new(settings, waits) else {
        let what = format!("the endpoint {:?} is no http address", settings.endpoint);
        return Err(place.failure(what, Some("correct HF_ENDPOINT".to_owned())));
    };
    let (id, revision) = (&cached.id, &cached.revision);
    let info = RepoInfo::ask(&client, &settings.endpoint, id, revision)
        .map_err(|failure| place.error(failure))?;
    if !plain_name(&info.sha) {
        let what = format!("the hub answers the commit {:?}", info.sha);
        return Err(place.error(Failure::Answer(what)));
    }
    let mut fetcher = Fetcher {
        settings,
        client,
        cached,
        progress,
        info,
        notes,
    };
    let folder = fetcher.all()?;
    cached.point(&fetcher.info.sha)?;
    Ok(folder)
}

struct Fetcher<'a> {
    settings: &'a HubSettings,
    client: Client,
    cached: &'a Repo,
    progress: &'a dyn Progress,
    info: RepoInfo,
    notes: &'a mut Vec<String>,
}

/// What the hub says of a file before its bytes come.
struct Meta {
    commit: String,
    etag: String,
    size: Option<u64>,
}

impl Fetcher<'_> {
    /// The small files, then the weights that they name.
    fn all(&mut self) -> Result<PathBuf> {
        let commit = self.info.sha.clone();
        let folder = self.cached.snapshot_of(&commit);
        fs_err::create_dir_all(&folder)?;
        for file in formats::SMALL_FILES {
            if self.info.has(file) {
                self.file(file)?;
            } else {
                self.cached.mark_absent(&commit, file)?;
            }
        }
        let small = ModelFiles::folder(self.cached.id.clone(), &folder)?;
        let weights = formats::choose_weights(&small, &self.info.names())?;
        self.file(&weights)?;
        if weights.ends_with(".index.json") {
            let index = ModelFiles::folder(self.cached.id.clone(), &folder)?;
            for shard in formats::shard_names(&index, &weights)? {
                if !self.info.has(&shard) {
                    let what =
                        format!("{weights} names {shard}, which the repository does not have");
                    let hint = "give another revision, or the model's folder".to_owned();
                    return Err(self.subject(None).failure(what, Some(hint)));
                }
                self.file(&shard)?;
            }
        }
        Ok(folder)
    }

    /// Fetches one file, unless its commit's folder has it as it should be.
    fn file(&mut self, file: &str) -> Result<()> {
        let commit = self.info.sha.clone();
        let said = self.info.hash(file).and_then(Checksum::of);
        if self.cached.has_sound(&commit, file, said.as_ref())? {
            return Ok(());
        }
        let url = format!(
            "{}/{}/resolve/{commit}/{file}",
            self.settings.endpoint, self.cached.id
        );
        let meta = self
            .client
            .persist(|| self.ask(&url))
            .map_err(|failure| self.subject(Some(file)).error(failure))?;
        // both become names in the cache
        if !plain_name(&meta.etag) || meta.commit != commit {
            let what = format!(
                "the hub answers etag {:?} of commit {:?}, expected commit {commit}",
                meta.etag, meta.commit
            );
            return Err(self.subject(Some(file)).error(Failure::Answer(what)));
        }
        let Some(size) = meta.size.or_else(|| self.info.size(file)) else {
            let what = "the hub does not say how long it is".to_owned();
            return Err(self.subject(Some(file)).error(Failure::Answer(what)));
        };
        let checksum = Checksum::of(&meta.etag).or(said);
        if checksum.is_none() {
            self.notes.push(format!(
                "{file}: the hub names it {:?}, no hash, so only its size was checked",
                meta.etag
            ));
        }
        let wanted = Wanted {
            url: &url,
            size,
            checksum: checksum.as_ref(),
        };
        self.blob(file, &meta.etag, &wanted)?;
        self.cached.link(&commit, file, &meta.etag)
    }

    /// Makes sure that the file's bytes lie under their name.
    fn blob(&self, file: &str, etag: &str, wanted: &Wanted) -> Result<()> {
        let disk = |error: std::io::Error| self.subject(Some(file)).error(Failure::Disk(error));
        let mut told = Told::start(self.progress, file, wanted.size);
        let locked = self.cached.lock(etag, self.client.waits.progress);
        let Locked::Here(_lock) = locked.map_err(disk)? else {
            let what = format!("{file}: another program downloads it and makes no progress");
            let hint = "wait until it has ended, or end it".to_owned();
            return Err(self.subject(None).failure(what, Some(hint)));
        };
        let blob = self.cached.blob(etag);
        if self
            .cached
            .sound_blob(&blob, wanted.size, wanted.checksum)?
        {
            return Ok(());
        }
        let partial = self.cached.partial(etag);
        transfer(&self.client, wanted, &partial, &mut told)
            .map_err(|failure| self.subject(Some(file)).error(failure))?;
        fs_err::rename(&partial, &blob).map_err(disk)
    }

    /// One request for the first byte of a file, of which only the heads are read.
    fn ask(&self, url: &str) -> Result<Meta, Failure> {
        let answer = self.client.get(url, Some("bytes=0-0"), |answer| {
            let told = |name| answer.hub(name).is_some();
            told("x-linked-etag") && told("x-linked-size") && told("x-repo-commit")
        })?;
        let linked = answer
            .hub("x-linked-size")
            .and_then(|text| text.parse().ok());
        let size = match answer.header("content-range") {
            _ if linked.is_some() => linked,
            Some(range) => {
                let Some((_, size)) = content_range(&range) else {
                    let what = format!("the hub answers the range {range:?}");
                    return Err(Failure::Answer(what));
                };
                size
            }
            None if answer.is_part() => None,
            None => answer
                .header("content-length")
                .and_then(|text| text.parse().ok()),
        };
        Ok(Meta {
            commit: answer.hub("x-repo-commit").unwrap_or_default().to_owned(),
            etag: answer.etag().unwrap_or_default(),
            size,
        })
    }

    fn subject<'s>(&'s self, file: Option<&'s str>) -> refusal::Subject<'s> {
        refusal::Subject {
            settings: self.settings,
            cached: self.cached,
            file,
        }
    }
}
