//! Photos that may be labelled wrong.

/// A photo whose held-out probabilities speak for another class than its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// The photo, by its place among those judged.
    pub photo: usize,
    /// The class that it seems to show.
    pub seems: usize,
    /// Probability of its own class.
    pub own: f64,
}

/// Photos that confident learning finds (C. Northcutt, L. Jiang and I. Chuang, "Confident learning:
/// estimating uncertainty in dataset labels", Journal of Artificial Intelligence Research 70, 2021), by
/// the probability of their own class, the smallest first.
///
/// A class's threshold is the mean probability of the class among the photos labelled with it. A photo
/// counts for the most probable of the classes whose threshold it reaches; where that is not its own,
/// and its own is not the most probable of all, its label is in doubt. `probabilities` (photos x classes)
/// must be of photos that were held out.
pub fn suspects(probabilities: &[f32], classes: usize, labels: &[usize]) -> Vec<Suspect> {
    let rows = || probabilities.chunks_exact(classes).zip(labels);
    let mut sums = vec![(0.0, 0_usize); classes];
    for (row, &label) in rows() {
        sums[label].0 += f64::from(row[label]);
        sums[label].1 += 1;
    }
    // A class without photos can be reached by none.
    let threshold = |(sum, count): &(f64, usize)| match count {
        0 => f64::INFINITY,
        _ => sum / *count as f64,
    };
    let thresholds: Vec<f64> = sums.iter().map(threshold).collect();
    let mut found: Vec<Suspect> = rows()
        .enumerate()
        .filter_map(|(photo, (row, &label))| {
            let reached = |&class: &usize| f64::from(row[class]) >= thresholds[class] - SLACK;
            let largest = |all: &mut dyn Iterator<Item = usize>| {
                all.reduce(|best, class| if row[class] > row[best] { class } else { best })
            };
            let seems = largest(&mut (0..classes).filter(reached))?;
            let probable = largest(&mut (0..classes))?;
            (seems != label && probable != label).then_some(Suspect {
                photo,
                seems,
                own: f64::from(row[label]),
            })
        })
        .collect();
    found.sort_by(|a, b| a.own.total_cmp(&b.own).then(a.photo.cmp(&b.photo)));
    found
}

/// A probability as near as this to a threshold reaches it.
const SLACK: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_of_another_class_is_found_and_an_unsure_one_is_not() {
        let probabilities = [
            0.9, 0.1, //
            0.8, 0.2, //
            0.05, 0.95, // labelled 0
            0.1, 0.9, //
            0.2, 0.8, //
            0.55, 0.45, // labelled 1, but no one is sure
        ];
        let found = suspects(&probabilities, 2, &[0, 0, 0, 1, 1, 1]);
        let photos: Vec<usize> = found.iter().map(|s| s.photo).collect();
        assert_eq!(photos, [2]);
        assert_eq!(found[0].seems, 1);
    }
}
