//! Checkpoints of training programs: what is read of them, and what a hostile one gets.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use vlpt_clip::{Checkpoint, CheckpointTensor};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The pickled magic number and version that a file of PyTorch before 1.6 begins with.
const HEAD: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
/// The pickled dict about the machine.
const LITTLE: &[u8] = b"\x80\x02}X\x0d\0\0\0little_endian\x88s.";
/// The pickled list of one storage.
const NAMES: &[u8] = b"\x80\x02]X\x01\0\0\x000a.";

/// A pickle of `{"state_dict": {"ctx": tensor}, "epoch": 50, "optimizer": {...}, "val_result": 81.5}`
/// with a tensor of two f32 numbers; `extra` stands at the optimiser's place.
fn content(extra: &[u8]) -> Vec<u8> {
    [
        &b"\x80\x02}(X\x0a\0\0\0state_dict}X\x03\0\0\0ctxctorch._utils\n_rebuild_tensor_v2\n("[..],
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x02NtQ",
        b"K\0K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRs",
        b"X\x05\0\0\0epochK\x32X\x09\0\0\0optimizer",
        extra,
        b"X\x0a\0\0\0val_resultG\x40\x54\x60\0\0\0\0\0u.",
    ]
    .concat()
}

/// The size and the values of the storage.
fn storage() -> Vec<u8> {
    [
        &2u64.to_le_bytes()[..],
        &1.5f32.to_le_bytes(),
        &(-2.0f32).to_le_bytes(),
    ]
    .concat()
}

fn legacy(extra: &[u8]) -> Vec<u8> {
    [HEAD, LITTLE, &content(extra), NAMES, &storage()].concat()
}

fn zipped(extra: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    // the newer format has no sixth value in a storage's id
    let mut pickle = content(extra);
    let sixth = pickle.windows(3).position(|three| three == b"NtQ").unwrap();
    pickle.remove(sixth);
    for (name, bytes) in [("a/data.pkl", &pickle[..]), ("a/data/0", &storage()[8..])] {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn open(bytes: &[u8]) -> Result<Checkpoint, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pth.tar-50");
    fs_err::write(&path, bytes).unwrap();
    let place = format!("{}/", folder.path().display());
    Checkpoint::open(&path).map_err(|error| error.to_string().replace(&place, ""))
}

fn refused(bytes: &[u8]) -> String {
    open(bytes).err().expect("it is refused")
}

#[test]
fn both_file_formats_give_tensors_epoch_result_and_what_lies_beside() {
    for bytes in [legacy(b"}"), zipped(b"}")] {
        let checkpoint = open(&bytes).unwrap();
        let ctx = CheckpointTensor {
            name: "ctx".to_owned(),
            shape: vec![2],
            dtype: "f32",
            float: true,
        };
        assert_eq!(checkpoint.tensors(), [ctx]);
        assert_eq!(checkpoint.epoch, Some(50));
        assert_eq!(checkpoint.val_result, Some(81.5));
        assert_eq!(checkpoint.beside, ["epoch", "optimizer", "val_result"]);
    }
}

#[test]
fn an_optimiser_object_is_passed_over() {
    let sgd = b"ctorch.optim.sgd\nSGD\n)\x81}X\x05\0\0\0stateccollections\ndefaultdict\nc__builtin__\ndict\n\x85Rsb";
    for bytes in [legacy(sgd), zipped(sgd)] {
        assert_eq!(open(&bytes).unwrap().tensors().len(), 1);
    }
}

#[test]
fn a_call_hidden_anywhere_is_refused_and_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let proof = folder.path().join("proof");
    let command = format!("touch {}", proof.display());
    let mut call = b"cposix\nsystem\nX".to_vec();
    call.extend((command.len() as u32).to_le_bytes());
    call.extend(command.as_bytes());
    call.extend(b"\x85R");
    let said = "global posix.system";
    assert!(refused(&zipped(&call)).ends_with(said));
    let text = refused(&legacy(&call));
    assert!(
        text.starts_with("model.pth.tar-50: pickle refused at byte "),
        "{text}"
    );
    assert!(text.ends_with(said), "{text}");
    // in each of the other pickles of the older format
    let hidden = [&b"\x80\x02"[..], &call, b"."].concat();
    let whole = content(b"}");
    for parts in [
        [&HEAD[..15], &hidden, LITTLE, &whole, NAMES],
        [HEAD, &hidden, &whole, NAMES, b""],
        [HEAD, LITTLE, &whole, &hidden, b""],
    ] {
        let text = refused(&[&parts.concat()[..], &storage()].concat());
        assert!(text.ends_with(said), "{text}");
    }
    assert!(!proof.exists());
}

