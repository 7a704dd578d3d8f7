//! Model names as users write them.

mod known;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::config::Activation;
use crate::error::{ClipError, Result};
use crate::files::MINI_NAME;

/// The revision of a repository when none is named.
const MAIN: &str = "main";
/// The most names an error suggests.
const SUGGESTIONS: usize = 3;

/// A model's name as the user writes it, with its `@revision`.
///
/// | spelling | meaning |
/// |---|---|
/// | `mini-clip` | the model inside the program |
/// | `path/to/folder`, `path/to/model.pt` | a folder, or a weight file in its folder |
/// | `local-dir:path` | the same, whatever the path looks like |
/// | `openai/clip-vit-base-patch16` | a repository of the hub |
/// | `hf-hub:org/name` | the same, even where a folder has that name |
/// | `ViT-B-16/openai` | OpenCLIP's name and tag of a known model |
/// | `ViT-B/16` | OpenAI's own name of one of its four vision transformers |
///
/// A repository may be followed by `@` and a branch, tag or commit. Any name may end in
/// `?activation=quick_gelu` or `?activation=gelu`, for weights whose configuration does not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    text: String,
    activation: Option<Activation>,
}

/// What stands between a name and its activation.
const ACTIVATION: &str = "?activation=";

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The model inside the program.
    Mini,
    /// A folder or a weight file.
    Local(PathBuf),
    /// A repository of the hub.
    Repo {
        /// `org/name`, or `name` alone for the oldest ones.
        id: String,
        /// Branch, tag or commit.
        revision: String,
        /// The activation, where the name says it.
        activation: Option<Activation>,
    },
}

impl FromStr for ModelName {
    type Err = ClipError;

    /// Takes any text that is not empty; what it stands for is found out by
    /// [`Hub::resolve`](crate::Hub::resolve), because it depends on the folders that exist.
    fn from_str(text: &str) -> Result<Self> {
        let (name, activation) = match text.trim().split_once(ACTIVATION) {
            Some((name, activation)) => (name, Some(activation.parse()?)),
            None => (text.trim(), None),
        };
        if name.is_empty() {
            return Err(ClipError::UnknownName {
                name: String::new(),
                suggestions: Vec::new(),
            });
        }
        Ok(Self {
            text: name.to_owned(),
            activation,
        })
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.activation {
            Some(activation) => write!(f, "{ACTIVATION}{}", activation.name()),
            None => Ok(()),
        }
    }
}

impl ModelName {
    /// The activation that the name asks for, where it asks for one.
    pub(crate) fn activation(&self) -> Option<Activation> {
        self.activation
    }

    /// What the name stands for; `exists` tells whether a path does.
    pub(crate) fn place(&self, exists: impl Fn(&Path) -> bool) -> Result<Place> {
        let text = self.text.as_str();
        if text == MINI_NAME {
            return Ok(Place::Mini);
        }
        if let Some(path) = text.strip_prefix("local-dir:") {
            return Ok(Place::Local(PathBuf::from(path)));
        }
        if let Some(id) = text.strip_prefix("hf-hub:") {
            let (id, revision) = split_revision(id);
            return self.repo(id, revision, None);
        }
        if exists(Path::new(text)) {
            return Ok(Place::Local(PathBuf::from(text)));
        }
        // OpenAI spells one of its names with an @
        if let Some((id, activation)) = known::repository(text) {
            return self.repo(id, None, Some(activation));
        }
        let (name, revision) = split_revision(text);
        if let Some((id, activation)) = known::repository(name) {
            return self.repo(id, revision, Some(activation));
        }
        if revision.is_some() && exists(Path::new(name)) {
            return Err(ClipError::Hub {
                repo: text.to_owned(),
                what: "a folder has no revisions".to_owned(),
                hint: Some(format!(
                    "leave the @ out, or write hf-hub:{text} for the hub"
                )),
            });
        }
        if let Some(what) = known::other_tower(name) {
            return Err(ClipError::Unsupported {
                file: text.to_owned(),
                what: what.to_owned(),
                hint: Some("CLIP models with a vision transformer are read".to_owned()),
            });
        }
        // a name of OpenCLIP's form that is not in the table, or a path that is not there
        let path = text.starts_with(['.', '/', '~']) || text.contains('\\');
        if path || known::of_open_clip(name) || !name.contains('/') {
            return Err(self.unknown());
        }
        self.repo(name, revision, None)
    }

    fn repo(
        &self,
        id: &str,
        revision: Option<&str>,
        activation: Option<Activation>,
    ) -> Result<Place> {
        let revision = revision.unwrap_or(MAIN);
        if !valid_id(id) || !valid_revision(revision) {
            return Err(self.unknown());
        }
        Ok(Place::Repo {
            id: id.to_owned(),
            revision: revision.to_owned(),
            activation,
        })
    }

