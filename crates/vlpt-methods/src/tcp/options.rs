//! Options of TCP: what they may be, and what a checkpoint tells of them.

use vlpt_clip::ClipConfig;

use super::LAYERS;
use crate::import::{Names, Reader};
use crate::zeroshot::{DEFAULT_TEMPLATE, fill};
use crate::{MethodError, Result};

/// The widest hidden layer: a limit against slips.
const MAX_HIDDEN: usize = 8192;

options! {
    /// Options of [`Tcp`](super::Tcp).
    pub struct TcpConfig = "tcp" {
        /// Number of context tokens, and of each class's own rows; left out, as many as `init` has,
        /// or 4.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<usize> = None, "1 to 74 with CLIP";
        /// Words whose embeddings start the context; empty: random.
        init: String = String::new(), "words";
        /// What stands behind the context; `{}` stands for the name. The published code has a text for
        /// each data set, such as `{}, a type of pet.`.
        template: String = "{}.".to_owned(), "a text with {}";
        /// The frozen texts that classes' rows are made of; `{}` stands for the name. The published code
        /// has one for each data set.
        class_template: String = DEFAULT_TEMPLATE.to_owned(), "a text with {}";
        /// The block of the text tower, counted from 0, at whose input the classes' own rows replace the
        /// context; left out, two thirds of the blocks come before it (the published 8 of 12).
        #[serde(skip_serializing_if = "Option::is_none")]
        block: Option<usize> = None, "1 to the text tower's blocks less 1";
        /// Width of the network's hidden layer; left out, a quarter of the joint space.
        #[serde(skip_serializing_if = "Option::is_none")]
        hidden: Option<usize> = None, "1 to 8192";
        /// Weight of the term that holds the texts' features near the frozen ones.
        weight: f64 = 8.0, "0 or more";
    }
}

impl TcpConfig {
    /// What can be said without a model.
    ///
    /// # Errors
    /// The first option whose value makes no sense.
    pub fn check(&self) -> Result<()> {
        let fits = self.weight.is_finite() && self.weight >= 0.0;
        require(fits, "tcp.weight", &self.weight, "0 or more")?;
        let hidden = self.hidden.unwrap_or(1);
        let fits = (1..=MAX_HIDDEN).contains(&hidden);
        require(fits, "tcp.hidden", &hidden, &format!("1 to {MAX_HIDDEN}"))?;
        let block = self.block.unwrap_or(1);
        require(block > 0, "tcp.block", &block, "at least 1")?;
        for template in [&self.template, &self.class_template] {
            fill(template, "name")?;
        }
        Ok(())
    }

    /// The block at whose input classes' rows enter.
    pub(super) fn block_of(&self, model: &ClipConfig) -> Result<usize> {
        let blocks = model.text.layers;
        let block = self.block.unwrap_or((blocks * 2 / 3).max(1));
        let expected = format!("1 to {} with this text tower", blocks.saturating_sub(1));
        require(block < blocks, "tcp.block", &block, &expected)?;
        Ok(block)
    }
}

fn require(fits: bool, key: &'static str, found: &dyn ToString, expected: &str) -> Result<()> {
    if fits {
        return Ok(());
    }
    Err(MethodError::Option {
        key,
        found: found.to_string(),
        expected: expected.to_owned(),
    })
}

/// Whether there is a context and a network that makes several rows of its width.
pub(super) fn makes_rows(names: &Names) -> bool {
    let second = names.shape("meta_net.linear2.weight");
    let sizes = names.shape("ctx").zip(second);
    sizes.is_some_and(|(ctx, second)| ctx.len() == 2 && second.first() > ctx.last())
}

/// The options that the shapes of a checkpoint tell.
pub(super) fn imported(reader: &mut Reader) -> TcpConfig {
    let (context, _) = reader.context(false);
    let (embed, width) = (reader.model.embed_dim, reader.model.text.width);
    let [first, second] = LAYERS.map(|layer| format!("{layer}.weight"));
    let hidden = match reader.shape(&first) {
        Some(&[hidden, inputs]) => {
            let what = "the width of text features in the meta-net";
            reader.same(what, inputs, "the model's", embed);
            Some(hidden)
        }
        // listed among all that are missing
        None => None,
        Some(_) => {
            reader.misshapen(&first, "hidden x embed");
            None
        }
    };
    if let Some(shape) = reader.shape(&second)
        && shape.first() != Some(&(context * width))
    {
        reader.misshapen(&second, "(tokens x text width) x hidden");
    }
    let options = TcpConfig {
        context: Some(context),
        hidden,
        ..TcpConfig::default()
    };
    reader.assume(format!(
        "behind the context stands \"{}\", and the classes' rows are made of \"{}\" and enter where two \
         thirds of the text tower's blocks come before; the published code has texts of its own for some \
         data sets",
        options.template, options.class_template
    ));
    options
}
