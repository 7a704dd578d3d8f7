//! Images in the order of one class's score: what curves over a threshold are drawn from.

use super::Scored;

/// The images by falling score of one class, with equal scores marked as one step.
pub(super) struct Ranking {
    /// Image, whether it shows the class, whether it is the last of its equal scores.
    steps: Vec<(u32, bool, bool)>,
}

/// Images at or above a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    /// That show the class.
    pub(super) positives: u64,
    /// That do not.
    pub(super) negatives: u64,
}

impl Ranking {
    pub(super) fn new(scored: &Scored, class: usize) -> Self {
        let score = |image: u32| scored.row(image as usize)[class];
        let mut order: Vec<u32> = (0..scored.images() as u32).collect();
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
        let steps = order.iter().enumerate().map(|(at, &image)| {
            let shows = scored.labels(image as usize).contains(&(class as u32));
            // `!=` and not bits: -0.0 and 0.0 are one threshold.
            let last = order
                .get(at + 1)
                .is_none_or(|&next| score(next) != score(image));
            (image, shows, last)
        });
        Self {
            steps: steps.collect(),
        }
    }

    /// The counts at each distinct score, from the largest score down, when image `i` is present
    /// `times[i]` times. A score that only absent images have repeats the counts before it.
    pub(super) fn counts<'a>(&'a self, times: &'a [u32]) -> impl Iterator<Item = Counts> + 'a {
        let mut counts = Counts {
            positives: 0,
            negatives: 0,
        };
        self.steps.iter().filter_map(move |&(image, shows, last)| {
            let n = u64::from(times[image as usize]);
            if shows {
                counts.positives += n;
            } else {
                counts.negatives += n;
            }
            (last && counts.positives + counts.negatives > 0).then_some(counts)
        })
    }

    /// The counts of all images.
    pub(super) fn total(&self, times: &[u32]) -> Counts {
        self.counts(times).last().unwrap_or(Counts {
            positives: 0,
            negatives: 0,
        })
    }
}
