//! `vlpt preprocess`: the exact tensor that the model sees of an image.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use vlpt_data::image::Limits;

use crate::console::Console;
use crate::error::CliError;
use crate::options::{ImageArgs, ModelArgs, ViewFlags, load_preprocess};
use crate::output;

/// Flags of `vlpt preprocess`.
#[derive(Debug, Args)]
pub(crate) struct PreprocessArgs {
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    view: ViewFlags,
    /// Where to write the tensor: f32, images x 3 x size x size, NumPy format
    #[arg(long, short, value_name = "FILE.npy")]
    out: Option<PathBuf>,
    /// Say step by step what is done to each image
    #[arg(long)]
    explain: bool,
}

#[derive(Debug, Serialize)]
struct Seen {
    image: String,
    steps: Vec<String>,
}

/// Preprocesses each image, explains and writes as asked.
pub(crate) fn run(args: &PreprocessArgs, console: &Console) -> Result<(), CliError> {
    if args.out.is_none() && !args.explain {
        return Err(CliError::usage(
            "nothing to do: neither --out nor --explain is given",
            "add --out tensor.npy to write the tensor, or --explain to read what is done",
        ));
    }
    let preprocess = load_preprocess(&args.model.model, &args.view.config(), console)?;
    let decoding = preprocess.decoding(&Limits::default());
    let inputs = args.images.inputs(console)?;
    let mut tensor = Vec::new();
    let mut seen = Vec::new();
    for input in &inputs {
        let (image, facts) = input.load(&decoding)?;
        if args.explain {
            seen.push(Seen {
                image: input.label(),
                steps: preprocess.explain(&image, facts.as_ref()),
            });
        }
        if args.out.is_some() {
            tensor.extend(preprocess.apply(&image));
        }
    }
    if let Some(path) = &args.out {
        let side = preprocess.image_size as usize;
        output::write_npy(path, &tensor, &[inputs.len(), 3, side, side])?;
        console.say(format!(
            "wrote {} ({} x 3 x {side} x {side}, f32)",
            path.display(),
            inputs.len()
        ));
    }
    if args.explain {
        console.result(&seen, || {
            seen.iter()
                .map(|s| format!("{}\n  {}", s.image, s.steps.join("\n  ")))
                .collect::<Vec<_>>()
                .join("\n")
        })?;
    }
    Ok(())
}
