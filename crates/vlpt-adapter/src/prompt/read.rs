//! Reading a prompt folder: everything is checked, nothing is skipped silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use vlpt_clip::Clip;
use vlpt_methods::{Build, Method, Parameter};

use super::stored::{self, Stored};
use super::{Adapter, FORMAT, checksums, class_names_sha256, member};
use crate::tensors::{Named, TensorFile};
use crate::{AdapterError, Classifier, ImageAdaptation, Result};

/// What loading made of the tensors of a prompt folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromptReport {
    /// Tensors that are parameters of the method.
    pub used: Vec<String>,
    /// Tensors that the method does not know; they play no part.
    pub unexpected: Vec<String>,
    /// Parameters without a tensor; a folder with one is refused.
    pub missing: Vec<String>,
    /// Tensors of another shape, with both; a folder with one is refused.
    pub misshapen: Vec<String>,
}

/// A prompt folder in memory.
#[derive(Debug, Clone)]
pub struct PromptFolder {
    /// Where it lies.
    pub path: PathBuf,
    /// Its description.
    pub adapter: Adapter,
    /// The class names it was tuned for.
    pub classes: Vec<String>,
    /// What loading found.
    pub report: PromptReport,
    /// Values of the parameters by name, with their shapes.
    pub parameters: BTreeMap<String, Named>,
    pub(super) stored: Stored,
}

impl PromptFolder {
    /// Reads and checks a prompt folder; a run folder is taken for the `prompt` in it.
    ///
    /// # Errors
    /// A file that is absent or damaged, or tensors that are missing or misshapen.
    pub fn open(path: &Path) -> Result<Self> {
        let given = path.to_owned();
        let inner = path.join("prompt");
        let is_prompt = path.join("adapter_config.json").exists();
        let path = if !is_prompt && inner.is_dir() {
            inner
        } else {
            path.to_owned()
        };
        if !path.join("adapter_config.json").exists() {
            return Err(no_prompt(&given));
        }
        let adapter = read_adapter(&path.join("adapter_config.json"))?;
        let classes = read_classes(&path.join("class_names.txt"), &adapter)?;
        member::check(&path.join("adapter_config.json"), &adapter)?;

        let file = path.join("adapter_model.safetensors");
        let found = TensorFile::read(&file)?.tensors;
        let report = compare(&adapter.parameters, &found);
        if !report.missing.is_empty() || !report.misshapen.is_empty() {
            let missing = report
                .missing
                .iter()
                .map(|name| format!("`{name}` is missing"));
            let problems = missing.chain(report.misshapen.iter().cloned()).collect();
            let method = adapter.method.name().to_owned();
            return Err(AdapterError::Tensors {
                path: file,
                method,
                problems,
            });
        }
        let is_number = |tensor: &Named| tensor.data.iter().all(|value| value.is_finite());
        if let Some((name, _)) = found.iter().find(|(_, tensor)| !is_number(tensor)) {
            return Err(AdapterError::NotFinite {
                what: format!("{}: a value of `{name}`", file.display()),
            });
        }
        let mut parameters = found;
        parameters.retain(|name, _| adapter.parameters.contains_key(name));

        let file = path.join("classifier.safetensors");
        let stored = stored::read(&file, &classes, adapter.embed_dim)?;
        // last: a file that cannot be read at all says more of itself
        checksums::check(&path)?;
        Ok(Self {
            path,
            adapter,
            classes,
            report,
            parameters,
            stored,
        })
    }

    /// The classifier for the classes it was tuned for, as the folder stores it; of a conditional
    /// method, made of the parameters.
    ///
    /// # Errors
    /// A model whose sizes are not those of the prompt.
    pub fn classifier(&self, clip: &Clip) -> Result<Classifier> {
        let classifier = self.uncalibrated(clip)?;
        Ok(match &self.adapter.calibration {
            Some(calibration) => classifier.with_temperature(calibration.temperature),
            None => classifier,
        })
    }

