//! Weight files that are damaged, lie or attack: each is refused with a message that says why.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod support;

use std::io::Write;

use support::{Folder, load_error};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The safetensors file of `hf` with its header changed.
fn with_header(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let bytes = Folder::golden("hf").bytes("model.safetensors");
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    change(&mut header);
    let header = header.to_string();
    [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        &bytes[8 + length..],
    ]
    .concat()
}

fn safetensors_error(bytes: &[u8]) -> String {
    let folder = Folder::golden("hf");
    folder.write("model.safetensors", bytes);
    load_error(&folder)
}

#[test]
fn every_tensor_that_does_not_fit_is_named_in_one_error() {
    let bytes = with_header(|header| {
        let header = header.as_object_mut().unwrap();
        let norm = header.remove("text_model.final_layer_norm.bias").unwrap();
        header.insert("text_model.final_layer_norm.shift".to_owned(), norm);
        let patch = "vision_model.embeddings.patch_embedding.weight";
        header.get_mut(patch).unwrap()["shape"] = serde_json::json!([12, 48]);
    });
    assert_eq!(
        safetensors_error(&bytes),
        "model.safetensors: 3 of the tensors do not fit the configuration:\n  \
         text_model.final_layer_norm.bias: missing, expected shape [8]\n  \
         vision_model.embeddings.patch_embedding.weight: shape [12, 48], \
         the configuration says [12, 3, 4, 4]\n  \
         text_model.final_layer_norm.shift: unexpected, shape [8]\n\
         hint: check that the configuration and the weights belong together"
    );
}

#[test]
fn a_table_of_very_many_tensors_is_told_in_a_few_lines_and_soon() {
    let entry =
        |i: usize| format!("\"t{i}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    let many = |count: usize| {
        let entries: Vec<String> = (0..count).map(entry).collect();
        let header = format!("{{{}}}", entries.join(","));
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
    };
    let begun = std::time::Instant::now();
    let error = safetensors_error(&many(1_000_000));
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert!(error.contains("far more than the names"), "{error}");

    // a model's own tensors and many more
    let bytes = with_header(|header| {
        for i in 0..5000 {
            header[format!("more.{i}")] =
                serde_json::json!({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]});
        }
    });
    let error = safetensors_error(&bytes);
    assert!(error.contains("5000 of the tensors do not fit"), "{error}");
    assert!(error.contains("\n  and 4980 more\n"), "{error}");
    assert!(error.lines().count() < 30, "{error}");
}

#[test]
fn sizes_of_the_configuration_are_checked_against_the_tensors() {
    let folder = Folder::golden("hf");
    folder.edit("config.json", |config| {
        config["text_config"]["num_hidden_layers"] = 1.into();
    });
    let text = load_error(&folder);
    assert!(text.contains("16 of the tensors do not fit"), "{text}");
    assert!(
        text.contains("text_model.encoder.layers.1.mlp.fc1.weight: unexpected"),
        "{text}"
    );

    let refused = [
        (
            "num_attention_heads",
            3,
            "text width 8 is no multiple of its 3 heads",
        ),
        ("hidden_size", 0, "text width is 0, expected 1 to 16777216"),
        (
            "num_hidden_layers",
            100_000,
            "text layers is 100000, expected 1 to 512",
        ),
        (
            "eos_token_id",
            99,
            "end-of-text id 99 lies outside the vocabulary of 56",
        ),
    ];
    for (key, value, message) in refused {
        let folder = Folder::golden("hf");
        folder.edit("config.json", |config| {
            config["text_config"][key] = value.into();
        });
        assert_eq!(load_error(&folder), format!("config.json: {message}"));
    }
}

#[test]
fn integers_and_broken_numbers_are_no_weights() {
    let bytes = with_header(|header| {
        header["text_model.final_layer_norm.bias"]["dtype"] = "I32".into();
    });
    let text = safetensors_error(&bytes);
    let line = "text_model.final_layer_norm.bias: i32 numbers, expected f32, f16, bf16 or f64";
    assert!(text.contains(line), "{text}");

    let mut bytes = Folder::golden("hf").bytes("model.safetensors");
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let text = safetensors_error(&bytes);
    assert!(
        text.contains("visual_projection.weight: 1 values are infinite or not a number"),
        "{text}"
    );
}

