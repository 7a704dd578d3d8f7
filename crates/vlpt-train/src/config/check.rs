//! Values that parse but make no sense.

use vlpt_adapter::PrecisionSetting;
use vlpt_data::fewshot::{FewShotRule, Shots};
use vlpt_methods::MethodError;

use super::keys::value;
use super::{RunConfig, ScheduleName, Views, Warmup};
use crate::{Mix, Result, TrainError};

/// The most epochs: more end in no lifetime, and their learning rates are laid out before the first.
const MAX_EPOCHS: usize = 1_000_000;
/// The most steps.
const MAX_STEPS: usize = 100_000_000;
/// The most images in the tower at once: far more than any memory holds.
const MAX_IMAGE_BATCH: usize = 100_000;
/// The most views of an image whose features are kept.
const MAX_VIEWS: usize = 10_000;

impl RunConfig {
    /// Checks the values one by one and against each other.
    ///
    /// # Errors
    /// The first key whose value makes no sense, with what is expected.
    pub fn check(&self) -> Result<()> {
        let t = &self.train;
        let finite = |v: f64| v.is_finite();
        need(
            !self.model.is_empty(),
            "model",
            &self.model,
            "a folder or a model name",
        )?;
        let shots = self.few_shot.shots;
        need(
            shots != Shots::Count(0),
            "few_shot.shots",
            shots,
            "at least 1, or \"all\"",
        )?;
        need(
            i64::try_from(self.seed).is_ok(),
            "seed",
            self.seed,
            "0 to 9223372036854775807",
        )?;
        need(
            (1..=MAX_EPOCHS).contains(&self.epochs()),
            "train.epochs",
            self.epochs(),
            "1 to 1000000",
        )?;
        self.check_length()?;
        need(
            t.batch_size >= 1,
            "train.batch_size",
            t.batch_size,
            "at least 1",
        )?;
        need(
            t.lr > 0.0 && (t.lr as f32).is_normal(),
            "train.lr",
            t.lr,
            "a number above 0",
        )?;
        need(
            (0.0..=t.lr).contains(&t.lr_min),
            "train.lr_min",
            t.lr_min,
            "0 or more, and at most train.lr",
        )?;
        let share = |v: f64| (0.0..1.0).contains(&v);
        need(
            share(t.momentum),
            "train.momentum",
            t.momentum,
            "0 or more and below 1",
        )?;
        for beta in t.betas {
            need(share(beta), "train.betas", beta, "0 or more and below 1")?;
        }
        need(
            finite(t.eps) && t.eps > 0.0,
            "train.eps",
            t.eps,
            "a number above 0",
        )?;
        let decay = t.weight_decay;
        need(
            finite(decay) && decay >= 0.0,
            "train.weight_decay",
            decay,
            "0 or more",
        )?;
        need(
            finite(t.gamma) && t.gamma > 0.0,
            "train.gamma",
            t.gamma,
            "a number above 0",
        )?;
        let rate = t.warmup_lr;
        need(
            finite(rate) && rate >= 0.0,
            "train.warmup_lr",
            rate,
            "0 or more",
        )?;
        if t.warmup != Warmup::None && self.steps().is_none() {
            let known = "below train.epochs";
            let fits = t.warmup_epochs < self.epochs() || self.epochs() == 1;
            need(fits, "train.warmup_epochs", t.warmup_epochs, known)?;
        }
        self.check_class_weights()?;
        self.check_order()?;
        let sorted = t.milestones.is_sorted();
        need(
            sorted,
            "train.milestones",
            format!("{:?}", t.milestones),
            "rising epochs",
        )?;
        if t.schedule == ScheduleName::Steps {
            let some = !t.milestones.is_empty();
            need(
                some,
                "train.milestones",
                "[]",
                "at least one epoch with schedule = \"steps\"",
            )?;
        }
        let v = &self.views;
        need(
            v.mode != Views::Cached || (1..=MAX_VIEWS).contains(&v.count),
            "views.count",
            v.count,
            "1 to 10000",
        )?;
        let [low, high] = v.scale;
        let fits = low > 0.0 && low <= high && high <= 1.0;
        need(
            fits,
            "views.scale",
            format!("{:?}", v.scale),
            "0 < smallest <= largest <= 1",
        )?;
        let [low, high] = v.ratio;
        let fits = low > 0.0 && low <= high && finite(high);
        need(
            fits,
            "views.ratio",
            format!("{:?}", v.ratio),
            "0 < smallest <= largest",
        )?;
        need(
            (0.0..=1.0).contains(&v.flip),
            "views.flip",
            v.flip,
            "between 0 and 1",
        )?;
        self.check_tasks()?;
        self.method.check().map_err(setting)?;
        let c = &self.compute;
        need(
            (1..=MAX_IMAGE_BATCH).contains(&c.image_batch),
            "compute.image_batch",
            c.image_batch,
            "1 to 100000",
        )?;
        need(
            c.threads <= 1024,
            "compute.threads",
            c.threads,
            "at most 1024",
        )
    }

