//! Whether a study's settings make sense.

use std::collections::BTreeSet;

use crate::config::StudyConfig;
use crate::{Result, StudyError};

/// Refuses what makes no study, naming the setting.
pub(crate) fn check(config: &StudyConfig) -> Result<()> {
    let bad = |key, found: String, expected: &str| {
        Err(StudyError::Setting {
            key,
            found,
            expected: expected.to_owned(),
        })
    };
    for (key, tasks) in [("sources", &config.sources), ("targets", &config.targets)] {
        if let Some(name) = repeated(tasks.iter().map(|t| t.name.as_str())) {
            let expected = "each task once; of two parts of a set one can have another `name` in a file for --tasks";
            return bad(key, format!("\"{name}\" twice"), expected);
        }
        if tasks.iter().any(|task| task.name.is_empty()) {
            return bad(key, "a task without a name".into(), "a name for each task");
        }
    }
    if config.targets.is_empty() {
        return bad("targets", "none".into(), "at least one task");
    }
    for source in &config.sources {
        let other = config
            .targets
            .iter()
            .find(|t| t.name == source.name && *t != source);
        if other.is_some() {
            return bad(
                "sources",
                format!(
                    "\"{}\" with other settings than among the targets",
                    source.name
                ),
                "one task for each name",
            );
        }
    }
    if let Some(name) = repeated(config.methods.iter().map(|m| m.name.as_str())) {
        return bad("methods", format!("\"{name}\" twice"), "each method once");
    }
    let transfers = [
        config.zero_shot.is_some(),
        config.adapted.is_some(),
        config.co_training.is_some(),
    ];
    if transfers.contains(&true) {
        if config.sources.is_empty() {
            return bad("sources", "none".into(), "at least one task");
        }
        if let Some(method) = config.methods.iter().find(|m| m.class_specific) {
            return bad(
                "methods",
                format!("\"{}\", which learns a context for each class", method.name),
                "methods whose prompt serves any classes: transfer of others is undefined",
            );
        }
    }
    let asks_training = transfers.contains(&true) || config.joint.is_some();
    if asks_training && config.methods.is_empty() {
        return bad("methods", "none".into(), "at least one method");
    }
    if !asks_training && config.zero_shot_clip.is_none() {
        return bad(
            "study",
            "nothing to do".into(),
            "zero_shot, adapted, co_training, joint or zero_shot_clip",
        );
    }
    check_shots(config)?;
    check_groups(config)
}

fn check_shots(config: &StudyConfig) -> Result<()> {
    let mut lists = Vec::new();
    if let Some(t) = &config.zero_shot {
        lists.push(("zero_shot", t.shots.clone(), &t.seeds));
    }
    if let Some(t) = &config.co_training {
        lists.push(("co_training", t.shots.clone(), &t.seeds));
    }
    if let Some(t) = &config.joint {
        lists.push(("joint", t.shots.clone(), &t.seeds));
    }
    if let Some(t) = &config.adapted {
        lists.push(("adapted", t.shots.clone(), &t.seeds));
        lists.push(("adapted", vec![t.source_shots], &t.seeds));
        if repeated(t.average_over.iter()).is_some() {
            return Err(StudyError::Setting {
                key: "adapted",
                found: format!("average_over = {:?}", t.average_over),
                expected: "each seed once".to_owned(),
            });
        }
    }
    for (key, shots, seeds) in lists {
        let bad_shots = shots.is_empty() || shots.contains(&0) || repeated(shots.iter()).is_some();
        if bad_shots || seeds.is_empty() || repeated(seeds.iter()).is_some() {
            return Err(StudyError::Setting {
                key,
                found: format!("shots {shots:?}, seeds {seeds:?}"),
                expected: "at least one of each, each once, and shots of 1 or more".to_owned(),
            });
        }
    }
    Ok(())
}

fn check_groups(config: &StudyConfig) -> Result<()> {
    let Some(joint) = &config.joint else {
        return Ok(());
    };
    let bad = |found: String, expected: &str| {
        Err(StudyError::Setting {
            key: "joint",
            found,
            expected: expected.to_owned(),
        })
    };
    let mut seen = BTreeSet::new();
    for group in &joint.groups {
        let names: BTreeSet<_> = group.iter().collect();
        if names.len() != group.len() || group.is_empty() {
            return bad(format!("group {group:?}"), "each target once, at least one");
        }
        if let Some(name) = names
            .iter()
            .find(|name| !config.targets.iter().any(|t| t.name == ***name))
        {
            return bad(format!("\"{name}\" in a group"), "names of targets");
        }
        if !seen.insert(names) {
            return bad(format!("group {group:?} twice"), "each group once");
        }
    }
    Ok(())
}

fn repeated<T: Ord>(items: impl Iterator<Item = T>) -> Option<T> {
    let mut items: Vec<_> = items.collect();
    items.sort();
    let at = (1..items.len()).find(|&i| items[i] == items[i - 1])?;
    Some(items.swap_remove(at))
}
