//! Which part of a plan a worker does, from a flag or from what a cluster says.

use std::fmt;
use std::str::FromStr;

use crate::{Result, StudyError};

/// Part `index` of `count`: jobs whose number leaves that rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Part `index` (from 0) of `count`.
    ///
    /// # Errors
    /// An index that is not below the count.
    pub fn new(index: usize, count: usize) -> Result<Self> {
        if index < count {
            return Ok(Self { index, count });
        }
        Err(StudyError::Shard {
            what: format!("found {index}/{count}, expected an index from 0 to below the count"),
            hint: "the first of four shards is 0/4, the last 3/4",
        })
    }

    /// Its number, from 0.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.count
    }

    /// Whether it has the job with this number.
    pub fn has(self, number: usize) -> bool {
        number % self.count == self.index
    }

    /// The shard that the environment tells, or `None` where it tells nothing.
    ///
    /// | who | index | count |
    /// |---|---|---|
    /// | Slurm job array | `SLURM_ARRAY_TASK_ID` from `SLURM_ARRAY_TASK_MIN` in steps of `SLURM_ARRAY_TASK_STEP` | `SLURM_ARRAY_TASK_COUNT` |
    /// | Slurm tasks (`srun -n`) | `SLURM_PROCID` | `SLURM_STEP_NUM_TASKS` |
    /// | torchrun | `RANK` | `WORLD_SIZE` |
    /// | AWS Batch array job | `AWS_BATCH_JOB_ARRAY_INDEX` | `AWS_BATCH_JOB_ARRAY_SIZE` |
    /// | Kubernetes indexed job | `JOB_COMPLETION_INDEX` | `VLPT_SHARDS` |
    /// | PBS array (Torque: `PBS_ARRAYID`) | `PBS_ARRAY_INDEX` from `VLPT_SHARD_FIRST` (0) | `VLPT_SHARDS` |
    ///
    /// Kubernetes and PBS tell nobody how many there are, so that `VLPT_SHARDS` has to. A count of
    /// 1 is as good as none.
    ///
    /// # Errors
    /// Two that tell a part, where nobody can know which one is meant; an index without its count;
    /// what is not a number; and an index that is not below the count, as the rest of an array that
    /// was submitted again has it.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let read = |name: &str| -> Result<Option<usize>> {
            let Some(text) = variable(name).filter(|text| !text.is_empty()) else {
                return Ok(None);
            };
            match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(StudyError::Shard {
                    what: format!("{name}: found \"{text}\", expected a whole number"),
                    hint: "say which part with --shard INDEX/COUNT",
                }),
            }
        };
        let mut found: Vec<(&Variables, Self)> = Vec::new();
        for source in SOURCES {
            let Some(index) = read(source.index)? else {
                continue;
            };
            let Some(count) = read(source.count)? else {
                if source.count_may_lack {
                    continue;
                }
                return Err(StudyError::Shard {
                    what: format!(
                        "{} is set ({}), but not how many there are",
                        source.index, source.name
                    ),
                    hint: "set VLPT_SHARDS to their number, or say --shard INDEX/COUNT",
                });
            };
            let first = read(source.first)?.unwrap_or(0);
            let step = read(source.step)?.unwrap_or(1).max(1);
            let index = index.checked_sub(first).filter(|index| index % step == 0);
            let shard = index.and_then(|index| Self::new(index / step, count).ok());
            let shard = shard.ok_or_else(|| StudyError::Shard {
                what: format!(
                    "{} tells {} = {}, which is none of {count} parts counted from {first}",
                    source.name,
                    source.index,
                    variable(source.index).unwrap_or_default()
                ),
                hint: "submit the whole array, or say --shard INDEX/COUNT",
            })?;
            if shard.count > 1 {
                found.push((source, shard));
            }
        }
        match found[..] {
            [] => Ok(None),
            [(_, shard)] => Ok(Some(shard)),
            [(one, a), (two, b), ..] => Err(StudyError::Shard {
                what: format!("{} tells {a} and {} tells {b}", one.name, two.name),
                hint: "say which part with --shard INDEX/COUNT",
            }),
        }
    }
}

/// Which variables tell a part.
struct Variables {
    name: &'static str,
    index: &'static str,
    count: &'static str,
    /// The variable that tells the smallest index.
    first: &'static str,
    /// The variable that tells the distance of indices.
    step: &'static str,
    /// The index is also set where nothing is shared out.
    count_may_lack: bool,
}