    /// The error that names the nearest known names.
    pub(crate) fn unknown(&self) -> ClipError {
        let wanted = split_revision(&self.text).0.to_lowercase();
        let mut near: Vec<(f64, &str)> = known::names()
            .chain([MINI_NAME])
            .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
            .filter(|(score, _)| *score > 0.8)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        ClipError::UnknownName {
            name: self.text.clone(),
            suggestions: near
                .iter()
                .take(SUGGESTIONS)
                .map(|(_, name)| (*name).to_owned())
                .collect(),
        }
    }
}

fn split_revision(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((name, revision)) => (name, Some(revision)),
        None => (text, None),
    }
}

/// The hub's own rule for repository names; nothing that could leave a folder.
fn valid_id(id: &str) -> bool {
    let part = |part: &str| {
        (1..=96).contains(&part.len())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && !part.starts_with(['.', '-'])
            && !part.ends_with(['.', '-'])
            && !part.contains("..")
            && !part.contains("--")
    };
    let parts: Vec<&str> = id.split('/').collect();
    parts.len() <= 2 && parts.into_iter().all(part)
}

/// Branches such as `refs/pr/1` too; nothing that could leave a folder.
fn valid_revision(revision: &str) -> bool {
    revision
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
        && revision
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Result<Place> {
        text.parse::<ModelName>()?
            .place(|path| path == Path::new("here") || path.ends_with("x@1"))
    }

    fn repo(text: &str) -> (String, String, Option<Activation>) {
        match place(text).unwrap() {
            Place::Repo {
                id,
                revision,
                activation,
            } => (id, revision, activation),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_stand_for_repositories() {
        let quick = Some(Activation::QuickGelu);
        let b16 = "openai/clip-vit-base-patch16";
        let large = "openai/clip-vit-large-patch14-336";
        let cases = [
            (b16, b16, "main", None),
            ("openai/clip-vit-base-patch16@v1", b16, "v1", None),
            ("hf-hub:here", "here", "main", None),
            ("hf-hub:org/name@refs/pr/3", "org/name", "refs/pr/3", None),
            ("ViT-B-16/openai", b16, "main", quick),
            ("ViT-B-16-quickgelu/openai@abc", b16, "abc", quick),
            ("ViT-B/16", b16, "main", quick),
            ("ViT-L/14@336px", large, "main", quick),
            ("ViT-L/14@336px@abc", large, "abc", quick),
            (
                "vit-b-32/LAION2B_s34b_b79k",
                "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
                "main",
                Some(Activation::Gelu),
            ),
        ];
        for (text, id, revision, activation) in cases {
            assert_eq!(
                repo(text),
                (id.to_owned(), revision.to_owned(), activation),
                "{text}"
            );
        }
    }

    #[test]
    fn folders_come_first_and_prefixes_before_all() {
        assert_eq!(place("mini-clip").unwrap(), Place::Mini);
        assert_eq!(place("here").unwrap(), Place::Local("here".into()));
        assert_eq!(place("a/x@1").unwrap(), Place::Local("a/x@1".into()));
        assert_eq!(
            place("local-dir:no/such@dir").unwrap(),
            Place::Local("no/such@dir".into())
        );
        let error = place("here@v1").unwrap_err();
        assert_eq!(error.to_string(), "here@v1: a folder has no revisions");
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_ones() {
        let hint = |text: &str| place(text).unwrap_err().hint().unwrap();
        assert!(hint("ViT-B-16/opnai").starts_with("did you mean ViT-B-16/openai"));
        assert!(hint("miniclip").starts_with("did you mean mini-clip"));
        assert!(hint("ViT-B-32/laion2b").contains("ViT-B-32/laion2b_s34b_b79k"));
        assert!(hint("zzzz").starts_with("give a folder, a hub repository"));
        for text in [
            "./no/such",
            "/no/such",
            "hf-hub:../../etc/passwd",
            "org/name@../x",
            "a/b/c",
        ] {
            let error = place(text).unwrap_err();
            assert!(
                matches!(error, ClipError::UnknownName { .. }),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn other_towers_are_refused_by_name() {
        for (text, what) in [
            ("RN50/openai", "a ResNet image tower"),
            ("RN50", "a ResNet image tower"),
            ("ViT-B-16-SigLIP/webli", "a SigLIP model"),
            ("coca_ViT-B-32/laion2b_s13b_b90k", "a CoCa model"),
            (
                "convnext_base/laion400m_s13b_b51k",
                "a ConvNeXt image tower",
            ),
            ("EVA02-B-16/merged2b_s8b_b131k", "an EVA image tower"),
        ] {
            let error = place(text).unwrap_err().to_string();
            assert_eq!(error, format!("{text}: {what} is not supported"));
        }
    }
}
