//! The methods by name, and where each keeps its options.

use std::fmt;

use serde::{Deserialize, Serialize};
use vlpt_methods::{MethodConfig, TipAdapterConfig};

use super::RunConfig;

/// The prompt methods and baselines by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Context optimisation.
    #[default]
    #[serde(rename = "coop")]
    CoOp,
    /// Visual prompt tuning.
    Vpt,
    /// Text and visual prompts side by side.
    Vlpt,
    /// Unified prompt tuning.
    Upt,
    /// Context made of each image.
    #[serde(rename = "cocoop")]
    CoCoOp,
    /// Class names in templates; nothing is learned.
    ZeroShot,
    /// Logistic regression on image features.
    LinearProbe,
    /// A cache of training images beside zero-shot.
    TipAdapter,
    /// The same with trained keys.
    TipAdapterF,
}

impl Method {
    /// All of them, prompt methods first.
    pub const ALL: [Self; 9] = [
        Self::CoOp,
        Self::Vpt,
        Self::Vlpt,
        Self::Upt,
        Self::CoCoOp,
        Self::ZeroShot,
        Self::LinearProbe,
        Self::TipAdapter,
        Self::TipAdapterF,
    ];

    /// The name in configurations, prompt folders and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::CoOp => "coop",
            Self::Vpt => "vpt",
            Self::Vlpt => "vlpt",
            Self::Upt => "upt",
            Self::CoCoOp => "cocoop",
            Self::ZeroShot => "zero-shot",
            Self::LinearProbe => "linear-probe",
            Self::TipAdapter => "tip-adapter",
            Self::TipAdapterF => "tip-adapter-f",
        }
    }

    /// What it is, in one line.
    pub fn describe(self) -> &'static str {
        match self {
            Self::CoOp => "learned context around the class names",
            Self::Vpt => "learned tokens in the image tower",
            Self::Vlpt => "both of these, side by side",
            Self::Upt => "both, made together by a small Transformer",
            Self::CoCoOp => "learned context that each image shifts",
            Self::ZeroShot => "baseline: class names in templates, nothing learned",
            Self::LinearProbe => "baseline: logistic regression on image features",
            Self::TipAdapter => "baseline: zero-shot with a cache of training images",
            Self::TipAdapterF => "baseline: the same with trained keys",
        }
    }

    /// Whether it holds no prompts.
    pub fn is_baseline(self) -> bool {
        matches!(
            self,
            Self::ZeroShot | Self::LinearProbe | Self::TipAdapter | Self::TipAdapterF
        )
    }

    /// The tables that hold its options.
    pub fn sections(self) -> &'static [&'static str] {
        match self {
            Self::CoOp => &["coop"],
            Self::Vpt => &["vpt"],
            Self::Vlpt => &["coop", "vpt"],
            Self::Upt => &["upt"],
            Self::CoCoOp => &["cocoop"],
            Self::ZeroShot => &["zero_shot"],
            Self::LinearProbe => &["linear_probe"],
            Self::TipAdapter | Self::TipAdapterF => &["tip_adapter"],
        }
    }

    /// The key of the number of its learned text tokens; none without such tokens.
    pub fn context_key(self) -> Option<&'static str> {
        match self {
            Self::CoOp | Self::Vlpt => Some("coop.context"),
            Self::Upt => Some("upt.text_count"),
            Self::CoCoOp => Some("cocoop.context"),
            _ => None,
        }
    }

    /// The key of the words that its text tokens start from; none without such tokens.
    pub fn init_key(self) -> Option<&'static str> {
        match self {
            Self::CoOp | Self::Vlpt => Some("coop.init"),
            Self::Upt => Some("upt.init"),
            Self::CoCoOp => Some("cocoop.init"),
            _ => None,
        }
    }

    /// The key of the number of its visual prompts; none without such prompts.
    pub fn visual_key(self) -> Option<&'static str> {
        match self {
            Self::Vpt | Self::Vlpt => Some("vpt.count"),
            Self::Upt => Some("upt.visual_count"),
            _ => None,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl RunConfig {
    /// Takes over a method and its options.
    pub fn set_method(&mut self, method: &MethodConfig) {
        match method.clone() {
            MethodConfig::CoOp(coop) => (self.method, self.coop) = (Method::CoOp, coop),
            MethodConfig::Vpt(vpt) => (self.method, self.vpt) = (Method::Vpt, vpt),
            MethodConfig::Vlpt { coop, vpt } => {
                (self.method, self.coop, self.vpt) = (Method::Vlpt, coop, vpt);
            }
            MethodConfig::Upt(upt) => (self.method, self.upt) = (Method::Upt, upt),
            MethodConfig::CoCoOp(cocoop) => (self.method, self.cocoop) = (Method::CoCoOp, cocoop),
            MethodConfig::ZeroShot(own) => (self.method, self.zero_shot) = (Method::ZeroShot, own),
            MethodConfig::LinearProbe(own) => {
                (self.method, self.linear_probe) = (Method::LinearProbe, own);
            }
            MethodConfig::TipAdapter(own) => {
                self.method = if own.finetune {
                    Method::TipAdapterF
                } else {
                    Method::TipAdapter
                };
                self.tip_adapter = own;
            }
        }
    }

    /// The method and its options.
    pub fn method_config(&self) -> MethodConfig {
        let tip_adapter = |finetune| {
            MethodConfig::TipAdapter(TipAdapterConfig {
                finetune,
                ..self.tip_adapter.clone()
            })
        };
        match self.method {
            Method::CoOp => MethodConfig::CoOp(self.coop.clone()),
            Method::Vpt => MethodConfig::Vpt(self.vpt.clone()),
            Method::Vlpt => MethodConfig::Vlpt {
                coop: self.coop.clone(),
                vpt: self.vpt.clone(),
            },
            Method::Upt => MethodConfig::Upt(self.upt.clone()),
            Method::CoCoOp => MethodConfig::CoCoOp(self.cocoop.clone()),
            Method::ZeroShot => MethodConfig::ZeroShot(self.zero_shot.clone()),
            Method::LinearProbe => MethodConfig::LinearProbe(self.linear_probe.clone()),
            Method::TipAdapter => tip_adapter(false),
            Method::TipAdapterF => tip_adapter(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all_keys;

    #[test]
    fn every_method_has_one_name_everywhere() {
        for method in Method::ALL {
            let config = RunConfig {
                method,
                ..RunConfig::default()
            };
            assert_eq!(config.method_config().name(), method.name());
            assert_eq!(config.method_config().is_baseline(), method.is_baseline());
            let mut other = RunConfig::default();
            other.set_method(&config.method_config());
            assert_eq!(other.method_config(), config.method_config());
            assert_eq!(other.method, method);
            let written = toml::Value::try_from(method).unwrap();
            assert_eq!(written.as_str(), Some(method.name()));
        }
    }

    #[test]
    fn the_keys_and_sections_of_a_method_are_there() {
        let keys = all_keys();
        for method in Method::ALL {
            let named = [method.context_key(), method.init_key(), method.visual_key()];
            for key in named.into_iter().flatten() {
                assert!(keys.iter().any(|k| k == key), "{method}: {key}");
            }
            for section in method.sections() {
                let inside = |key: &String| key.starts_with(&format!("{section}."));
                assert!(keys.iter().any(inside), "{method}: {section}");
            }
        }
    }
}