    /// What draws the images, and the order that they come in.
    fn check_order(&self) -> Result<()> {
        let few = &self.few_shot;
        let rule = few.rule.map_or("none", FewShotRule::name);
        let drawn =
            few.list.is_some() && matches!(few.rule, Some(rule) if rule != FewShotRule::List);
        need(
            !drawn,
            "few_shot.rule",
            rule,
            "no rule beside few_shot.list, which names the images",
        )?;
        need(
            few.list.is_some() || few.rule != Some(FewShotRule::List),
            "few_shot.rule",
            rule,
            "coop or elevater; for a list name its file as few_shot.list",
        )?;
        need(
            few.list.as_deref() != Some(""),
            "few_shot.list",
            "\"\"",
            "the file of a list",
        )?;
        let mixed = !matches!(self.multitask.mix, Mix::Proportional) && self.tasks.len() > 1;
        need(
            self.train.shuffle || !mixed,
            "train.shuffle",
            false,
            "true, or multitask.mix = \"proportional\": other mixes draw their images",
        )
    }

    /// Checks a length that is said in steps.
    fn check_length(&self) -> Result<()> {
        let t = &self.train;
        if let Some(steps) = t.steps {
            let fits = (1..=MAX_STEPS).contains(&steps);
            need(fits, "train.steps", steps, "1 to 100000000")?;
        }
        let Some(each) = t.steps_per_shot else {
            return Ok(());
        };
        let key = "train.steps_per_shot";
        let fits = (1..=MAX_EPOCHS).contains(&each);
        need(fits, key, each, "1 to 1000000")?;
        need(t.steps.is_none(), key, each, "none beside train.steps")?;
        let counted = self.few_shot.shots != Shots::All;
        let expected = "a number of few_shot.shots beside it; with all images, train.steps";
        need(counted, key, each, expected)
    }

    /// The first key in which two configurations differ, with both values, leaving out those that
    /// cannot change a run's result (the pace) and a number format that one of them leaves open.
    pub fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        const FREE: [&str; 2] = ["threads", "checkpoint_seconds"];
        let open = [self, other].map(|config| config.compute.precision);
        let open = open
            .contains(&PrecisionSetting::Auto)
            .then_some("precision");
        let table = |config: &Self| {
            let mut table = toml::Table::try_from(config).expect("plain data is always TOML");
            if let Some(toml::Value::Table(compute)) = table.get_mut("compute") {
                for key in FREE.into_iter().chain(open) {
                    compute.remove(key);
                }
            }
            table
        };
        let (ours, theirs) = (table(self), table(other));
        super::all_keys().into_iter().find_map(|key| {
            let show =
                |v: Option<&toml::Value>| v.map_or("nothing".to_owned(), ToString::to_string);
            let [ours, theirs] = [&ours, &theirs].map(|table| value(table, &key));
            (ours != theirs).then(|| (key.clone(), show(ours), show(theirs)))
        })
    }
}

/// An option of a method is a setting like any other.
fn setting(error: MethodError) -> TrainError {
    match error {
        MethodError::Option {
            key,
            found,
            expected,
        } => TrainError::Setting {
            key,
            found,
            expected,
        },
        other => other.into(),
    }
}

pub(super) fn need(
    condition: bool,
    key: &'static str,
    found: impl std::fmt::Display,
    expected: &'static str,
) -> Result<()> {
    if condition {
        return Ok(());
    }
    Err(TrainError::Setting {
        key,
        found: found.to_string(),
        expected: expected.to_owned(),
    })
}
