//! The training images of each task, number of shots and seed, as files: one list for all methods.

use std::path::Path;

use fs_err as fs;
use vlpt_base::files::write_atomic;
use vlpt_data::{FewShotRule, Shots, Task, few_shot_of};

use crate::Result;

/// Writes `lists/TASK-SHOTS-SEED.json`, each as `vlpt data sample` writes a subset. Runs draw the same again.
///
/// # Errors
/// What the rule refuses, or a folder that cannot be written.
pub(crate) fn write(
    dir: &Path,
    name: &str,
    task: &Task,
    rule: FewShotRule,
    shots: &[usize],
    seeds: &[u64],
) -> Result<()> {
    let folder = dir.join("lists");
    fs::create_dir_all(&folder)?;
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).collect();
    for &shots in shots {
        for &seed in seeds {
            let subset = few_shot_of(task, rule, Shots::Count(shots), seed)
                .map_err(vlpt_train::TrainError::from)?;
            let text = serde_json::to_string_pretty(&subset).map_err(std::io::Error::other)?;
            let file = folder.join(format!("{name}-{shots}-{seed}.json"));
            write_atomic(&file, format!("{text}\n").as_bytes())?;
        }
    }
    Ok(())
}
