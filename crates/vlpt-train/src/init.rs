//! The values that a run starts from, taken from another prompt.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use vlpt_base::files::write_atomic;
use vlpt_base::hash::fingerprint;
use vlpt_clip::Clip;
use vlpt_methods::{Build, Method, MethodConfig, Parameter};

use crate::{Result, RunConfig, TrainError, TrainingData};
use vlpt_adapter::{InitSource, Named, PromptFolder, TensorFile, preprocess};

/// Where the values are kept in a run folder, so that the run depends on no other.
const FILE: &str = "init.safetensors";
const SOURCE: &str = "source";

/// Values of parameters, and where they are from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Initial {
    /// The prompt they are of.
    pub(crate) source: InitSource,
    /// Values by the names of the parameters.
    pub(crate) values: BTreeMap<String, Vec<f32>>,
    /// Differences that do not stand in the way, but are worth knowing.
    pub(crate) notes: Vec<String>,
}

/// Reads the prompt that a configuration starts from, if it names one, and checks that it is one
/// for this method, model and task.
///
/// # Errors
/// A folder that cannot be read, or everything in which the prompt does not fit.
pub(crate) fn read_initial(
    config: &RunConfig,
    clip: &Clip,
    data: &TrainingData,
) -> Result<Option<Initial>> {
    if config.init_from.is_empty() {
        return Ok(None);
    }
    let folder = PromptFolder::open(Path::new(&config.init_from))?;
    let classes = &data.task.classes;
    let method = &config.method;
    let built = method.build(&Build {
        clip,
        classes: classes.len(),
        seed: config.seed,
    })?;
    let problems = problems(&folder, method, built.as_ref(), clip, classes);
    if !problems.is_empty() {
        return Err(TrainError::Incompatible {
            what: format!(
                "{}: a run with {} cannot start from this prompt: {}",
                config.init_from,
                method.name(),
                vlpt_base::list::cut(&problems, "; ")
            ),
            hint: Some(
                "name a prompt of this method, with these options, tuned for this model".to_owned(),
            ),
        });
    }
    // Features of its classes are made anew, of this run's.
    let of_classes = built.class_features().map(Parameter::name);
    let values: BTreeMap<String, Vec<f32>> = folder
        .parameters
        .iter()
        .filter(|(name, _)| of_classes != Some(name.as_str()))
        .map(|(name, tensor)| (name.clone(), tensor.data.clone()))
        .collect();
    let adapter = &folder.adapter;
    let mut notes = differences(&adapter.method, method);
    if adapter.preprocess != preprocess(clip, &config.image) {
        notes.push("images are made ready in another way".to_owned());
    }
    let source = InitSource {
        folder: config.init_from.clone(),
        task: adapter.task.clone(),
        seed: adapter.seed,
        sha256: hash(&values),
    };
    Ok(Some(Initial {
        source,
        values,
        notes,
    }))
}

/// Everything in which a prompt does not fit a run.
fn problems(
    folder: &PromptFolder,
    method: &MethodConfig,
    built: &dyn Method,
    clip: &Clip,
    classes: &[String],
) -> Vec<String> {
    let adapter = &folder.adapter;
    let mut problems = Vec::new();
    if adapter.base_model_fingerprint != clip.fingerprint {
        let short = |text: &str| text.chars().take(12).collect::<String>();
        problems.push(format!(
            "it was tuned for the model {} ({}), this one is {} ({})",
            adapter.base_model,
            short(&adapter.base_model_fingerprint),
            clip.name,
            short(&clip.fingerprint)
        ));
    }
    if adapter.method.name() != method.name() {
        problems.push(format!("it is a prompt of {}", adapter.method.name()));
        // The shapes of another method say nothing more.
        return problems;
    }
    let specific = |shape: Option<&Vec<usize>>| shape.is_some_and(|shape| shape.len() == 3);
    let wanted: BTreeMap<String, Vec<usize>> = built
        .parameters()
        .iter()
        .map(|p| (p.name().to_owned(), p.shape().to_vec()))
        .collect();
    if specific(adapter.parameters.get("ctx"))
        && specific(wanted.get("ctx"))
        && folder.classes != classes
    {
        problems.push(format!(
            "its context is class-specific, for {} other classes than the {} here",
            folder.classes.len(),
            classes.len()
        ));
    }
    let show = |shape: Option<&Vec<usize>>| shape.map_or("none".to_owned(), |s| format!("{s:?}"));
    let of_classes = built.class_features().map(Parameter::name);
    for (name, shape) in &wanted {
        let found = adapter.parameters.get(name);
        if found != Some(shape) && of_classes != Some(name.as_str()) {
            problems.push(format!(
                "`{name}` has the shape {}: expected {shape:?}",
                show(found)
            ));
        }
    }
    let unknown = adapter
        .parameters
        .keys()
        .filter(|n| !wanted.contains_key(*n));
    problems.extend(unknown.map(|name| format!("`{name}` is no parameter of this run")));
    problems
}

