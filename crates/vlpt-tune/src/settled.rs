//! Held-out logits on the scale of the classifier of all photos.

use crate::search::Judged;
use crate::trial::{Allowance, Trial};
use crate::work::Work;
use crate::{Result, TuneError};

impl Work<'_> {
    /// Logits of the held-out photos (photos x classes) to fit a temperature to.
    ///
    /// A method that chooses a number on images held out, such as a penalty or the weight beside zero-shot
    /// logits, may choose another in each fold than for all photos, and with it logits tens of times as large:
    /// together they have no temperature that is right for the classifier of all photos. So each fold is
    /// fitted once more, by what is chosen for all photos. Where nothing was chosen, and for methods trained
    /// in steps, they are the logits that the candidate was judged by.
    ///
    /// # Errors
    /// What ends a fit.
    pub(crate) fn on_one_scale(&self, judged: &Judged) -> Result<Vec<f32>> {
        let (photos, observer) = (self.photos, self.observer);
        let mut config = self.all[judged.candidate].config.clone();
        match photos.settled(&config, observer)? {
            Some(settled) => config.method = settled,
            None => return Ok(judged.logits.clone()),
        }
        let classes = photos.classes();
        let mut logits = judged.logits.clone();
        for fold in 0..self.folds.count {
            let (fit, out) = self.folds.parts(fold);
            let allowed = Allowance::unlimited();
            let trial = photos.trial(&config, (&fit, &out), allowed, self.scratch, observer)?;
            let Trial::Done(own, _) = trial else {
                return Err(TuneError::Stopped);
            };
            for (row, photo) in own.chunks_exact(classes).zip(&out) {
                if let Ok(at) = self.held.binary_search(photo) {
                    logits[at * classes..(at + 1) * classes].copy_from_slice(row);
                }
            }
        }
        Ok(logits)
    }
}
