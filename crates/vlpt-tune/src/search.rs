//! The search: candidates in turn, cheapest first, fold by fold, each only while it can still win and fits
//! the time.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vlpt_train::TrainObserver;

use crate::bbc::Answers;
use crate::budget::{Budget, spoken};
use crate::candidates::{Candidate, Cost};
use crate::choice::gain;
use crate::folds::Folds;
use crate::photos::Photos;
use crate::trial::{Allowance, Trial};
use crate::{Result, TuneError};

/// A candidate is given up when it is behind by so many standard errors of the difference.
const BEHIND: f64 = 2.5;
/// No candidate is given up before so many photos have judged it.
const JUDGED: usize = 20;

/// The learning curve is of a fit to features; a fold of one that takes longer than this is no reason to keep
/// more time for it.
const CURVE: Duration = Duration::from_secs(5);

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The method.
    pub method: String,
    /// What a fit of it costs.
    pub cost: Cost,
    /// Share of the held-out photos that it was right on (of classes alike, where these are imbalanced);
    /// none where not all folds were done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Why it was not tried, or not to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// Folds that were done.
    pub folds: usize,
    /// Seconds that it took.
    pub seconds: f64,
}

/// A candidate that was judged on all held-out photos.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Its place in the list of candidates.
    pub candidate: usize,
    /// Whether it was right on each held-out photo, in the order of these.
    pub right: Vec<bool>,
    /// Held-out logits, photos x classes; only of those that may be chosen.
    pub logits: Vec<f32>,
    /// Time of a fold.
    pub fold_time: Duration,
}

/// What the search looks at.
pub struct Search<'a> {
    /// The photos.
    pub photos: &'a Photos<'a>,
    /// When each is held out.
    pub folds: &'a Folds,
    /// What each held-out photo counts, in the order of [`Folds::held`].
    pub weights: &'a [f64],
    /// Time.
    pub budget: Budget<'a>,
    /// Where trials may write.
    pub scratch: &'a Path,
}

/// What the search found.
#[derive(Debug, Default)]
pub struct Found {
    /// Every candidate, in the order of the list.
    pub tried: Vec<Tried>,
    /// Those that were judged on all held-out photos.
    pub judged: Vec<Judged>,
}

/// Why a candidate's folds ended early.
enum End {
    Judged(Judged),
    LeftOut { why: String, folds: usize },
}

