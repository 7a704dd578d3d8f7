//! How alike the source prompts of a study are.

use std::collections::BTreeMap;
use std::path::Path;

use vlpt_adapter::PromptFolder;
use vlpt_methods::{Pass, TowerTensors};

use super::compared::Similarity;
use super::train::RUN;
use super::train_executor::TrainExecutor;
use crate::folder::Folder;
use crate::job::{JobId, Kind};
use crate::matrix::TaskMatrix;
use crate::plan::Plan;
use crate::similarity::{PromptMeasure, prompt_similarity};
use crate::{Result, StudyError};

/// The jobs of each seed, with their tasks.
type Seeds = BTreeMap<u64, Vec<(String, JobId)>>;

impl TrainExecutor {
    /// Similarities of the source prompts, for each method, number of shots and side; means over
    /// the seeds of which every source has a prompt.
    pub(super) fn prompts(&self, dir: &Path, plan: &Plan) -> Result<Vec<Similarity>> {
        let folder = Folder::new(dir);
        let mut sources: BTreeMap<(String, usize), Seeds> = BTreeMap::new();
        let mut names: Vec<&str> = Vec::new();
        for (job, id) in plan.jobs().iter().zip(plan.ids()) {
            let [task] = &job.train_on[..] else { continue };
            if job.kind != Kind::Train {
                continue;
            }
            if !names.contains(&task.name.as_str()) {
                names.push(&task.name);
            }
            if crate::result::is_done(&folder, id)? {
                let key = (job.method.clone(), job.shots);
                let seeds = sources.entry(key).or_default().entry(job.seed).or_default();
                seeds.push((task.name.clone(), id.clone()));
            }
        }
        let mut all = Vec::new();
        for ((method, shots), seeds) in sources {
            let mut sums: BTreeMap<&str, Vec<TaskMatrix>> = BTreeMap::new();
            for jobs in seeds.values().filter(|jobs| jobs.len() == names.len()) {
                for (side, tokens, width) in self.tokens(&folder, jobs)? {
                    let (whole, mean) = match side {
                        Side::Text => ("prompt-text", "prompt-text-mean"),
                        Side::Image => ("prompt-image", "prompt-image-mean"),
                    };
                    let measures = [
                        (whole, PromptMeasure::All),
                        (mean, PromptMeasure::MeanToken),
                    ];
                    for (name, measure) in measures {
                        let found = prompt_similarity(&tokens, width, measure)?;
                        sums.entry(name).or_default().push(found);
                    }
                }
            }
            all.extend(sums.into_iter().map(|(measure, seeds)| Similarity {
                measure: measure.to_owned(),
                method: method.clone(),
                source_shots: shots,
                values: mean(&seeds),
            }));
        }
        Ok(all)
    }

    /// The prompts of jobs as tokens of one width, for each side that the method learns. A method
    /// whose prompts depend on the image or the classes has none to compare.
    fn tokens(&self, folder: &Folder, jobs: &[(String, JobId)]) -> Result<Vec<Tokens>> {
        let (mut text, mut image) = (Vec::new(), Vec::new());
        for (name, id) in jobs {
            let prompt = PromptFolder::open(&folder.work(id).join(RUN))?;
            let method = prompt.method(&self.clip)?;
            let needs = method.needs();
            if needs.texts_per_image || needs.visual_per_image || needs.frozen_class_features {
                return Ok(Vec::new());
            }
            let adaptation = method.adapt(&Pass::EVAL).map_err(train)?;
            let rows = |side: &TowerTensors| {
                let prompts = side.values().map_err(train)?.prompts;
                Ok::<_, StudyError>(prompts.map(|prompts| prompts.values))
            };
            text.push((name.clone(), rows(&adaptation.text)?.unwrap_or_default()));
            image.extend(rows(&adaptation.visual)?.map(|values| (name.clone(), values)));
        }
        let mut sides = Vec::new();
        if text.iter().all(|(_, values)| !values.is_empty()) {
            sides.push((Side::Text, text, self.clip.text.width()));
        }
        if image.len() == jobs.len() {
            sides.push((Side::Image, image, self.clip.vision.width()));
        }
        Ok(sides)
    }
}

/// A side of the model that has prompts.
enum Side {
    Text,
    Image,
}

type Tokens = (Side, Vec<(String, Vec<f32>)>, usize);

/// The mean of matrices of the same tasks.
fn mean(matrices: &[TaskMatrix]) -> TaskMatrix {
    let (rows, columns) = (matrices[0].rows().to_vec(), matrices[0].columns().to_vec());
    TaskMatrix::from_fn(rows, columns, |i, j| {
        let values = matrices.iter().filter_map(|matrix| matrix.get(i, j));
        values.sum::<f64>() / matrices.len() as f64
    })
}

fn train(error: vlpt_methods::MethodError) -> StudyError {
    StudyError::Train(error.into())
}
