//! `vlpt zeroshot`: the model as it is, with class names in templates.

mod seen;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use vlpt_adapter::{Choices, Chosen, Classifier, Predictor};
use vlpt_base::hash::fingerprint;
use vlpt_clip::Clip;
use vlpt_data::{Task, catalogue};
use vlpt_methods::zeroshot::DEFAULT_TEMPLATE;

use crate::answers::Answering;
use crate::commands::eval::{HowArgs, Judged, judge};
use crate::console::Console;
use crate::error::CliError;
use crate::options::{DataFlags, Images, TowerArgs, ViewFlags, row_format};

use seen::Seen;

const EXAMPLES: &str = "\
A data set with labels is judged; with --classes those classes are the choices, and the data's are
found among them by name. Photos without labels (files, a folder that is no data set, or one whose
class folders are called otherwise) are classified, with --classes or --class-file.

Examples:
  vlpt zeroshot photos/                              judge class folders
  vlpt zeroshot holiday/ --classes beach,mountain    classify photos
  vlpt zeroshot a.jpg b.jpg --class-file names.txt --out answers.csv";

/// Flags of `vlpt zeroshot`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ZeroshotArgs {
    /// A data set (folder, manifest, `synthetic:NAME`), or photos: files, folders, archives, `-`
    #[arg(value_name = "DATA", required_unless_present = "files_from")]
    data: Vec<String>,
    /// A file with one image path a line, or with NUL bytes between them; `-` reads the list from standard
    /// input
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// The classes to choose from, separated by commas; of photos also --class-file
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with = "class_file"
    )]
    classes: Vec<String>,
    /// Classify all images and look for no labels
    #[arg(long)]
    unlabelled: bool,
    #[command(flatten)]
    flags: DataFlags,
    #[command(flatten)]
    model: TowerArgs,
    #[command(flatten)]
    view: ViewFlags,
    /// A template with `{}` for the class name; several are averaged [default: the data set's own]
    #[arg(long, value_name = "TEXT")]
    template: Vec<String>,
    /// Use the 80 templates published for ImageNet
    #[arg(long, conflicts_with = "template")]
    ensemble: bool,
    #[command(flatten)]
    how: HowArgs,
}

/// Judges or classifies.
pub(crate) fn run(args: &ZeroshotArgs, console: &Console) -> Result<(), CliError> {
    let names = args.names()?;
    match args.look(names.as_deref(), console)? {
        Seen::Labelled(task) => args.judge(&task, None, console),
        Seen::Among(choices, task) => args.judge(&task, Some(&choices), console),
        Seen::Photos(images) => args.classify(images, &names.unwrap_or_default(), console),
    }
}

impl ZeroshotArgs {
    /// Judges a labelled set; `choices` are classes named by the user.
    fn judge(
        &self,
        task: &Task,
        choices: Option<&Choices>,
        console: &Console,
    ) -> Result<(), CliError> {
        self.how.check()?;
        self.how.check_beside(task)?;
        let clip = self.model.open(console)?;
        let templates = self.templates(&task.templates, console)?;
        let chosen = choices.map(|choices| Chosen {
            of: choices.of,
            data_classes: task.classes.clone(),
        });
        let relabelled = choices.map(|choices| choices.relabelled(task));
        let task = relabelled.as_ref().unwrap_or(task);
        let classifier = Classifier::zero_shot(&clip, &task.classes, &templates)?;
        let judged = Judged {
            what: "zero-shot".to_owned(),
            preprocess: &vlpt_adapter::preprocess(&clip, &self.view.config()),
            task,
            chosen,
        };
        judge(&clip, &classifier, &judged, &self.how, console).map(|_| ())
    }

    /// Classifies photos.
    fn classify(
        &self,
        images: Images,
        names: &[String],
        console: &Console,
    ) -> Result<(), CliError> {
        let out = self.rows_file()?;
        let rows = &self.how.rows.rows;
        rows.check_used(out.is_some(), true, "--out")?;
        rows.none.none_below()?;
        let clip: Arc<Clip> = Arc::new(self.model.open(console)?);
        let templates = self.templates(&[DEFAULT_TEMPLATE.to_owned()], console)?;
        let classifier = Classifier::zero_shot(&clip, names, &templates)?;
        let preprocess = vlpt_adapter::preprocess(&clip, &self.view.config());
        let predictor = Predictor::new(clip, classifier, preprocess);
        let made_of = format!(
            "zero-shot {templates:?} {names:?} {:?}",
            predictor.preprocess()
        );
        Answering {
            predictor: &predictor,
            classifier: &fingerprint([made_of]),
            rows,
            out,
            console,
        }
        .answer(images)
    }

    /// The file of rows, by either flag.
    fn rows_file(&self) -> Result<Option<&std::path::Path>, CliError> {
        let file = match (&self.how.out, &self.how.rows.predictions) {
            (Some(_), Some(_)) => {
                return Err(CliError::usage(
                    "--out and --predictions both name the file with the answers",
                    "leave one of them out",
                ));
            }
            (out, predictions) => out.as_deref().or(predictions.as_deref()),
        };
        file.map(row_format).transpose()?;
        Ok(file)
    }

    /// The templates asked for, else those of the data.
    fn templates(&self, own: &[String], console: &Console) -> Result<Vec<String>, CliError> {
        let templates = if self.ensemble {
            catalogue::template_set("imagenet-80")
                .map(|set| set.templates.clone())
                .unwrap_or_default()
        } else if self.template.is_empty() {
            own.to_vec()
        } else {
            self.template.clone()
        };
        if let Some(plain) = templates.iter().find(|t| !t.contains("{}")) {
            return Err(CliError::usage(
                format!("the template `{plain}` has no place for the class name"),
                "write `{}` where the name goes, such as `a photo of a {}.`",
            ));
        }
        console.say(match &templates[..] {
            [one] => format!("1 template: {one}"),
            all => format!("{} templates, the first: {}", all.len(), all[0]),
        });
        Ok(templates)
    }

    /// The classes to choose from, where some are named.
    fn names(&self) -> Result<Option<Vec<String>>, CliError> {
        let (names, whence) = match &self.flags.class_file {
            Some(path) => {
                let text = fs_err::read_to_string(path)?;
                let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
                let names = lines.filter(|name| !name.is_empty()).map(str::to_owned);
                (names.collect::<Vec<_>>(), path.display().to_string())
            }
            None if self.classes.is_empty() => return Ok(None),
            None => {
                let names = self.classes.iter().map(|name| name.trim().to_owned());
                (names.collect(), "--classes".to_owned())
            }
        };
        let refuse =
            |what: String, hint: &str| Err(CliError::usage(format!("{whence}: {what}"), hint));
        if let Some(twice) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
            return refuse(
                format!("the class \"{}\" is named twice", names[twice]),
                "name each class once",
            );
        }
        if names.iter().any(String::is_empty) {
            return refuse(
                "a class without a name".to_owned(),
                "write names with commas between them; names that hold a comma go into --class-file",
            );
        }
        if names.len() < 2 {
            return refuse(
                format!(
                    "{} class to choose from: one alone is always the answer",
                    names.len()
                ),
                "name what else an image may show, such as --classes cat,dog,other",
            );
        }
        Ok(Some(names))
    }
}