impl Search<'_> {
    /// Tries the candidates. `told` is called after each.
    ///
    /// # Errors
    /// What ends a trial, but for one that cannot end in time.
    pub fn run(
        &self,
        candidates: &[Candidate],
        observer: &dyn TrainObserver,
        told: &dyn Fn(&Tried),
    ) -> Result<Found> {
        let mut found = Found::default();
        for (place, candidate) in candidates.iter().enumerate() {
            if observer.should_stop() {
                return Err(TuneError::Stopped);
            }
            let began = self.budget.spent();
            let end = match self.refused(candidate, &found) {
                Some(why) => End::LeftOut { why, folds: 0 },
                None => self.judge(place, candidate, &found, observer)?,
            };
            let (share, left_out, folds) = match &end {
                End::Judged(judged) => (Some(self.share(&judged.right)), None, self.folds.count),
                End::LeftOut { why, folds } => (None, Some(why.clone()), *folds),
            };
            let tried = Tried {
                method: candidate.name().to_owned(),
                cost: candidate.cost,
                share,
                left_out,
                folds,
                seconds: self.budget.spent().saturating_sub(began).as_secs_f64(),
            };
            told(&tried);
            found.tried.push(tried);
            if let End::Judged(judged) = end {
                self.keep(judged, candidates, &mut found);
            }
        }
        Ok(found)
    }

    /// Why a candidate is not even begun.
    fn refused(&self, candidate: &Candidate, found: &Found) -> Option<String> {
        if candidate.cost == Cost::Names {
            return None;
        }
        let shares = found.tried.iter().filter_map(|tried| tried.share);
        if candidate.cost > Cost::Features && shares.into_iter().any(|share| share >= 1.0) {
            return Some("nothing is left to win: all held-out photos are right".to_owned());
        }
        self.budget
            .left_but(self.reserve(found))
            .is_zero()
            .then(|| "no time was left".to_owned())
    }

    /// All folds of a candidate, as far as they make sense.
    fn judge(
        &self,
        place: usize,
        candidate: &Candidate,
        found: &Found,
        observer: &dyn TrainObserver,
    ) -> Result<End> {
        let held = self.folds.held();
        let classes = self.photos.classes();
        let mut logits = vec![f32::NAN; held.len() * classes];
        let mut judged = vec![None; held.len()];
        let began = self.budget.spent();
        let mut last = Duration::ZERO;
        let reserve = match candidate.cost {
            // What learns nothing is always there to compare with, and takes next to no time.
            Cost::Names => Duration::ZERO,
            _ => self.reserve(found),
        };
        // What learns nothing from photos is the same in every fold.
        let rounds = match candidate.cost {
            Cost::Names => 1,
            _ => self.folds.count,
        };
        for fold in 0..rounds {
            let (fit, out) = match candidate.cost {
                Cost::Names => ((0..self.photos.len()).collect(), held.clone()),
                _ => self.folds.parts(fold),
            };
            let left = (self.folds.count - fold) as f64;
            if fold > 0 && candidate.cost != Cost::Names {
                let each = self.budget.spent().saturating_sub(began) / fold as u32;
                let need = each.mul_f64(left + 1.0);
                if need > self.budget.left_but(reserve) {
                    let why =
                        self.too_long(Some(each.mul_f64(self.folds.count as f64 + 1.0)), reserve);
                    return Ok(End::LeftOut { why, folds: fold });
                }
            }
            let allowed = match candidate.cost {
                Cost::Names => Allowance::unlimited(),
                _ => Allowance {
                    budget: self.budget,
                    reserve,
                    trials: left + 1.0,
                },
            };
            let before = self.budget.spent();
            let own = match self.photos.trial(
                &candidate.config,
                (&fit, &out),
                allowed,
                self.scratch,
                observer,
            ) {
                Ok(Trial::Done(own, _)) => own,
                Ok(Trial::TooLong(whole)) => {
                    let why = self.too_long(whole, reserve);
                    return Ok(End::LeftOut { why, folds: fold });
                }
                Err(TuneError::Stopped) => return Err(TuneError::Stopped),
                // A method that cannot be used here is no reason to give up the others.
                Err(error) if candidate.cost != Cost::Names => {
                    return Ok(End::LeftOut {
                        why: format!("it cannot be used here: {error}"),
                        folds: fold,
                    });
                }
                Err(error) => return Err(error),
            };
            last = self.budget.spent().saturating_sub(before);
            for (row, photo) in own.chunks_exact(classes).zip(&out) {
                let Ok(at) = held.binary_search(photo) else {
                    continue;
                };
                logits[at * classes..(at + 1) * classes].copy_from_slice(row);
                let answer = vlpt_methods::head::first_largest(row);
                judged[at] = Some(answer == self.photos.labels[*photo]);
            }
            if fold + 1 < rounds
                && let Some(behind) = self.behind(&judged, found)
            {
                let done = fold + 1;
                let why = format!(
                    "it could not win any more: {:.1} points behind after {done} of {} folds",
                    100.0 * behind,
                    self.folds.count
                );
                return Ok(End::LeftOut { why, folds: done });
            }
        }
        Ok(End::Judged(Judged {
            candidate: place,
            right: judged
                .into_iter()
                .map(|right| right == Some(true))
                .collect(),
            logits,
            fold_time: last,
        }))
    }

    /// By how much a candidate is behind the best so far, where that is more than chance makes.
    fn behind(&self, judged: &[Option<bool>], found: &Found) -> Option<f64> {
        let photos: Vec<usize> = (0..judged.len())
            .filter(|&at| judged[at].is_some())
            .collect();
        let best = found
            .judged
            .iter()
            .max_by(|a, b| self.share(&a.right).total_cmp(&self.share(&b.right)))?;
        if photos.len() < JUDGED {
            return None;
        }
        let own: Vec<bool> = judged.iter().map(|right| *right == Some(true)).collect();
        let answers = Answers {
            right: &[best.right.clone(), own],
            weights: self.weights,
        };
        let lead = gain(&answers, 0, 1, &photos);
        (lead.value > BEHIND * lead.error.max(1e-9)).then_some(lead.value)
    }

    /// Time that has to be left for the fit of the best so far to all photos, and for the report.
    fn reserve(&self, found: &Found) -> Duration {
        let best = found
            .judged
            .iter()
            .max_by(|a, b| self.share(&a.right).total_cmp(&self.share(&b.right)));
        let fit = best.map_or(Duration::ZERO, |best| best.fold_time);
        // The sizes of the learning curve take about as long together as the folds did once.
        let curve = best.map_or(Duration::ZERO, |best| {
            best.fold_time.min(CURVE) * self.folds.count as u32
        });
        (fit.mul_f64(1.5) + curve).min(self.budget.whole() / 2)
    }

    fn too_long(&self, whole: Option<Duration>, reserve: Duration) -> String {
        let left = spoken(self.budget.left_but(reserve));
        match whole {
            Some(whole) => format!(
                "it would take about {}, and {left} were left for it",
                spoken(whole)
            ),
            None => "it did not end in the time that was left".to_owned(),
        }
    }

    fn share(&self, right: &[bool]) -> f64 {
        let answers = Answers {
            right: &[right.to_vec()],
            weights: self.weights,
        };
        answers.share(0, 0..right.len())
    }

    /// Keeps a judged candidate; logits only of the best of each kind, which alone can be chosen.
    fn keep(&self, judged: Judged, candidates: &[Candidate], found: &mut Found) {
        let cost = candidates[judged.candidate].cost;
        let own = self.share(&judged.right);
        let mut judged = judged;
        for other in &mut found.judged {
            if candidates[other.candidate].cost != cost || other.logits.is_empty() {
                continue;
            }
            if own > self.share(&other.right) {
                other.logits = Vec::new();
            } else {
                judged.logits = Vec::new();
            }
        }
        found.judged.push(judged);
    }
}