#[test]
fn damaged_safetensors_files_are_refused() {
    let whole = Folder::golden("hf").bytes("model.safetensors");
    let cut = safetensors_error(&whole[..whole.len() - 1]);
    assert!(cut.starts_with("model.safetensors: cut off: "), "{cut}");
    let long = safetensors_error(&[&whole[..], b"x"].concat());
    assert!(
        long.starts_with("model.safetensors: with bytes after its end: "),
        "{long}"
    );
    assert_eq!(
        safetensors_error(b"abc"),
        "model.safetensors: 3 bytes, too short for a safetensors file"
    );
    let lie = safetensors_error(&[&u64::MAX.to_le_bytes()[..], b"{}"].concat());
    assert!(
        lie.contains("the header is said to have 18446744073709551615 bytes"),
        "{lie}"
    );
    let overlap = safetensors_error(&with_header(|header| {
        header["logit_scale"]["data_offsets"] = serde_json::json!([4, 8]);
    }));
    assert!(
        overlap.starts_with("model.safetensors: safetensors header: "),
        "{overlap}"
    );
    let huge = safetensors_error(&with_header(|header| {
        header["logit_scale"]["shape"] = serde_json::json!([u64::MAX, 2]);
    }));
    assert!(
        huge.starts_with("model.safetensors: safetensors header: "),
        "{huge}"
    );
    assert_eq!(
        safetensors_error(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
        "model.safetensors: a git LFS pointer, not the weights themselves\n\
         hint: run `git lfs pull` in the model's folder"
    );
}

#[test]
fn a_shard_that_is_absent_or_outside_is_refused() {
    let folder = Folder::golden("hf-sharded");
    folder.remove("model-00002-of-00002.safetensors");
    let text = load_error(&folder);
    let line = "model-00002-of-00002.safetensors, which model.safetensors.index.json names";
    assert!(text.contains(line), "{text}");

    let folder = Folder::golden("hf-sharded");
    folder.edit("model.safetensors.index.json", |index| {
        index["weight_map"]["logit_scale"] = "../elsewhere.safetensors".into();
    });
    let text = load_error(&folder);
    assert!(
        text.contains("\"../elsewhere.safetensors\", no plain file name"),
        "{text}"
    );
}

#[test]
fn the_same_tensor_in_two_shards_is_refused() {
    let folder = Folder::golden("hf-sharded");
    let first = folder.bytes("model-00001-of-00002.safetensors");
    folder.write("model-00002-of-00002.safetensors", first);
    let text = load_error(&folder);
    assert!(
        text.contains("is also in model-00001-of-00002.safetensors"),
        "{text}"
    );
}

/// An archive with the given pickle and one storage of 16 bytes.
fn archive(pickle: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in [("archive/data.pkl", pickle), ("archive/data/0", &[0; 16])] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn torch_error(bytes: &[u8]) -> String {
    let folder = Folder::golden("hf");
    folder.remove("model.safetensors");
    folder.write("pytorch_model.bin", bytes);
    load_error(&folder)
}

/// A pickle of one tensor over a storage said to hold `count` floats.
fn tensor(count: u8, offset: &[u8], shape: &[u8], strides: &[u8]) -> Vec<u8> {
    [
        &b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("[..],
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK",
        &[count],
        b"tQ",
        offset,
        shape,
        strides,
        b"\x89ccollections\nOrderedDict\n)RtRs.",
    ]
    .concat()
}

#[test]
fn a_pickle_that_calls_a_function_is_refused_and_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let proof = folder.path().join("proof");
    let command = format!("touch {}", proof.display());
    let mut pickle = b"\x80\x02cposix\nsystem\nX".to_vec();
    pickle.extend((command.len() as u32).to_le_bytes());
    pickle.extend(command.as_bytes());
    pickle.extend(b"\x85R.");
    assert_eq!(
        torch_error(&archive(&pickle, CompressionMethod::Stored)),
        "pytorch_model.bin, entry archive/data.pkl: pickle refused at byte 2: global posix.system\n\
         hint: only plain tensors are read from pickles and nothing in them is ever run; \
         convert a file you trust to safetensors with the program that wrote it"
    );
    assert!(!proof.exists());
}

#[test]
fn a_tensor_reads_nothing_outside_its_storage() {
    let stored = |pickle: &[u8]| torch_error(&archive(pickle, CompressionMethod::Stored));
    let four = b"K\x04\x85";
    let one = b"K\x01\x85";
    let fits = stored(&tensor(4, b"K\0", four, one));
    assert!(
        fits.contains("no CLIP tensors; the first of its 1: [\"w\"]"),
        "{fits}"
    );

    let cases: [(&str, Vec<u8>, &str); 8] = [
        (
            "offset",
            tensor(4, b"K\x01", four, one),
            "do not fit its storage of 4 numbers",
        ),
        (
            "stride",
            tensor(4, b"K\0", four, b"K\x02\x85"),
            "do not fit its storage of 4 numbers",
        ),
        (
            "repeated",
            tensor(4, b"K\0", four, b"K\0\x85"),
            "do not fit its storage of 4 numbers",
        ),
        (
            "negative offset",
            tensor(4, b"J\xff\xff\xff\xff", four, one),
            "overflow",
        ),
        (
            "negative size",
            tensor(4, b"K\0", b"J\xff\xff\xff\xff\x85", one),
            "a negative size or stride",
        ),
        (
            "dimensions",
            tensor(4, b"K\0", four, b")"),
            "1 sizes and 0 strides",
        ),
        (
            "count",
            tensor(5, b"K\0", four, one),
            "said to hold 5 f32 numbers, the archive has 16 bytes",
        ),
        (
            "overflow",
            tensor(
                4,
                b"K\0",
                b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85",
                b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85",
            ),
            "overflow",
        ),
    ];
    for (name, pickle, message) in cases {
        let text = stored(&pickle);
        assert!(
            text.starts_with("pytorch_model.bin: tensor \"w\": "),
            "{name}: {text}"
        );
        assert!(text.contains(message), "{name}: {text}");
    }
}

#[test]
fn names_nested_without_end_are_refused() {
    // a dict that holds itself
    let cycle = b"\x80\x02}q\0X\x01\0\0\0ah\0s.";
    let text = torch_error(&archive(cycle, CompressionMethod::Stored));
    assert!(text.contains("nested in itself, or too deeply"), "{text}");
    // forty levels, each holding the level below twice
    let mut bomb = b"\x80\x02}q\0".to_vec();
    for _ in 0..40 {
        bomb.extend(b"}(X\x01\0\0\0ah\0X\x01\0\0\0bh\0uq\0");
    }
    bomb.push(b'.');
    let text = torch_error(&archive(&bomb, CompressionMethod::Stored));
    assert!(
        text.contains("more than 1000000 values in its pickle"),
        "{text}"
    );
}

#[test]
fn archives_that_are_compressed_cut_or_of_another_kind_are_refused() {
    let pickle = tensor(4, b"K\0", b"K\x04\x85", b"K\x01\x85");
    let bomb = torch_error(&archive(&pickle, CompressionMethod::Deflated));
    assert!(
        bomb.contains("\"archive/data.pkl\" is compressed or encrypted"),
        "{bomb}"
    );

    let whole = archive(&pickle, CompressionMethod::Stored);
    let cut = torch_error(&whole[..whole.len() - 30]);
    assert!(cut.starts_with("pytorch_model.bin: zip archive: "), "{cut}");

    // the central directory says that the storage is far larger than the file
    let mut lie = whole.clone();
    let entry = lie
        .windows(4)
        .rposition(|window| window == b"PK\x01\x02")
        .unwrap();
    lie[entry + 20..entry + 28].copy_from_slice(&[0, 0, 0, 0x40, 0, 0, 0, 0x40]);
    let lie = torch_error(&lie);
    assert!(lie.contains("is said to have 1073741824 bytes"), "{lie}");

    assert!(torch_error(b"GIF89a").contains("no zip archive, which PyTorch files are"));
    assert!(torch_error(b"version https://git-lfs").contains("a git LFS pointer"));
    let empty = archive(b"\x80\x02}.", CompressionMethod::Stored);
    assert!(torch_error(&empty).ends_with("no tensors in its pickle"));
}

#[test]
fn a_big_endian_archive_is_refused() {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in [("a/data.pkl", &b"\x80\x02}."[..]), ("a/byteorder", b"big")] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    let text = torch_error(&zip.finish().unwrap().into_inner());
    assert!(
        text.starts_with("pytorch_model.bin: byte order \"big\" is not supported"),
        "{text}"
    );
}

/// A change to `model_cfg`.
type Change = fn(&mut serde_json::Value);

#[test]
fn models_of_other_kinds_are_refused_by_name() {
    let folder = Folder::golden("hf");
    folder.edit("config.json", |config| {
        config["model_type"] = "siglip".into();
    });
    assert!(load_error(&folder).starts_with("config.json: model_type \"siglip\" is not supported"));

    let folder = Folder::golden("hf");
    folder.edit("config.json", |config| {
        config["vision_config"]["hidden_act"] = "gelu_new".into();
    });
    let text = load_error(&folder);
    assert!(
        text.contains("vision_config.hidden_act \"gelu_new\" is not supported"),
        "{text}"
    );

    let open_clip: [(Change, &str); 7] = [
        (
            |c| c["vision_cfg"]["layers"] = serde_json::json!([3, 4, 6, 3]),
            "a ResNet image tower",
        ),
        (
            |c| c["vision_cfg"]["timm_model_name"] = "vit_base".into(),
            "the timm image tower \"vit_base\"",
        ),
        (
            |c| c["text_cfg"]["hf_model_name"] = "roberta-base".into(),
            "the Hugging Face text tower \"roberta-base\"",
        ),
        (|c| c["custom_text"] = true.into(), "model_cfg.custom_text"),
        (|c| c["init_logit_bias"] = (-10).into(), "a SigLIP head"),
        (
            |c| c["vision_cfg"]["ls_init_value"] = 0.1.into(),
            "the unknown setting model_cfg.vision_cfg.ls_init_value = 0.1",
        ),
        (
            |c| c["text_cfg"]["pool_type"] = "last".into(),
            "model_cfg.text_cfg.pool_type = \"last\"",
        ),
    ];
    for (change, message) in open_clip {
        let folder = Folder::golden("open-clip");
        folder.edit("open_clip_config.json", |config| {
            change(&mut config["model_cfg"]);
        });
        let text = load_error(&folder);
        assert!(
            text.contains(message) && text.contains("is not supported"),
            "{text}"
        );
    }
}

#[test]
fn other_towers_are_also_known_by_their_tensors() {
    let bytes = with_header(|header| {
        let header = header.as_object_mut().unwrap();
        let scale = header.remove("logit_scale").unwrap();
        header.insert("vision_model.head.probe".to_owned(), scale);
    });
    let text = safetensors_error(&bytes);
    assert!(
        text.starts_with("model.safetensors: a SigLIP image tower is not supported"),
        "{text}"
    );
}