const SOURCES: &[Variables] = &[
    Variables {
        name: "Slurm's job array",
        index: "SLURM_ARRAY_TASK_ID",
        count: "SLURM_ARRAY_TASK_COUNT",
        first: "SLURM_ARRAY_TASK_MIN",
        step: "SLURM_ARRAY_TASK_STEP",
        count_may_lack: false,
    },
    Variables {
        name: "srun",
        index: "SLURM_PROCID",
        count: "SLURM_STEP_NUM_TASKS",
        first: "",
        step: "",
        // A batch script has a number but is no task of a step.
        count_may_lack: true,
    },
    Variables {
        name: "torchrun",
        index: "RANK",
        count: "WORLD_SIZE",
        first: "",
        step: "",
        count_may_lack: true,
    },
    Variables {
        name: "AWS Batch",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        count: "AWS_BATCH_JOB_ARRAY_SIZE",
        first: "",
        step: "",
        count_may_lack: false,
    },
    Variables {
        name: "a Kubernetes indexed job",
        index: "JOB_COMPLETION_INDEX",
        count: "VLPT_SHARDS",
        first: "",
        step: "",
        count_may_lack: false,
    },
    Variables {
        name: "a PBS array",
        index: "PBS_ARRAY_INDEX",
        count: "VLPT_SHARDS",
        first: "VLPT_SHARD_FIRST",
        step: "",
        count_may_lack: false,
    },
    Variables {
        name: "a Torque array",
        index: "PBS_ARRAYID",
        count: "VLPT_SHARDS",
        first: "VLPT_SHARD_FIRST",
        step: "",
        count_may_lack: false,
    },
];

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = StudyError;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let (index, count) = numbers.ok_or_else(|| StudyError::Shard {
            what: format!("found \"{text}\", expected INDEX/COUNT"),
            hint: "the first of four shards is 0/4, the last 3/4",
        })?;
        Self::new(index, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shard for `NAME=VALUE` pairs, or the error.
    fn told(pairs: &str) -> std::result::Result<Option<String>, String> {
        let value = |name: &str| {
            let pairs = pairs
                .split_whitespace()
                .filter_map(|pair| pair.split_once('='));
            let mut found = pairs.filter(|&(key, _)| key == name);
            found.next().map(|(_, value)| value.to_owned())
        };
        match Shard::from_environment(value) {
            Ok(shard) => Ok(shard.map(|s| s.to_string())),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn clusters_tell_the_shard() {
        let slurm = "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=10 SLURM_ARRAY_TASK_STEP=3 SLURM_ARRAY_TASK_COUNT=4";
        let cases = [
            ("", None),
            (slurm, Some("2/4")),
            (
                "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=2",
                Some("0/2"),
            ),
            ("SLURM_PROCID=0 SLURM_NTASKS=4", None), // a batch script, not srun
            ("SLURM_PROCID=3 SLURM_STEP_NUM_TASKS=4", Some("3/4")),
            ("RANK=1 WORLD_SIZE=2 LOCAL_RANK=1", Some("1/2")),
            ("RANK=0 WORLD_SIZE=1", None),
            ("RANK=0", None),
            (
                "AWS_BATCH_JOB_ARRAY_INDEX=9 AWS_BATCH_JOB_ARRAY_SIZE=10",
                Some("9/10"),
            ),
            ("JOB_COMPLETION_INDEX=2 VLPT_SHARDS=3", Some("2/3")),
            ("PBS_ARRAY_INDEX=0 VLPT_SHARDS=3", Some("0/3")),
            (
                "PBS_ARRAY_INDEX=3 VLPT_SHARDS=3 VLPT_SHARD_FIRST=1",
                Some("2/3"),
            ),
            ("PBS_ARRAYID=1 VLPT_SHARDS=3", Some("1/3")),
            ("VLPT_SHARDS=3", None),
            // One task of srun in each element of an array is usual.
            (
                "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_COUNT=2 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1",
                Some("1/2"),
            ),
        ];
        for (environment, expected) in cases {
            let expected = expected.map(str::to_owned);
            assert_eq!(told(environment), Ok(expected), "{environment}");
        }
    }

    #[test]
    fn what_does_not_tell_a_shard_is_refused() {
        let cases = [
            ("JOB_COMPLETION_INDEX=2", "not how many"),
            (
                "PBS_ARRAY_INDEX=3 VLPT_SHARDS=3",
                "none of 3 parts counted from 0",
            ),
            ("JOB_COMPLETION_INDEX=x VLPT_SHARDS=3", "found \"x\""),
            ("RANK=-1 WORLD_SIZE=2", "found \"-1\""),
            (
                "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_COUNT=2",
                "none of 2 parts counted from 3",
            ),
            (
                "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_COUNT=2 RANK=0 WORLD_SIZE=2",
                "Slurm's job array tells 1/2 and torchrun tells 0/2",
            ),
        ];
        for (environment, message) in cases {
            let error = told(environment).unwrap_err();
            assert!(error.contains(message), "{environment}: {error}");
        }
    }

    #[test]
    fn shards_share_out_everything_once() {
        let shards: Vec<Shard> = (0..3).map(|i| Shard::new(i, 3).unwrap()).collect();
        for number in 0..20 {
            assert_eq!(shards.iter().filter(|s| s.has(number)).count(), 1);
        }
        assert_eq!("2/3".parse::<Shard>().unwrap(), shards[2]);
        for wrong in ["3/3", "1", "0/0", "-1/3", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
