//! The batches of an epoch: which images, in which order, of which tasks.
//!
//! Everything is a function of the tasks' images, the options, the seed and the epoch, so a run
//! that goes on needs no stored generator: its state is the epoch and the step.

use serde::{Deserialize, Serialize};
use vlpt_data::CPython;

use vlpt_base::hash::derive_seed;

/// How the images of several tasks are mixed. With one task, all of them give the same batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mix {
    /// All images once an epoch, shuffled together: a task counts by its number of images.
    #[default]
    Proportional,
    /// As many images an epoch, of every task the same number.
    Uniform,
    /// As many images an epoch; of a task with `n` images a share in proportion to
    /// `n^(1 / temperature)`: 1 is proportional, a large temperature nearly uniform.
    Temperature,
    /// All images once an epoch; a batch has images of one task, and the tasks' batches are
    /// shuffled.
    OneTaskPerBatch,
}

/// Everything the batches of a run depend on beside seed and epoch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sampler {
    /// The images of each task; those of all tasks together are what is trained on.
    pub(crate) tasks: Vec<Vec<usize>>,
    /// How they are mixed.
    pub(crate) mix: Mix,
    /// Of [`Mix::Temperature`]; above 0.
    pub(crate) temperature: f64,
    /// Images in a batch.
    pub(crate) size: usize,
    /// Whether the last, incomplete batch is left out when there is a whole one.
    pub(crate) drop_last: bool,
    /// The images of every epoch in one order, the same each time; none: shuffled. Only where images
    /// are mixed in proportion.
    pub(crate) order: Option<Vec<usize>>,
}

/// Images of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The images; one may be there twice where tasks are drawn more often than they have images.
    pub(crate) images: Vec<usize>,
    /// The one task they belong to, where the mix keeps tasks apart.
    pub(crate) task: Option<usize>,
}

impl Sampler {
    /// Number of steps of an epoch, the same for every epoch.
    pub(crate) fn steps(&self) -> usize {
        let steps = |n| steps(n, self.size, self.drop_last);
        match self.mix {
            Mix::OneTaskPerBatch => self.tasks.iter().map(|own| steps(own.len())).sum(),
            _ => steps(self.images()),
        }
    }

    /// The batches of an epoch.
    pub(crate) fn epoch(&self, seed: u64, epoch: usize) -> Vec<Batch> {
        if self.mix == Mix::OneTaskPerBatch {
            return self.apart(seed, epoch);
        }
        let images = if let Some(order) = &self.order {
            order.clone()
        } else if self.tasks.len() == 1 || self.mix == Mix::Proportional {
            let all: Vec<usize> = self.tasks.concat();
            let order = epoch_order(all.len(), seed, epoch);
            order.into_iter().map(|at| all[at]).collect()
        } else {
            self.drawn(seed, epoch)
        };
        let batches = images.chunks(self.size).take(self.steps());
        batches
            .map(|images| Batch {
                images: images.to_vec(),
                task: None,
            })
            .collect()
    }

    fn images(&self) -> usize {
        self.tasks.iter().map(Vec::len).sum()
    }

    /// Each task's quota of images, those of all tasks shuffled together.
    fn drawn(&self, seed: u64, epoch: usize) -> Vec<usize> {
        let mut images = Vec::with_capacity(self.images());
        for (task, (own, quota)) in self.tasks.iter().zip(self.quotas()).enumerate() {
            images.extend(self.stream(task, own, seed, epoch).take(quota));
        }
        generator("vlpt order of drawn images", seed, &[epoch]).shuffle(&mut images);
        images
    }

