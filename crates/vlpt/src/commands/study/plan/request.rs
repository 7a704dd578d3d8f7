//! From the flags to what a study should compare.

use vlpt_data::synthetic;
use vlpt_study::{Adapted, Joint, MethodRequest, StudyRequest, Transfer};
use vlpt_train::DataConfig;

use super::PlanArgs;
use crate::commands::study::groups::read_groups;
use crate::error::CliError;
use crate::options::DataFlags;

impl PlanArgs {
    /// What the flags ask for, methods aside.
    pub(super) fn request(&self) -> Result<StudyRequest, CliError> {
        let named = self.tasks.len() + self.sources.len() + self.targets.len();
        self.flags.check_several(named)?;
        if named == 0 {
            self.flags.refuse(
                "no --task, --source or --target names a data set that it would be about",
                "leave it out, or give a task of the file its own, as { path = \"FOLDER\", split_seed = 1 }",
            )?;
        }
        let data_of = |paths: &[String]| data_of(paths, &self.flags);
        let mut both = data_of(&self.tasks)?;
        if let Some(path) = &self.file {
            let text = fs_err::read_to_string(path)?;
            let read = vlpt_train::parse(&text, &path.display().to_string())?;
            both.extend(read.tasks.iter().map(vlpt_train::TaskEntry::data));
        }
        let sources = [both.clone(), data_of(&self.sources)?].concat();
        let targets = [both, data_of(&self.targets)?].concat();
        if sources.is_empty() || targets.is_empty() {
            return Err(CliError::usage(
                "a study needs tasks to transfer from and to",
                "name each with --task, such as `--task photos --task synthetic:shapes`, or all synthetic \
                 ones with `--task synthetic:all`",
            ));
        }
        let or = |given: &[u64]| {
            if given.is_empty() {
                self.seeds.clone()
            } else {
                given.to_vec()
            }
        };
        let transfer = |seeds| Transfer {
            shots: self.shots.clone(),
            seeds,
        };
        let adapted = self
            .adapted
            .then(|| self.adapted_transfer(or(&self.adapt_seeds)));
        let joint = self.groups.as_ref().map(|path| {
            Ok::<_, CliError>(Joint {
                groups: read_groups(path)?,
                shots: self.shots.clone(),
                seeds: self.seeds.clone(),
            })
        });
        Ok(StudyRequest {
            model: self.model.name.model.clone(),
            sources,
            targets,
            methods: Vec::new(),
            test_images: self.test_images,
            zero_shot_clip: true,
            zero_shot: Some(transfer(self.seeds.clone())),
            adapted: adapted.transpose()?,
            co_training: self.co_training.then(|| transfer(or(&self.co_seeds))),
            joint: joint.transpose()?,
        })
    }

    fn adapted_transfer(&self, seeds: Vec<u64>) -> Result<Adapted, CliError> {
        let [source_shots] = self.shots[..] else {
            return Err(CliError::usage(
                format!("--adapted with {} numbers of --shots", self.shots.len()),
                "give one number to --shots: the source prompts are trained with it; --adapt-shots \
                 takes several",
            ));
        };
        Ok(Adapted {
            source_shots,
            shots: if self.adapt_shots.is_empty() {
                self.shots.clone()
            } else {
                self.adapt_shots.clone()
            },
            seeds,
            average_over: if self.average_sources {
                self.seeds.clone()
            } else {
                Vec::new()
            },
        })
    }

    /// Each method with what of --recipe and --set is for it.
    pub(super) fn methods(&self) -> Result<Vec<MethodRequest>, CliError> {
        let known = |name: &str| self.method.iter().any(|method| method == name);
        let of = |all: &[String], mark: char, method: &str| -> Result<Vec<String>, CliError> {
            let mut own = Vec::new();
            for given in all {
                match given.split_once(mark) {
                    // A colon may also stand in a value.
                    Some((name, _)) if mark == ':' && name.contains('=') => own.push(given.clone()),
                    Some((name, rest)) if name == method => own.push(rest.to_owned()),
                    Some((name, _)) if known(name) => {}
                    Some((name, _)) => {
                        return Err(CliError::usage(
                            format!("`{given}` is for {name}, which --method does not name"),
                            format!("name one of: {}", self.method.join(", ")),
                        ));
                    }
                    None => own.push(given.clone()),
                }
            }
            Ok(own)
        };
        let one = |method: &String| {
            Ok(MethodRequest {
                method: method.clone(),
                recipe: of(&self.recipe, '=', method)?.pop(),
                file: self.config.clone(),
                settings: of(&self.set, ':', method)?,
            })
        };
        self.method.iter().map(one).collect()
    }
}

/// What stands for the name of every synthetic task.
const EVERY: &str = "all";

/// Data sets by path; `synthetic:all` is every synthetic one.
fn data_of(paths: &[String], flags: &DataFlags) -> Result<Vec<DataConfig>, CliError> {
    let mut all: Vec<DataConfig> = Vec::new();
    for path in paths {
        let names: Vec<String> = match path.strip_suffix(EVERY) {
            // the prefix stays as it was written, because a plan's ids depend on it
            Some(prefix) if synthetic::name_in(path) == Some(EVERY) => synthetic::names()
                .iter()
                .map(|name| format!("{prefix}{name}"))
                .collect(),
            _ => vec![path.to_owned()],
        };
        for path in names {
            all.push(flags.over(DataConfig {
                path,
                ..DataConfig::default()
            })?);
        }
    }
    Ok(all)
}
