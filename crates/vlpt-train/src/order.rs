//! The order of the images in an epoch.

use vlpt_data::CPython;

use crate::files::derive_seed;

/// A random order of `n` images: CPython's `shuffle`, seeded by SHA-256 over run seed and epoch.
///
/// Every epoch has its own stream, so a run that goes on needs no stored generator: its state is
/// the epoch and the step.
pub(crate) fn epoch_order(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let parts: [&[u8]; 2] = [&seed.to_le_bytes(), &(epoch as u64).to_le_bytes()];
    CPython::new(derive_seed("vlpt order of images", &parts)).shuffle(&mut order);
    order
}

/// Number of steps of an epoch: as Dassl's loader, the last, incomplete batch is left out when
/// there is a whole one.
pub(crate) fn steps(n: usize, batch: usize, drop_last: bool) -> usize {
    if drop_last && n >= batch {
        n / batch
    } else {
        n.div_ceil(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_has_every_image_once_in_its_own_order() {
        let order = epoch_order(50, 0, 3);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order, epoch_order(50, 0, 3));
        assert_ne!(order, epoch_order(50, 0, 4));
        assert_ne!(order, epoch_order(50, 1, 3));
    }

    #[test]
    fn an_incomplete_batch_is_left_out_only_beside_a_whole_one() {
        assert_eq!(steps(70, 32, true), 2);
        assert_eq!(steps(70, 32, false), 3);
        assert_eq!(steps(20, 32, true), 1);
        assert_eq!(steps(64, 32, true), 2);
    }
}