    /// A task's images in an order of their own, again and again.
    fn stream<'a>(
        &self,
        task: usize,
        own: &'a [usize],
        seed: u64,
        epoch: usize,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let rounds = if own.is_empty() { 0 } else { usize::MAX };
        (0..rounds).flat_map(move |round| {
            let mut order = own.to_vec();
            generator("vlpt order of a task", seed, &[epoch, task, round]).shuffle(&mut order);
            order
        })
    }

    /// How many images of each task an epoch has: in proportion to the weights, rounded by the
    /// largest remainder (the first of equal ones), together as many as there are images.
    fn quotas(&self) -> Vec<usize> {
        let power = |n: f64| n.powf(1.0 / self.temperature);
        // Relative to the largest task where powers of numbers of images are too large for an f64.
        let largest = self.tasks.iter().map(Vec::len).max().unwrap_or(0) as f64;
        let unit = if power(largest) < 1e300 { 1.0 } else { largest };
        let weight = |n: usize| match (n, self.mix) {
            (0, _) => 0.0,
            (_, Mix::Uniform) => 1.0,
            (n, Mix::Temperature) => power(n as f64 / unit),
            (n, _) => n as f64,
        };
        let weights: Vec<f64> = self.tasks.iter().map(|own| weight(own.len())).collect();
        let (total, sum) = (self.images(), weights.iter().sum::<f64>());
        let exact: Vec<f64> = weights.iter().map(|w| total as f64 * w / sum).collect();
        let mut quotas: Vec<usize> = exact.iter().map(|share| *share as usize).collect();
        let mut rest: Vec<usize> = (0..quotas.len()).filter(|&i| weights[i] > 0.0).collect();
        rest.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
        let missing = total.saturating_sub(quotas.iter().sum());
        for &task in rest.iter().cycle().take(missing) {
            quotas[task] += 1;
        }
        quotas
    }

    /// Sampler of one task each, shuffled.
    fn apart(&self, seed: u64, epoch: usize) -> Vec<Batch> {
        let mut batches = Vec::new();
        for (task, own) in self.tasks.iter().enumerate() {
            // One task alone has the batches that it has under every other mix.
            let images: Vec<usize> = if self.tasks.len() == 1 {
                let order = epoch_order(own.len(), seed, epoch);
                order.into_iter().map(|at| own[at]).collect()
            } else {
                let stream = self.stream(task, own, seed, epoch);
                stream.take(own.len()).collect()
            };
            let whole = steps(own.len(), self.size, self.drop_last);
            batches.extend(images.chunks(self.size).take(whole).map(|images| Batch {
                images: images.to_vec(),
                task: Some(task),
            }));
        }
        if self.tasks.len() > 1 {
            generator("vlpt order of batches", seed, &[epoch]).shuffle(&mut batches);
        }
        batches
    }
}

/// A random order of `n` images: CPython's `shuffle`, seeded by SHA-256 over run seed and epoch.
pub(crate) fn epoch_order(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    generator("vlpt order of images", seed, &[epoch]).shuffle(&mut order);
    order
}

fn generator(purpose: &str, seed: u64, numbers: &[usize]) -> CPython {
    let mut parts = vec![seed.to_le_bytes()];
    parts.extend(numbers.iter().map(|&number| (number as u64).to_le_bytes()));
    let parts: Vec<&[u8]> = parts.iter().map(<[u8; 8]>::as_slice).collect();
    CPython::new(derive_seed(purpose, &parts))
}

