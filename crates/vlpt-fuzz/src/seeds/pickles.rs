//! Files of `torch.save`.

use crate::parts::zipped;

/// The pickled magic number and version that a file of PyTorch before 1.6 begins with.
const HEAD: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
/// The pickled dict about the machine.
const LITTLE: &[u8] = b"\x80\x02}X\x0d\0\0\0little_endian\x88s.";
/// The pickled list of one storage.
const NAMES: &[u8] = b"\x80\x02]X\x01\0\0\x000a.";

/// A tensor of two numbers in a state dict, an epoch, and an optimiser that is passed over; `none`
/// is the sixth value of a storage's id in the older format, `count` the length of the storage.
fn content(none: &[u8], count: u8) -> Vec<u8> {
    [
        &b"\x80\x02}(X\x0a\0\0\0state_dict}X\x03\0\0\0ctxctorch._utils\n_rebuild_tensor_v2\n("[..],
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK",
        &[count],
        none,
        b"tQK\0K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRs",
        b"X\x05\0\0\0epochK\x32X\x09\0\0\0optimizerctorch.optim.sgd\nSGD\n)\x81}X\x05\0\0\0stateccollections\ndefaultdict\nc__builtin__\ndict\n\x85Rsb",
        b"X\x0a\0\0\0val_resultG\x40\x54\x60\0\0\0\0\0u.",
    ]
    .concat()
}

/// A script module with one tensor.
const MODULE: &[u8] = b"\x80\x02c__torch__\nClip\n)\x81}(X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nHalfStorage\nX\x01\0\0\x001X\x03\0\0\0cpuK\x20tQK\x01K\x03\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRub.";

/// A call, as attackers write it: refused.
const CALL: &[u8] = b"\x80\x02cposix\nsystem\n(X\x04\0\0\0truetR.";

pub(crate) fn pickles() -> Vec<Vec<u8>> {
    vec![content(b"", 16), MODULE.to_vec(), CALL.to_vec()]
}

pub(crate) fn checkpoints() -> Vec<Vec<u8>> {
    let numbers = [2u64.to_le_bytes(), [0; 8]].concat();
    let legacy = [HEAD, LITTLE, &content(b"N", 2), NAMES, &numbers].concat();
    pickles()
        .iter()
        .map(|pickle| zipped(pickle))
        .chain([legacy])
        .collect()
}
