//! The rule of ELEVATER: a shuffled scan of the train split, then an 80 to 20 split of what it took.
//!
//! It holds for images with one label, with several, and with none. The shuffle and the conditions
//! are those of Microsoft's vision-datasets library, whose samplers the ELEVATER toolkit calls; the
//! 80 to 20 split of one task is the toolkit's own.

use crate::rng::CPython;

/// Share of the sampled images that validation gets, as the toolkit has it.
const VAL_SHARE: f64 = 0.2;

/// The indices that the scan takes, in shuffled order.
///
/// `labels` are the labels of every image, each below `classes`. The list is shuffled by
/// `random.Random(seed)`; then each image in turn
/// - without a label is taken while fewer than `shots` such images were;
/// - is passed over when every one of its classes has `shots` images already;
/// - is taken when one of its classes has at most `shots / 2`, or none has more than `1.5 * shots`;
///
/// and the scan ends when all classes have `shots`. With one label an image that is the first
/// `shots` of every class in shuffled order.
///
/// # Panics
/// When a label is not below `classes`.
pub fn elevater_indices<L: AsRef<[u32]>>(
    labels: &[L],
    classes: usize,
    shots: usize,
    seed: u64,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    CPython::new(seed).shuffle(&mut order);
    let mut taken = Vec::new();
    let mut counts = vec![0usize; classes];
    // classes that lack images: the scan ends with the last of them
    let mut lacking = classes;
    let mut negatives = 0;
    for index in order {
        let own = labels[index].as_ref();
        let Some((least, most)) = least_and_most(own, &counts) else {
            if negatives < shots {
                negatives += 1;
                taken.push(index);
            }
            continue;
        };
        if least >= shots {
            continue;
        }
        if 2 * least <= shots || 2 * most <= 3 * shots {
            taken.push(index);
            for &label in own {
                counts[label as usize] += 1;
                if counts[label as usize] == shots {
                    lacking -= 1;
                }
            }
        }
        if lacking == 0 {
            break;
        }
    }
    taken
}

/// The smallest and the largest count over some labels; `None` without labels.
fn least_and_most(labels: &[u32], counts: &[usize]) -> Option<(usize, usize)> {
    let of = |&label: &u32| counts[label as usize];
    Some((labels.iter().map(of).min()?, labels.iter().map(of).max()?))
}

/// Places in a list, for training and for validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Places of the training images.
    pub train: Vec<usize>,
    /// Places of the validation images.
    pub val: Vec<usize>,
}

/// The toolkit's split of one single-label task: of each class the first `ceil(0.2 n)` images are
/// for validation. Both parts keep the order of the list.
pub fn split_single(labels: &[u32]) -> Parts {
    let classes = labels.iter().max().map_or(0, |&label| label as usize + 1);
    let mut wanted = vec![0usize; classes];
    for &label in labels {
        wanted[label as usize] += 1;
    }
    for count in &mut wanted {
        *count = val_share(*count);
    }
    let mut parts = Parts {
        train: Vec::new(),
        val: Vec::new(),
    };
    for (place, &label) in labels.iter().enumerate() {
        if wanted[label as usize] > 0 {
            wanted[label as usize] -= 1;
            parts.val.push(place);
        } else {
            parts.train.push(place);
        }
    }
    parts
}

/// The toolkit's split of one multi-label task: as long as a class lacks validation images
/// (`ceil(0.2 n)` of its n), the first image of the first such class goes there. Training keeps the
/// order of the list, validation the order of the choice.
pub fn split_multi<L: AsRef<[u32]>>(labels: &[L], classes: usize) -> Parts {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (place, own) in labels.iter().enumerate() {
        for &label in own.as_ref() {
            if members[label as usize].last() != Some(&place) {
                members[label as usize].push(place);
            }
        }
    }
    let mut lacking: Vec<isize> = members
        .iter()
        .map(|places| val_share(places.len()) as isize)
        .collect();
    let mut gone = vec![false; labels.len()];
    let mut val = Vec::new();
    for class in 0..classes {
        let mut places = members[class].iter();
        while lacking[class] > 0 {
            let Some(&place) = places.by_ref().find(|&&place| !gone[place]) else {
                break;
            };
            gone[place] = true;
            val.push(place);
            let mut own = labels[place].as_ref().to_vec();
            own.sort_unstable();
            own.dedup();
            for label in own {
                lacking[label as usize] -= 1;
            }
        }
    }
    let train = (0..labels.len()).filter(|&place| !gone[place]).collect();
    Parts { train, val }
}

/// `ceil(0.2 n)` in floating point, as published.
fn val_share(count: usize) -> usize {
    (count as f64 * VAL_SHARE).ceil() as usize
}

/// vision-datasets' split, which the toolkit uses where several tasks are learned together: the list
/// is shuffled by `random.Random(seed)`; then an image goes to validation when the rarest of its
/// classes has fewer images there than `r` times those in training, `r = (1 - ratio) / ratio` (on a
/// tie the sums over its classes decide), else to training. Places are in shuffled order; a list so
/// short that one side would be empty is not shuffled.
///
/// # Panics
/// When a label is not below `classes`.
pub fn train_val_split<L: AsRef<[u32]>>(
    labels: &[L],
    classes: usize,
    ratio: f64,
    seed: u64,
) -> Parts {
    let all: Vec<usize> = (0..labels.len()).collect();
    let whole = (labels.len() as f64 * ratio) as usize;
    if whole == 0 {
        return Parts {
            train: Vec::new(),
            val: all,
        };
    }
    if whole == labels.len() {
        return Parts {
            train: all,
            val: Vec::new(),
        };
    }
    let mut order = all;
    CPython::new(seed).shuffle(&mut order);
    let r = (1.0 - ratio) / ratio;
    let mut parts = Parts {
        train: Vec::new(),
        val: Vec::new(),
    };
    let (mut train_counts, mut val_counts) = (vec![0usize; classes], vec![0usize; classes]);
    let (mut train_negatives, mut val_negatives) = (0usize, 0usize);
    for place in order {
        let own = labels[place].as_ref();
        let Some((train_least, _)) = least_and_most(own, &train_counts) else {
            if train_negatives == 0 || val_negatives as f64 / train_negatives as f64 >= r {
                train_negatives += 1;
                parts.train.push(place);
            } else {
                val_negatives += 1;
                parts.val.push(place);
            }
            continue;
        };
        let sum = |counts: &[usize]| own.iter().map(|&l| counts[l as usize]).sum::<usize>() as f64;
        let val_least = least_and_most(own, &val_counts).map_or(0, |(least, _)| least) as f64;
        let train_least = train_least as f64 * r;
        let to_val = val_least < train_least
            || (val_least == train_least && sum(&val_counts) < sum(&train_counts) * r);
        let (side, counts) = if to_val {
            (&mut parts.val, &mut val_counts)
        } else {
            (&mut parts.train, &mut train_counts)
        };
        side.push(place);
        for &label in own {
            counts[label as usize] += 1;
        }
    }
    parts
}