/// Number of steps of an epoch: as Dassl's loader, the last, incomplete batch is left out when
/// there is a whole one.
fn steps(n: usize, batch: usize, drop_last: bool) -> usize {
    if drop_last && n >= batch {
        n / batch
    } else {
        n.div_ceil(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tasks of so many images each, numbered one after the other.
    fn batches(tasks: &[usize], mix: Mix) -> Sampler {
        let mut first = 0;
        let own = tasks.iter().map(|n| {
            first += n;
            (first - n..first).collect()
        });
        Sampler {
            tasks: own.collect(),
            mix,
            temperature: 2.0,
            size: 10,
            drop_last: false,
            order: None,
        }
    }

    fn images(batches: &[Batch]) -> Vec<usize> {
        batches.iter().flat_map(|b| b.images.clone()).collect()
    }

    /// How many images of each task an epoch has.
    fn counts(of: &Sampler) -> Vec<usize> {
        let images = images(&of.epoch(7, 2));
        let count = |own: &Vec<usize>| images.iter().filter(|image| own.contains(image)).count();
        of.tasks.iter().map(count).collect()
    }

    #[test]
    fn every_epoch_has_every_image_once_in_its_own_order() {
        for mix in [Mix::Proportional, Mix::OneTaskPerBatch] {
            let of = batches(&[30, 15, 5], mix);
            let mut sorted = images(&of.epoch(0, 3));
            sorted.sort_unstable();
            assert_eq!(sorted, (0..50).collect::<Vec<_>>());
            assert_eq!(of.epoch(0, 3), of.epoch(0, 3));
            assert_ne!(of.epoch(0, 3), of.epoch(0, 4));
            assert_ne!(of.epoch(0, 3), of.epoch(1, 3));
        }
    }

    #[test]
    fn one_task_has_the_same_images_in_the_same_order_under_every_mix() {
        let of = |mix| images(&batches(&[47], mix).epoch(5, 1));
        let expected: Vec<usize> = epoch_order(47, 5, 1);
        for mix in [
            Mix::Proportional,
            Mix::Uniform,
            Mix::Temperature,
            Mix::OneTaskPerBatch,
        ] {
            assert_eq!(of(mix), expected);
        }
    }

    #[test]
    fn a_fixed_order_is_that_of_every_epoch() {
        let order: Vec<usize> = (0..25).rev().collect();
        let of = Sampler {
            order: Some(order.clone()),
            ..batches(&[15, 10], Mix::Proportional)
        };
        for epoch in 0..2 {
            assert_eq!(images(&of.epoch(epoch as u64, epoch)), order);
        }
        let sizes: Vec<usize> = of.epoch(0, 0).iter().map(|b| b.images.len()).collect();
        assert_eq!(sizes, [10, 10, 5]);
    }

    #[test]
    fn an_incomplete_batch_is_left_out_only_beside_a_whole_one() {
        assert_eq!(steps(70, 32, true), 2);
        assert_eq!(steps(70, 32, false), 3);
        assert_eq!(steps(20, 32, true), 1);
        assert_eq!(steps(64, 32, true), 2);
        for mix in [Mix::Proportional, Mix::Uniform, Mix::OneTaskPerBatch] {
            let of = Sampler {
                drop_last: true,
                ..batches(&[25, 9], mix)
            };
            assert_eq!(of.epoch(0, 0).len(), of.steps(), "{mix:?}");
        }
    }

    #[test]
    fn a_mix_gives_each_task_its_share() {
        assert_eq!(
            counts(&batches(&[80, 15, 5], Mix::Proportional)),
            [80, 15, 5]
        );
        assert_eq!(counts(&batches(&[80, 14, 6], Mix::Uniform)), [34, 33, 33]);
        // Square roots of 64, 16 and 4 are as 8 : 4 : 2, of 84 images.
        assert_eq!(
            counts(&batches(&[64, 16, 4], Mix::Temperature)),
            [48, 24, 12]
        );
        let close_to = |temperature: f64| {
            counts(&Sampler {
                temperature,
                ..batches(&[80, 14, 6], Mix::Temperature)
            })
        };
        assert_eq!(close_to(1.0), [80, 14, 6]);
        assert_eq!(close_to(1e9), [34, 33, 33]);
        // 80 to the power of 1,000 is no f64
        assert_eq!(close_to(0.001), [100, 0, 0]);
        assert_eq!(counts(&batches(&[20, 0, 10], Mix::Uniform)), [15, 0, 15]);
    }

    #[test]
    fn a_small_task_repeats_only_after_all_its_images() {
        let of = batches(&[90, 10], Mix::Uniform);
        let images = images(&of.epoch(1, 0));
        for own in 90..100 {
            assert_eq!(images.iter().filter(|&&image| image == own).count(), 5);
        }
    }

    #[test]
    fn a_batch_has_one_task_where_tasks_are_kept_apart() {
        let of = batches(&[30, 15, 5], Mix::OneTaskPerBatch);
        let epoch = of.epoch(0, 0);
        assert_eq!(epoch.len(), 3 + 2 + 1);
        for batch in &epoch {
            let own = &of.tasks[batch.task.unwrap()];
            assert!(batch.images.iter().all(|image| own.contains(image)));
        }
        let tasks: Vec<_> = (0..60)
            .map(|epoch| of.epoch(0, epoch)[0].task.unwrap())
            .collect();
        assert!((0..3).all(|task| tasks.contains(&task)), "{tasks:?}");
    }
}