/// Options that two configurations of one method give another value, but that change no shape.
/// What initial values are made of is left out, as they are not used.
fn differences(theirs: &MethodConfig, ours: &MethodConfig) -> Vec<String> {
    let mut found = Vec::new();
    differing("", &json!(theirs), &json!(ours), &mut found);
    found
}

fn differing(name: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    if theirs == ours || matches!(name, "init" | "context") {
        return;
    }
    let (Value::Object(a), Value::Object(b)) = (theirs, ours) else {
        found.push(format!("its {name} is {theirs}, here it is {ours}"));
        return;
    };
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    for key in keys {
        let value = |of: &serde_json::Map<String, Value>| of.get(key).cloned().unwrap_or_default();
        differing(key, &value(a), &value(b), found);
    }
}

fn hash(values: &BTreeMap<String, Vec<f32>>) -> String {
    let bytes = values.iter().flat_map(|(name, values)| {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        [name.clone().into_bytes(), data]
    });
    fingerprint(bytes)
}

impl Initial {
    /// Copies the values into a run folder.
    pub(crate) fn write(&self, run: &Path) -> Result<()> {
        let mut file = TensorFile::default();
        for (name, data) in &self.values {
            let tensor = Named::new(&[data.len()], data.clone());
            file.tensors.insert(name.clone(), tensor);
        }
        let source = serde_json::to_string(&self.source).map_err(std::io::Error::other)?;
        file.metadata.insert(SOURCE.to_owned(), source);
        Ok(write_atomic(&run.join(FILE), &file.to_bytes())?)
    }

    /// Reads the values that a run folder has a copy of.
    ///
    /// # Errors
    /// No such file, or a damaged one.
    pub(crate) fn read(run: &Path) -> Result<Self> {
        let path = run.join(FILE);
        let damaged = |what: String| TrainError::Damaged {
            path: path.clone(),
            what,
        };
        let file = TensorFile::read(&path)?;
        let text = file.metadata.get(SOURCE);
        let text = text.ok_or_else(|| damaged(format!("has no {SOURCE}")))?;
        let source: InitSource = serde_json::from_str(text)
            .map_err(|error| damaged(format!("its {SOURCE} cannot be read: {error}")))?;
        let tensors = file.tensors.into_iter();
        let values = tensors.map(|(name, tensor)| (name, tensor.data)).collect();
        if hash(&values) != source.sha256 {
            return Err(damaged(
                "its values are not those it was written with".to_owned(),
            ));
        }
        Ok(Self {
            source,
            values,
            notes: Vec::new(),
        })
    }

    /// Puts the values into a method.
    ///
    /// # Errors
    /// A parameter of another size.
    pub(crate) fn put_into(&self, method: &dyn Method) -> Result<()> {
        for parameter in method.parameters() {
            if let Some(values) = self.values.get(parameter.name()) {
                parameter.set(values)?;
            }
        }
        Ok(())
    }

    /// What is used, in one line.
    pub(crate) fn describe(&self) -> String {
        let count: usize = self.values.values().map(Vec::len).sum();
        let names: Vec<&str> = self.values.keys().map(String::as_str).collect();
        format!(
            "starts from {}: {} ({count} values) of a prompt tuned on {} with seed {}",
            self.source.folder,
            names.join(", "),
            self.source.task,
            self.source.seed
        )
    }
}
