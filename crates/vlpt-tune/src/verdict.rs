//! The choice: what was tried, what is taken and why, how good it is expected to be.

use vlpt_adapter::Calibration;

use crate::bbc::{Answers, estimate};
use crate::calibrate::{probabilities, temperature, threshold};
use crate::candidates::{Cost, without_choice};
use crate::choice::choose;
use crate::learning::{Curve, LearningCurve};
use crate::record::Expected;
use crate::search::{Found, Judged, Search, Tried};
use crate::sentence::Reasons;
use crate::trial::{Allowance, Trial};
use crate::work::{Verdict, Work};
use crate::{Result, TuneError};

/// Resamples behind the estimate.
const RESAMPLES: usize = 1000;
/// How often its interval holds the truth.
const CONFIDENCE: f64 = 0.95;

impl Work<'_> {
    fn search(&self) -> Search<'_> {
        Search {
            photos: self.photos,
            folds: self.folds,
            weights: self.weights,
            budget: self.budget,
            scratch: self.scratch,
        }
    }

    /// The best of the candidates by held-out photos.
    pub(crate) fn with_choice(&self) -> Result<Verdict> {
        let found = self
            .search()
            .run(self.all, self.observer, &|tried| self.observer.tried(tried))?;
        let Found { tried, judged } = found;
        let right: Vec<Vec<bool>> = judged.iter().map(|one| one.right.clone()).collect();
        let costs: Vec<Cost> = judged
            .iter()
            .map(|one| self.all[one.candidate].cost)
            .collect();
        let names: Vec<&str> = judged
            .iter()
            .map(|one| self.all[one.candidate].name())
            .collect();
        let answers = Answers {
            right: &right,
            weights: self.weights,
        };
        let every: Vec<usize> = (0..self.held.len()).collect();
        let chosen = choose(&answers, &costs, &every);
        let pick = |bag: &[usize]| choose(&answers, &costs, bag);
        let honest = estimate(&answers, &pick, RESAMPLES, CONFIDENCE, self.options.seed);
        let reasons = Reasons {
            answers,
            names: &names,
            chosen,
        };
        let gain = reasons.gain_of_learning();
        let why = reasons.say();
        let labels: Vec<usize> = self.held.iter().map(|&p| self.photos.labels[p]).collect();
        let classes = self.photos.classes();
        let logits = self.on_one_scale(&judged[chosen])?;
        let warmth = temperature(&logits, classes, &labels);
        let probabilities = probabilities(&logits, classes, warmth);
        let rate = self.options.reject_rate;
        let calibration = Calibration {
            temperature: warmth,
            threshold: threshold(&probabilities, classes, rate),
            reject_rate: rate,
        };
        let curve = self.curve(&judged, chosen)?;
        Ok(Verdict {
            tried,
            chosen: self.all[judged[chosen].candidate].clone(),
            why,
            names_are_as_good: Some(gain.is_none_or(|gain| gain.value <= gain.error)),
            names_alone: Some(answers.share(0, 0..self.held.len())),
            estimate: Some(Expected {
                value: honest.value,
                low: honest.low,
                high: honest.high,
                confidence: CONFIDENCE,
                photos: self.held.len(),
                uncorrected: answers.share(chosen, 0..self.held.len()),
            }),
            calibration: Some(calibration),
            probabilities,
            curve,
        })
    }

    /// The learning curve of the chosen candidate, or of the best that is fitted to features.
    fn curve(&self, judged: &[Judged], chosen: usize) -> Result<Option<LearningCurve>> {
        let of_features = |place: usize| self.all[judged[place].candidate].cost == Cost::Features;
        let place = if of_features(chosen) {
            Some(chosen)
        } else {
            // Its logits were kept because it is the best of its kind.
            (0..judged.len()).find(|&place| of_features(place) && !judged[place].logits.is_empty())
        };
        let Some(place) = place else { return Ok(None) };
        let candidate = &self.all[judged[place].candidate];
        let refit = judged[chosen].fold_time.mul_f64(1.5);
        let curve = Curve {
            photos: self.photos,
            folds: self.folds,
            weights: self.weights,
            budget: self.budget,
            reserve: refit,
            scratch: self.scratch,
        };
        let full = &judged[place].right;
        let measured = curve.measure(&candidate.config, full, self.observer)?;
        Ok(Some(measured))
    }

    /// Without held-out photos: a fit that has nothing to choose; what learns nothing is judged on all
    /// photos, which it has not seen either.
    pub(crate) fn without_choice(&self) -> Result<Verdict> {
        let chosen = without_choice(self.all).clone();
        let every: Vec<usize> = (0..self.photos.len()).collect();
        let names = &self.all[0];
        let began = self.budget.spent();
        let trial = self.photos.trial(
            &names.config,
            (&every, &every),
            Allowance::unlimited(),
            self.scratch,
            self.observer,
        )?;
        let Trial::Done(logits, _) = trial else {
            return Err(TuneError::Stopped);
        };
        let rows = logits.chunks_exact(self.photos.classes());
        let right = rows
            .zip(&self.photos.labels)
            .filter(|(row, label)| vlpt_methods::head::first_largest(row) == **label)
            .count();
        let share = right as f64 / self.photos.len() as f64;
        let seconds = self.budget.spent().saturating_sub(began).as_secs_f64();
        let tried: Vec<Tried> = self
            .all
            .iter()
            .map(|candidate| Tried {
                method: candidate.name().to_owned(),
                cost: candidate.cost,
                share: (candidate.cost == Cost::Names).then_some(share),
                left_out: (candidate.cost != Cost::Names)
                    .then(|| "no photos could be held out to judge it".to_owned()),
                folds: 0,
                seconds: if candidate.cost == Cost::Names {
                    seconds
                } else {
                    0.0
                },
            })
            .collect();
        for tried in &tried {
            self.observer.tried(tried);
        }
        let why = if chosen.cost == Cost::Names {
            "Class names alone: nothing else was allowed.".to_owned()
        } else {
            format!(
                "{} was taken without a comparison: it has nothing to choose and stays near the class names, which alone are \
                 right on {} of these photos.",
                chosen.name(),
                vlpt_report::percent(share)
            )
        };
        Ok(Verdict {
            tried,
            chosen,
            why,
            names_are_as_good: None,
            names_alone: Some(share),
            estimate: None,
            calibration: None,
            probabilities: Vec::new(),
            curve: None,
        })
    }
}
