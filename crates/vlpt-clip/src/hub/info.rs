//! What a repository holds, as the hub's API says it.

use serde_json::Value;

use super::net::{Client, Failure};

/// The longest answer that is read: a repository of a million files.
const LONGEST: u64 = 128 << 20;

/// A commit and its files.
#[derive(serde::Deserialize)]
pub(super) struct RepoInfo {
    /// The commit that the revision means.
    pub(super) sha: String,
    siblings: Vec<Sibling>,
}

/// One file. Size and hashes come where the hub was asked for them and knows how.
#[derive(serde::Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob: Option<String>,
    lfs: Option<Value>,
}

impl RepoInfo {
    /// Asks for a revision of a model's repository.
    pub(super) fn ask(
        client: &Client,
        endpoint: &str,
        id: &str,
        revision: &str,
    ) -> Result<Self, Failure> {
        let revision = revision.replace('/', "%2F");
        let url = format!("{endpoint}/api/models/{id}/revision/{revision}?blobs=true");
        client.persist(|| {
            let answer = client.get(&url, None, |_| false)?;
            let bytes = answer.body(LONGEST, &client.waits).all()?;
            serde_json::from_slice(&bytes).map_err(|error| {
                let begins: String = String::from_utf8_lossy(&bytes).chars().take(60).collect();
                Failure::Answer(format!(
                    "the hub's list of files is not JSON of the known form ({error}); \
                     it begins {begins:?}"
                ))
            })
        })
    }

    /// The names of all files.
    pub(super) fn names(&self) -> Vec<String> {
        self.siblings
            .iter()
            .map(|file| file.rfilename.clone())
            .collect()
    }

    /// Whether there is a file of that name.
    pub(super) fn has(&self, file: &str) -> bool {
        self.sibling(file).is_some()
    }

    /// The bytes of a file, where the hub says so.
    pub(super) fn size(&self, file: &str) -> Option<u64> {
        self.sibling(file)?.size
    }

    /// The hash of a file: SHA-256 where it is stored as a large one, else git's of its bytes.
    pub(super) fn hash(&self, file: &str) -> Option<&str> {
        let file = self.sibling(file)?;
        match &file.lfs {
            Some(lfs) if !lfs.is_null() => lfs.get("sha256").and_then(Value::as_str),
            _ => file.blob.as_deref(),
        }
    }

    fn sibling(&self, file: &str) -> Option<&Sibling> {
        self.siblings
            .iter()
            .find(|sibling| sibling.rfilename == file)
    }
}
