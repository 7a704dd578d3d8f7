//! Joint vision-language prompts: CoOp's context and VPT's visual prompts side by side, learned
//! together and coupled by nothing but the loss. The UPT paper's baseline "VLPT" (Zang et al.,
//! 2022), and MVLPT's prompts without their shared projection.

use vlpt_clip::{Clip, PromptToken, Tokenizer};

use crate::{CoOp, CoOpConfig, Parameter, Pass, PromptMethod, Prompts, Result, Vpt, VptConfig};

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

impl PromptMethod for Vlpt {
    fn name(&self) -> &'static str {
        "vlpt"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.text.texts(tokenizer, classes)
    }

    fn prompts(&self, pass: &Pass) -> Result<Prompts> {
        Ok(Prompts {
            text: self.text.prompts(pass)?.text,
            visual: self.visual.visual(pass)?,
        })
    }
}
