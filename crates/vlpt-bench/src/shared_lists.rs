//! The training images of each task, number of shots and seed, as files: one list for all methods.

use std::path::Path;

use fs_err as fs;
use vlpt_base::files::write_atomic;
use vlpt_data::{FewShotRule, Shots, Task, few_shot_of};
use vlpt_study::file_name;

use crate::Result;

/// Writes `lists/TASK-SHOTS-SEED.json`, each as `vlpt data sample` writes a subset. Runs draw the same again.
/// A seed stands beside the one that draws its images.
///
/// # Errors
/// What the rule refuses, or a folder that cannot be written.
pub(crate) fn write(
    dir: &Path,
    name: &str,
    task: &Task,
    rule: FewShotRule,
    shots: &[usize],
    seeds: &[(u64, u64)],
) -> Result<()> {
    let folder = dir.join("lists");
    fs::create_dir_all(&folder)?;
    let name = file_name(name);
    for &shots in shots {
        for &(seed, drawing) in seeds {
            let subset = few_shot_of(task, rule, Shots::Count(shots), drawing)
                .map_err(vlpt_train::TrainError::from)?;
            let text = serde_json::to_string_pretty(&subset).map_err(std::io::Error::other)?;
            let file = folder.join(format!("{name}-{shots}-{seed}.json"));
            write_atomic(&file, format!("{text}\n").as_bytes())?;
        }
    }
    Ok(())
}
