//! The pickles of PyTorch's files, read without running anything.
//!
//! The machine ([`vlpt_base::pickle`]) knows the instructions that PyTorch writes for tensors, and
//! treats the few functions and classes they name ([`known`]) as inert marks. Training programs save
//! optimisers and schedules beside the tensors; the classes and functions of a short list that these
//! need stand for values that are dropped unseen. Everything else is refused, by its name and
//! position.

mod known;
mod value;

pub(super) use value::{Extra, Global, Node, Pickle, RawTensor, Value};
pub(super) use vlpt_base::pickle::{MAX_PICKLE, Refused};

use known::Torch;

/// Reads the pickle that begins at byte `start`; [`Pickle::end`] says where it ends. Positions
/// are counted from the first byte.
pub(super) fn read(bytes: &[u8], start: usize) -> Result<Pickle, Refused> {
    let mut torch = Torch::default();
    let read = vlpt_base::pickle::read(bytes, start, &mut torch)?;
    Ok(Pickle {
        nodes: read.nodes,
        tensors: torch.tensors,
        storages: torch.storages,
        root: read.root,
        end: read.end,
    })
}

#[cfg(test)]
mod attacks;
