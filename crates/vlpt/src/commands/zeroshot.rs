//! `vlpt zeroshot`: the model as it is, with class names in templates.

use clap::Args;
use vlpt_adapter::{Classifier, ImageConfig};
use vlpt_data::catalogue;

use crate::commands::eval::{HowArgs, judge};
use crate::console::Console;
use crate::error::CliError;
use crate::options::{DataArgs, TowerArgs};

/// Flags of `vlpt zeroshot`.
#[derive(Debug, Args)]
pub(crate) struct ZeroshotArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    model: TowerArgs,
    /// A template with `{}` for the class name; several are averaged [default: the data set's own]
    #[arg(long, value_name = "TEXT")]
    template: Vec<String>,
    /// Use the 80 templates published for ImageNet
    #[arg(long, conflicts_with = "template")]
    ensemble: bool,
    #[command(flatten)]
    how: HowArgs,
}

/// Evaluates and prints.
pub(crate) fn run(args: &ZeroshotArgs, console: &Console) -> Result<(), CliError> {
    let task = args.data.open_told(console)?;
    let clip = args.model.open(console)?;
    let templates = if args.ensemble {
        catalogue::template_set("imagenet-80")
            .map(|set| set.templates.clone())
            .unwrap_or_default()
    } else if args.template.is_empty() {
        task.templates.clone()
    } else {
        args.template.clone()
    };
    if let Some(plain) = templates.iter().find(|t| !t.contains("{}")) {
        return Err(CliError::usage(
            format!("the template `{plain}` has no place for the class name"),
            "write `{}` where the name goes, such as `a photo of a {}.`",
        ));
    }
    console.say(format!(
        "{} templates, the first: {}",
        templates.len(),
        templates[0]
    ));
    let classifier = Classifier::zero_shot(&clip, &task.classes, &templates)?;
    let preprocess = vlpt_adapter::preprocess(&clip, &ImageConfig::default());
    judge(
        &clip,
        &classifier,
        &task,
        &preprocess,
        "zero-shot",
        &args.how,
        console,
    )
    .map(|_| ())
}
