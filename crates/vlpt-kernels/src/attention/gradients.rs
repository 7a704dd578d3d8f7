//! Where the gradients of attention go.

use super::AttentionPlan;
use super::rows::Rows;
use crate::output::Output;
use crate::threads::for_tasks;

/// Where tasks write their gradients.
pub(super) struct Gradients<'a> {
    pub(super) dq: Rows<'a>,
    pub(super) dkv: Rows<'a>,
    /// Parts of the gradients of keys that several blocks see: slots x (2 width).
    pub(super) parts: Output<'a>,
}

/// Sums the parts of the keys that several blocks see (slots x `row`), block by block, into `dkv` and
/// onto `d_common`; a key that nobody sees has a gradient of zeros.
pub(super) fn add_parts(
    plan: &AttentionPlan,
    row: usize,
    parts: &[f32],
    dkv: &Rows,
    d_common: &mut [f32],
) {
    let d_common = (!d_common.is_empty()).then(|| Output::new(d_common, row));
    let shared = plan.shared();
    for_tasks(shared.len(), |i| {
        let key = &shared[i];
        let (first, others) = parts[key.slots.start * row..key.slots.end * row].split_at(row);
        let mut sum = first.to_vec();
        for part in others.chunks_exact(row) {
            crate::add(&mut sum, part);
        }
        match (key.key.checked_sub(plan.common()), &d_common) {
            // SAFETY: every key is in the list once.
            (Some(own), _) => unsafe { dkv.put(own, 0, &sum) },
            // SAFETY: as above.
            (None, Some(to)) => crate::add(unsafe { to.part(key.key, 0, row) }, &sum),
            (None, None) => unreachable!("constant keys have no parts"),
        }
    });
    if plan.unseen().is_empty() {
        return;
    }
    let zero = vec![0.0; row];
    for &key in plan.unseen() {
        // SAFETY: no block has such a key, and nothing else runs.
        unsafe { dkv.put(key as usize, 0, &zero) };
    }
}
