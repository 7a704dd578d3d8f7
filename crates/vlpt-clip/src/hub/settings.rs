//! How the hub may be used.

use std::fmt;
use std::path::{Path, PathBuf};

/// The hub itself.
const ENDPOINT: &str = "https://huggingface.co";

/// How the hub and its cache are used.
#[derive(Clone, PartialEq, Eq)]
pub struct HubSettings {
    /// The folder that holds `models--org--name`. `None` where there is no home folder.
    pub cache: Option<PathBuf>,
    /// Where the hub answers, without a slash at its end.
    pub endpoint: String,
    /// The access token sent with every request.
    pub token: Option<String>,
    /// Nothing is fetched.
    pub offline: bool,
}

/// Never shows the token.
impl fmt::Debug for HubSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSettings")
            .field("cache", &self.cache)
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.as_ref().map(|_| "(set)"))
            .field("offline", &self.offline)
            .finish()
    }
}

impl HubSettings {
    /// Reads the environment as `huggingface_hub` does:
    ///
    /// * cache: `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `hub` in `HF_HOME`, else in
    ///   `huggingface` in `XDG_CACHE_HOME`, else in `~/.cache`;
    /// * token: `HF_TOKEN`, else `HUGGING_FACE_HUB_TOKEN`, else the file `HF_TOKEN_PATH`, else
    ///   `token` in `HF_HOME`; a stored one is not sent under `HF_HUB_DISABLE_IMPLICIT_TOKEN`;
    /// * offline: `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is 1, on, yes or true;
    /// * endpoint: `HF_ENDPOINT`.
    pub fn from_env() -> Self {
        Self::from_variables(
            |name| std::env::var(name).ok(),
            std::env::home_dir().as_deref(),
        )
    }

    /// As [`HubSettings::from_env`], from variables given by a function.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        user_home: Option<&Path>,
    ) -> Self {
        let text = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let truth = |name: &str| {
            text(name).is_some_and(|value| {
                ["1", "on", "yes", "true"].contains(&value.trim().to_lowercase().as_str())
            })
        };
        let path = |name: &str| {
            let value = text(name)?;
            match (value.strip_prefix("~/"), user_home) {
                (Some(rest), Some(home)) => Some(home.join(rest)),
                _ => Some(PathBuf::from(value)),
            }
        };
        let home = path("HF_HOME").or_else(|| {
            let caches = path("XDG_CACHE_HOME").or_else(|| Some(user_home?.join(".cache")))?;
            Some(caches.join("huggingface"))
        });
        let cache = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| Some(home.as_ref()?.join("hub")));
        let stored = || {
            if truth("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
                return None;
            }
            let file = path("HF_TOKEN_PATH").or_else(|| Some(home.as_ref()?.join("token")))?;
            fs_err::read_to_string(file).ok()
        };
        let token = text("HF_TOKEN")
            .or_else(|| text("HUGGING_FACE_HUB_TOKEN"))
            .or_else(stored)
            .map(|token| token.trim().to_owned())
            .filter(|token| !token.is_empty());
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        Self {
            cache,
            endpoint: endpoint.trim().trim_end_matches('/').to_owned(),
            token,
            offline: truth("HF_HUB_OFFLINE") || truth("TRANSFORMERS_OFFLINE"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> HubSettings {
        let find = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, v)| (*v).to_owned())
        };
        HubSettings::from_variables(find, Some(Path::new("/home/me")))
    }

    #[test]
    fn the_cache_is_where_huggingface_hub_puts_it() {
        let cache = |variables: &[_]| read(variables).cache.unwrap().display().to_string();
        assert_eq!(cache(&[]), "/home/me/.cache/huggingface/hub");
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x")]), "/x/huggingface/hub");
        assert_eq!(
            cache(&[("HF_HOME", "~/hf"), ("XDG_CACHE_HOME", "/x")]),
            "/home/me/hf/hub"
        );
        assert_eq!(cache(&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/hf")]), "/c");
        assert_eq!(HubSettings::from_variables(|_| None, None).cache, None);
    }

    #[test]
    fn offline_is_said_in_two_ways() {
        assert!(!read(&[]).offline);
        assert!(!read(&[("HF_HUB_OFFLINE", "0")]).offline);
        assert!(read(&[("HF_HUB_OFFLINE", "1")]).offline);
        assert!(read(&[("TRANSFORMERS_OFFLINE", "Yes")]).offline);
    }

    #[test]
    fn the_token_comes_from_the_variable_or_the_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs_err::write(&file, "from-file\n").unwrap();
        let path = file.to_str().unwrap();
        let home = folder.path().to_str().unwrap();
        assert_eq!(
            read(&[("HF_HOME", home)]).token.as_deref(),
            Some("from-file")
        );
        assert_eq!(
            read(&[("HF_TOKEN_PATH", path)]).token.as_deref(),
            Some("from-file")
        );
        let both = [("HF_TOKEN", "secret"), ("HF_TOKEN_PATH", path)];
        assert_eq!(read(&both).token.as_deref(), Some("secret"));
        let hidden = [
            ("HF_TOKEN_PATH", path),
            ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"),
        ];
        assert_eq!(read(&hidden).token, None);
        assert!(!format!("{:?}", read(&both)).contains("secret"));
    }

    #[test]
    fn the_endpoint_has_no_slash_at_its_end() {
        assert_eq!(read(&[]).endpoint, "https://huggingface.co");
        assert_eq!(
            read(&[("HF_ENDPOINT", "http://mirror:80/")]).endpoint,
            "http://mirror:80"
        );
    }
}