    fn uncalibrated(&self, clip: &Clip) -> Result<Classifier> {
        self.check_sizes(clip)?;
        match &self.stored.classifier {
            // What the file does not hold of the image side is made of the parameters.
            Some(classifier)
                if self.adapter.method.needs().pixels && classifier.visual.is_none() =>
            {
                let method: Arc<dyn Method> = Arc::from(self.method(clip)?);
                let visual = ImageAdaptation::of_method(&method)?;
                Ok(classifier.clone().with_visual(visual))
            }
            Some(classifier) => Ok(classifier.clone()),
            None => Classifier::of_method(clip, Arc::from(self.method(clip)?), &self.classes),
        }
    }

    /// The classifier for other class names, made by the text tower; the stored one when the names
    /// are the same, or its part for a task that the prompt was tuned on among others. A name's
    /// place in the list decides its class, nothing else; but where features of classes were tuned,
    /// a class that has some is found by its name.
    ///
    /// # Errors
    /// A class-specific prompt and another number of classes, a baseline that learned its classes
    /// from images, a name that cannot be used, or a model of other sizes.
    pub fn classifier_for(&self, clip: &Clip, classes: &[String]) -> Result<Classifier> {
        if classes == self.classes {
            return self.classifier(clip);
        }
        if let Some(member) = self.member("", classes) {
            let rows: Vec<usize> = member.classes.clone().collect();
            return Ok(self.classifier(clip)?.part(&rows));
        }
        self.check_sizes(clip)?;
        let method = &self.adapter.method;
        match &self.stored.templates {
            // Nothing was learned of the classes: other names go into the same templates.
            Some(templates) if method.is_baseline() && method.needs().open_classes => {
                let stored = self.stored.classifier.as_ref();
                let visual = stored.and_then(|classifier| classifier.visual.clone());
                Ok(Classifier::zero_shot(clip, classes, templates)?.with_visual(visual))
            }
            _ if method.is_baseline() => {
                let name = method.name();
                Err(AdapterError::Incompatible {
                    what: format!(
                        "{}: {name} learned its {} classes from images and knows no other",
                        self.path.display(),
                        self.classes.len()
                    ),
                    hint: Some("use the classes it was fitted to, or a prompt method".to_owned()),
                })
            }
            _ => {
                let method = Arc::from(self.method(clip)?);
                Classifier::of_trained(clip, method, classes, &self.classes)
            }
        }
    }

    /// The method with the folder's parameters.
    ///
    /// # Errors
    /// A model whose sizes the parameters do not have.
    pub fn method(&self, clip: &Clip) -> Result<Box<dyn Method>> {
        let a = &self.adapter;
        let method = a.method.build(&Build {
            clip,
            classes: a.classes,
            seed: a.seed,
        })?;
        let shape = |p: &Parameter| (p.name().to_owned(), p.shape().to_vec());
        let expected: BTreeMap<_, _> = method.parameters().iter().map(shape).collect();
        let report = compare(&expected, &self.parameters);
        let problems: Vec<String> = report
            .missing
            .iter()
            .map(|name| format!("`{name}` is missing"))
            .chain(
                report
                    .unexpected
                    .iter()
                    .map(|name| format!("`{name}` is unexpected")),
            )
            .chain(report.misshapen)
            .collect();
        if !problems.is_empty() {
            let path = self.path.join("adapter_model.safetensors");
            return Err(AdapterError::Tensors {
                path,
                method: a.method.name().to_owned(),
                problems,
            });
        }
        for parameter in method.parameters() {
            if let Some(tensor) = self.parameters.get(parameter.name()) {
                parameter.set(&tensor.data)?;
            }
        }
        Ok(method)
    }

    /// Checks that a model is the one the prompt was tuned for.
    ///
    /// # Errors
    /// It has another fingerprint.
    pub fn check_model(&self, clip: &Clip) -> Result<()> {
        if clip.fingerprint == self.adapter.base_model_fingerprint {
            return Ok(());
        }
        let short = |text: &str| text.chars().take(12).collect();
        Err(AdapterError::WrongModel {
            path: self.path.clone(),
            tuned_for: self.adapter.base_model.clone(),
            stored: short(&self.adapter.base_model_fingerprint),
            model: clip.name.clone(),
            found: short(&clip.fingerprint),
        })
    }
}