#[test]
fn a_file_of_the_older_format_that_ends_too_early_is_refused_at_every_byte() {
    let whole = legacy(b"}");
    assert!(open(&whole).is_ok());
    for end in 0..whole.len() {
        assert!(open(&whole[..end]).is_err(), "{end}");
    }
    let text = refused(&whole[..whole.len() - 1]);
    assert!(
        text.contains("cut off: storage \"0\" of 2 f32 numbers"),
        "{text}"
    );
}

#[test]
fn storages_of_the_older_format_are_those_of_the_pickle_and_fill_the_file() {
    let head = [HEAD, LITTLE, &content(b"}")].concat();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (
            "another size",
            [NAMES, &3u64.to_le_bytes(), &[0; 12]].concat(),
            "storage \"0\" has 3 numbers, its tensors say 2",
        ),
        (
            "a huge size",
            [NAMES, &u64::MAX.to_le_bytes()].concat(),
            "its tensors say 2",
        ),
        (
            "bytes behind",
            [NAMES, &storage(), b"x"].concat(),
            "1 bytes after the last storage",
        ),
        (
            "an unknown name",
            [b"\x80\x02]X\x01\0\0\x001a.", &storage()[..]].concat(),
            "no tensor has the storage \"1\"",
        ),
        (
            "the same name twice",
            [
                b"\x80\x02](X\x01\0\0\x000X\x01\0\0\x000e.",
                &storage()[..],
                &storage(),
            ]
            .concat(),
            "two storages are called \"0\"",
        ),
        (
            "no names",
            b"\x80\x02].".to_vec(),
            "its storage \"0\" is not in the archive",
        ),
        (
            "no list",
            b"\x80\x02}.".to_vec(),
            "its list of storages is no list",
        ),
    ];
    for (name, rest, message) in cases {
        let text = refused(&[&head[..], &rest].concat());
        assert!(text.starts_with("model.pth.tar-50: "), "{name}: {text}");
        assert!(text.contains(message), "{name}: {text}");
    }
}

#[test]
fn another_version_or_byte_order_is_refused() {
    let rest = [&content(b"}")[..], NAMES, &storage()].concat();
    let version = [&HEAD[..15], b"\x80\x02M\xea\x03.", LITTLE, &rest].concat();
    assert!(refused(&version).contains("version is not 1001"));
    let big = [HEAD, b"\x80\x02}X\x0d\0\0\0little_endian\x89s.", &rest].concat();
    assert_eq!(
        refused(&big),
        "model.pth.tar-50: byte order \"big\" is not supported"
    );
    let silent = [HEAD, b"\x80\x02}.", &rest].concat();
    assert!(refused(&silent).contains("does not say its byte order"));
}

#[test]
fn values_that_are_no_numbers_are_refused_when_read() {
    let mut bytes = legacy(b"}");
    assert_eq!(open(&bytes).unwrap().read("ctx").unwrap().data, [1.5, -2.0]);
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = open(&bytes).unwrap().read("ctx").unwrap_err().to_string();
    assert!(error.ends_with("ctx: 1 values are infinite or not a number"));
}

#[test]
fn random_changes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let whole = legacy(b"ctorch.optim.sgd\nSGD\n)\x81}b");
    let mut state = 7u64;
    for _ in 0..1000 {
        let mut bytes = whole.clone();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 20) as u8;
        }
        fs_err::write(&path, bytes).unwrap();
        let _ = Checkpoint::open(&path);
    }
}
