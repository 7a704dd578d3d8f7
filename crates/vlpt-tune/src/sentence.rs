//! What was chosen and why, in a sentence.

use vlpt_report::percent;

use crate::bbc::Answers;
use crate::choice::{Gain, gain};

/// Candidates with what they were judged to be.
pub(crate) struct Reasons<'a> {
    /// Their answers; the first is the one that learns nothing.
    pub(crate) answers: Answers<'a>,
    /// Their names.
    pub(crate) names: &'a [&'a str],
    /// The one that was chosen.
    pub(crate) chosen: usize,
}

impl Reasons<'_> {
    fn all(&self) -> Vec<usize> {
        (0..self.answers.photos()).collect()
    }

    fn share(&self, candidate: usize) -> f64 {
        self.answers.share(candidate, 0..self.answers.photos())
    }

    /// The best but for the chosen one.
    fn second(&self) -> Option<usize> {
        let others = (0..self.names.len()).filter(|&other| other != self.chosen);
        others.reduce(|best, next| {
            if self.share(next) > self.share(best) {
                next
            } else {
                best
            }
        })
    }

    /// By how much the best that learned something is better than what did not.
    pub(crate) fn gain_of_learning(&self) -> Option<Gain> {
        let learned = 1..self.names.len();
        let best = learned.reduce(|best, next| {
            if self.share(next) > self.share(best) {
                next
            } else {
                best
            }
        })?;
        Some(gain(&self.answers, best, 0, &self.all()))
    }

    /// The sentence.
    pub(crate) fn say(&self) -> String {
        let name = self.names[self.chosen];
        let share = percent(self.share(self.chosen));
        if self.chosen == 0 {
            return match self.gain_of_learning().zip(self.second()) {
                Some((lead, second)) => format!(
                    "Class names alone are as good as anything that was tried: right on {share} of the photos; {} comes to {}, \
                     and a difference of {} is not more than chance makes.",
                    self.names[second],
                    percent(self.share(second)),
                    points(lead)
                ),
                None => format!(
                    "Class names alone are right on {share} of the photos; nothing else was tried to its end."
                ),
            };
        }
        let lead = gain(&self.answers, self.chosen, 0, &self.all());
        let mut sentence = format!(
            "{name} was right on {share} of the photos that it had not seen, {} more than class names alone",
            points(lead)
        );
        if let Some(second) = self.second().filter(|&second| second != 0) {
            let other = gain(&self.answers, second, self.chosen, &self.all());
            sentence += &if other.value > 0.0 {
                format!(
                    "; {} is dearer and not clearly better ({} more)",
                    self.names[second],
                    points(other)
                )
            } else {
                format!(
                    "; the next is {} with {}",
                    self.names[second],
                    percent(self.share(second))
                )
            };
        }
        sentence + "."
    }
}

/// A difference with its standard error.
fn points(gain: Gain) -> String {
    format!(
        "{:.1} \u{b1} {:.1} points",
        100.0 * gain.value,
        100.0 * gain.error
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(rights: &[usize], chosen: usize) -> String {
        let right: Vec<Vec<bool>> = rights
            .iter()
            .map(|&right| (0..50).map(|photo| photo < right).collect())
            .collect();
        Reasons {
            answers: Answers {
                right: &right,
                weights: &[1.0; 50],
            },
            names: &["names", "one", "two"][..rights.len()],
            chosen,
        }
        .say()
    }

    #[test]
    fn the_sentence_says_what_is_next_and_when_names_are_enough() {
        assert!(say(&[40, 41, 38], 0).starts_with("Class names alone are as good"));
        let said = say(&[20, 45, 40], 1);
        assert!(
            said.contains("50.0 \u{b1}") && said.contains("the next is two with 80.0 %"),
            "{said}"
        );
        assert!(say(&[20, 44, 45], 1).contains("two is dearer and not clearly better (2.0"));
        assert!(say(&[20], 0).contains("nothing else was tried"));
    }
}