/// What a folder is that was taken for a prompt.
fn no_prompt(path: &Path) -> AdapterError {
    let is_run = |folder: &Path| folder.join("config.toml").is_file();
    let error = |what: String, hint: String| AdapterError::NoPrompt {
        path: path.to_owned(),
        what,
        hint,
    };
    if !path.exists() {
        return error(
            "no such folder".to_owned(),
            "name a run folder, or the prompt in it".to_owned(),
        );
    }
    if is_run(path) {
        return error(
            "a run without a prompt: it has not ended, or the prompt was removed".to_owned(),
            format!("go on with `{}`", vlpt_base::shell::resume_run(path)),
        );
    }
    let entries = path.read_dir().into_iter().flatten().flatten();
    let mut runs: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|folder| is_run(folder))
        .map(|folder| folder.display().to_string())
        .collect();
    runs.sort_unstable();
    if runs.is_empty() {
        return error(
            "no prompt: there is no adapter_config.json".to_owned(),
            "a prompt is what `vlpt tune` and `vlpt train` write: name their folder, or the prompt in it"
                .to_owned(),
        );
    }
    error(
        "no prompt, but a folder of runs".to_owned(),
        format!("name one: {}", vlpt_base::list::cut(&runs, ", ")),
    )
}

fn read_adapter(path: &Path) -> Result<Adapter> {
    let damaged = |what: String| AdapterError::Damaged {
        path: path.to_owned(),
        what,
    };
    let text = fs::read_to_string(path)?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| damaged(format!("is not JSON: {error}")))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    if format != Some(u64::from(FORMAT)) {
        let found = format.map_or("no format".to_owned(), |f| format!("format {f}"));
        return Err(damaged(format!("has {found}: expected format {FORMAT}")));
    }
    let adapter: Adapter =
        serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
    if let Some(calibration) = &adapter.calibration {
        let warm = calibration.temperature > 0.0 && (calibration.temperature as f32).is_normal();
        let share = |value: f64| (0.0..=1.0).contains(&value);
        if !warm || !calibration.threshold.is_none_or(share) {
            return Err(damaged(format!(
                "has {calibration:?}: expected a temperature above 0 and a threshold from 0 to 1"
            )));
        }
    }
    if let Some(fault) = adapter.preprocess.fault() {
        return Err(damaged(format!("has preprocess.{fault}")));
    }
    if adapter.classes == 0 {
        return Err(damaged("has 0 classes: expected 1 or more".to_owned()));
    }
    Ok(adapter)
}

fn read_classes(path: &Path, adapter: &Adapter) -> Result<Vec<String>> {
    let text = fs::read_to_string(path)?;
    let classes: Vec<String> = text.lines().map(str::to_owned).collect();
    let damaged = |what: String| AdapterError::Damaged {
        path: path.to_owned(),
        what,
    };
    if classes.len() != adapter.classes {
        let (found, expected) = (classes.len(), adapter.classes);
        return Err(damaged(format!(
            "has {found} class names: expected {expected}"
        )));
    }
    if class_names_sha256(&classes) != adapter.class_names_sha256 {
        let what = "the class names are not those that adapter_config.json was written for";
        return Err(damaged(what.to_owned()));
    }
    Ok(classes)
}

fn compare(
    expected: &BTreeMap<String, Vec<usize>>,
    found: &BTreeMap<String, Named>,
) -> PromptReport {
    let mut report = PromptReport::default();
    for (name, shape) in expected {
        match found.get(name) {
            None => report.missing.push(name.clone()),
            Some(tensor) if &tensor.shape == shape => report.used.push(name.clone()),
            Some(tensor) => report.misshapen.push(format!(
                "`{name}` has shape {:?}: expected {shape:?}",
                tensor.shape
            )),
        }
    }
    report.unexpected = found
        .keys()
        .filter(|name| !expected.contains_key(*name))
        .cloned()
        .collect();
    report
}
