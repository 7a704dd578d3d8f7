//! Joint vision-language prompts: CoOp's context and VPT's visual prompts side by side, learned
//! together and coupled by nothing but the loss. The UPT paper's baseline "VLPT" (Zang et al.,
//! 2022), and MVLPT's prompts without their shared projection.

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, PromptToken, Tokenizer};

use crate::import::{Import, Source};
use crate::{
    Adaptation, CoOp, CoOpConfig, Family, Features, Fit, Flags, Method, MethodConfig, MethodSpec,
    Needs, Parameter, Pass, Report, Result, Vpt, VptConfig,
};

/// What joint prompts say of themselves.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "vlpt",
    summary: "both of these, side by side",
    source: "Zang et al., \"Unified Vision and Language Prompt Learning\", 2022; Shen et al., WACV 2024",
    good_for: "about 16 points over zero-shot on seven real sets, 47 on EuroSAT; a rate that suits ten \
               classes ruins a hundred (mini-clip, 16 shots)",
    family: Some(Family::Joint),
    tables: &[&CoOpConfig::TABLE, &VptConfig::TABLE],
    flags: Flags {
        context: Some("coop.context"),
        init: Some("coop.init"),
        prompts: Some("vpt.count"),
    },
    report: Report {
        done: "A context around the class names and tokens in the image tower were learned",
        holds: "a learned context around the class names, and learned tokens in the image tower",
    },
    needs: |method| Needs {
        pixels: method.options::<VptConfig>().count > 0,
        class_specific: method.options::<CoOpConfig>().class_specific,
        ..Needs::default()
    },
    check: |method| method.options::<CoOpConfig>().check(),
    fit: Fit::Tune(|method, build| {
        let (coop, vpt) = (method.options(), method.options());
        Ok(Box::new(Vlpt::new(
            coop,
            vpt,
            build.clip,
            build.classes,
            build.seed,
        )?))
    }),
    import: Some(Import {
        matches: |names| {
            names.has("ctx") && names.has("vpt_embeddings") && !names.any("mvlpt_proj")
        },
        read: |reader| {
            let position = reader.position();
            let mut config = MethodConfig::of(&SPEC, CoOpConfig::imported(reader, position));
            config.set(VptConfig::imported(reader));
            config
        },
        sources: &[Source::Mvlpt],
        position: true,
        place: true,
        tensors: "joint prompts both `ctx` and `vpt_embeddings`",
    }),
    ..MethodSpec::BASE
};

impl From<(CoOpConfig, VptConfig)> for MethodConfig {
    fn from((coop, vpt): (CoOpConfig, VptConfig)) -> Self {
        let mut config = Self::of(&SPEC, coop);
        config.set(vpt);
        config
    }
}

/// A [`CoOp`] context and [`Vpt`] prompts; the parameters are those of the first and then those
/// of the second.
#[derive(Debug, Clone)]
pub struct Vlpt {
    text: CoOp,
    visual: Vpt,
    /// Both parts' parameters: the same variables under the same names.
    parameters: Vec<Parameter>,
}

impl Vlpt {
    /// Both parts with the initial values they have alone, from the same seed. The texts are
    /// CoOp's; `vpt.template` is not used.
    ///
    /// # Errors
    /// As [`CoOp::new`] and [`Vpt::new`].
    pub fn new(
        coop: &CoOpConfig,
        vpt: &VptConfig,
        clip: &Clip,
        classes: usize,
        seed: u64,
    ) -> Result<Self> {
        let text = CoOp::new(coop, clip, classes, seed)?;
        let visual = Vpt::new(vpt, &clip.config, seed)?;
        let parameters = [text.parameters(), visual.parameters()].concat();
        Ok(Self {
            text,
            visual,
            parameters,
        })
    }
}

impl Method for Vlpt {
    fn name(&self) -> &'static str {
        "vlpt"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.text.texts(tokenizer, classes)
    }

    fn needs(&self) -> Needs {
        Needs {
            pixels: self.visual.needs().pixels,
            ..self.text.needs()
        }
    }

    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        Ok(Adaptation {
            text: self.text.adapt(pass)?.text,
            visual: self.visual.adapt(pass)?.visual,
        })
    }

    fn teacher(&self, clip: &Clip, classes: &[String]) -> Result<Option<Vec<f32>>> {
        self.text.teacher(clip, classes)
    }

    fn regulariser(&self, features: &Features) -> Result<Option<Tensor>> {
        self.text.regulariser(features)
    }
}
