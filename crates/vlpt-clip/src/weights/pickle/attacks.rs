//! The attack list: what a hostile pickle may try, and what it gets for it.

use super::*;

/// A storage, as `torch.save` writes it.
const STORAGE: &[u8] =
    b"((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ";

fn refused(parts: &[&[u8]]) -> Refused {
    read(&parts.concat(), 0).unwrap_err()
}

fn reason(parts: &[&[u8]]) -> String {
    refused(parts).what
}

#[test]
fn a_tensor_and_a_module_are_read() {
    let pickle = read(
        &[
            &b"\x80\x02c__torch__\nClip\n)\x81}(X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"[..],
            STORAGE,
            b"K\x01K\x03\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRub.",
        ]
        .concat(),
        0,
    )
    .unwrap();
    assert!(matches!(pickle.root, Value::Node(_)));
    let tensor = &pickle.tensors[0];
    assert_eq!((&*tensor.key, tensor.count, tensor.offset), ("0", 4, 1));
    assert_eq!(
        (&tensor.shape[..], &tensor.strides[..]),
        (&[3][..], &[1][..])
    );
}

#[test]
fn functions_outside_the_list_are_refused_by_name() {
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("subprocess", "Popen"),
        ("builtins", "getattr"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy", "load"),
        ("_codecs", "decode"),
        ("collections", "namedtuple"),
        ("torch.optim", "sgd.SGD"),
        ("torch.optim.sgd", "os.system"),
        ("torch.optimx", "SGD"),
        ("torch.hub", "load"),
        ("dassl.engine", "build_trainer"),
        ("torch._utils", "_rebuild_tensor_v3"),
        ("torch", "load"),
        ("torch", "FloatStorage.__reduce__"),
        ("torch.jit._pickle", "restore_type_tag"),
        ("collections", "OrderedDict.update"),
        ("__torch__x", "Clip"),
    ] {
        let bytes = format!("\x02c{module}\n{name}\n(X\x02\0\0\0lstR.");
        let refused = refused(&[b"\x80", bytes.as_bytes()]);
        assert_eq!(
            refused,
            Refused {
                position: 2,
                what: format!("global {module}.{name}")
            }
        );
    }
}

/// What training programs save beside tensors stands for values that are dropped, whatever is done
/// with it: nothing of it can come out as a tensor, a number or a text.
#[test]
fn optimisers_and_numpy_numbers_are_dropped_unseen() {
    for (module, name) in [
        ("torch.optim.sgd", "SGD"),
        ("torch.optim.lr_scheduler", "CosineAnnealingLR"),
        ("dassl.optim.lr_scheduler", "ConstantWarmupScheduler"),
        ("collections", "defaultdict"),
        ("__builtin__", "dict"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
    ] {
        let global = format!("c{module}\n{name}\n");
        let made = [
            // called, given items and a state that is no dict
            &b"K\x01\x85R(NNuNb."[..],
            // made anew, given a state
            b")\x81}b.",
        ];
        for rest in made {
            let pickle = read(&[global.as_bytes(), rest].concat(), 0).unwrap();
            let Value::Node(index) = pickle.root else {
                panic!("{name}: {:?}", pickle.root);
            };
            assert_eq!(pickle.nodes[index], Node::Inert, "{name}");
        }
        assert_eq!(
            reason(&[global.as_bytes(), b"NR"]),
            "a call whose arguments are no tuple"
        );
        // a tensor is not made by it
        let shape = reason(&[
            b"ctorch._utils\n_rebuild_tensor_v2\n(",
            global.as_bytes(),
            b")RK\0K\x01\x85K\x01\x85tR",
        ]);
        assert_eq!(shape, "a call of RebuildTensor with such arguments");
    }
}

#[test]
fn a_storage_is_the_same_wherever_it_is_named() {
    let other = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x05tQ";
    assert_eq!(
        reason(&[STORAGE, other]),
        "two different storages are called \"0\""
    );
    // a part of another storage, as PyTorch never writes any more
    let part = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04X\x01\0\0\x001tQ";
    assert_eq!(reason(&[part]), "a persistent id that is no storage");
}

#[test]
fn instructions_outside_the_list_are_refused_by_name() {
    for (code, name) in [
        (&b"\x93"[..], "STACK_GLOBAL"),
        (b"i", "INST"),
        (b"o", "OBJ"),
        (b"\x92", "NEWOBJ_EX"),
        (b"\x82\x01", "EXT"),
        (b"P0\n", "PERSID"),
        (b"\x95", "FRAME"),
        (b"\x8e", "BINBYTES8"),
        (b"V", "UNICODE"),
        (b"\xff", "0xff"),
    ] {
        let refused = refused(&[b"\x80\x02N", code]);
        assert_eq!(
            refused,
            Refused {
                position: 3,
                what: format!("instruction {name}")
            }
        );
    }
    assert_eq!(
        reason(&[b"\x80\x04"]),
        "protocol 4, only 2 and older are read"
    );
}

#[test]
fn a_known_function_takes_only_the_arguments_it_has() {
    let call = "a call of OrderedDict with such arguments";
    assert_eq!(reason(&[b"ccollections\nOrderedDict\n]\x85R"]), call);
    let tensor = b"ctorch._utils\n_rebuild_tensor_v2\n";
    assert_eq!(
        reason(&[tensor, b")R"]),
        "a call of RebuildTensor with such arguments"
    );
    let shape = "a tensor whose shape or strides are no whole numbers";
    assert_eq!(reason(&[tensor, STORAGE, b"K\0NNtR"]), shape);
    assert_eq!(
        reason(&[b"ctorch\nFloatStorage\n)R"]),
        "a call of Storage(F32) with such arguments"
    );
    assert_eq!(
        reason(&[b"c__torch__\nClip\n)R"]),
        "a call of Module with such arguments"
    );
    assert_eq!(
        reason(&[b"X\x01\0\0\0a)R"]),
        "a call of something that is no function"
    );
    assert_eq!(
        reason(&[b"ccollections\nOrderedDict\nNR"]),
        "a call whose arguments are no tuple"
    );
}

#[test]
fn objects_are_modules_and_states_are_dicts() {
    let object = "an object of a class that is no TorchScript module";
    assert_eq!(reason(&[b"ccollections\nOrderedDict\n)\x81"]), object);
    assert_eq!(reason(&[b"c__torch__\nClip\nN\x85\x81"]), object);
    assert_eq!(
        reason(&[b"c__torch__\nClip\n)\x81Nb"]),
        "a state that is no dict"
    );
    assert_eq!(reason(&[b"]}b"]), "a state for something that has none");
    assert_eq!(
        reason(&[b"c__torch__\nClip\n)\x81}b}b"]),
        "a state for something that has none"
    );
    assert_eq!(
        reason(&[b"ctorch\nFloatStorage\n}b"]),
        "a container is needed here"
    );
}

#[test]
fn a_persistent_id_is_a_storage() {
    let id = "a persistent id that is no storage";
    assert_eq!(reason(&[b"X\x04\0\0\0fileQ"]), id);
    assert_eq!(
        reason(&[b"(X\x06\0\0\0modulectorch\nFloatStorage\nX\0\0\0\0X\0\0\0\0K\x04tQ"]),
        id
    );
    // a negative count
    assert_eq!(
        reason(&[
            b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\0\0\0\0X\0\0\0\0J\xff\xff\xff\xfftQ"
        ]),
        id
    );
}

#[test]
fn a_pickle_that_ends_too_early_is_refused_at_every_byte() {
    let whole = [b"\x80\x02}(X\x01\0\0\0wK\x01u", &b"."[..]].concat();
    assert!(read(&whole, 0).is_ok());
    for end in 0..whole.len() {
        assert!(
            read(&whole[..end], 0)
                .unwrap_err()
                .what
                .starts_with("cut off"),
            "{end}"
        );
    }
}

#[test]
fn sizes_that_lie_cost_nothing() {
    assert_eq!(
        reason(&[b"X\xff\xff\xff\xff"]),
        "a text of 4294967295 bytes, at most 1048576 are read"
    );
    assert_eq!(reason(&[b"X\x00\x00\x10\x00ab"]), "cut off at byte 7");
    assert_eq!(
        reason(&[b"\x8a\xffab"]),
        "a whole number of 255 bytes, at most 8 are read"
    );
    assert_eq!(reason(&[b"cos"]), "a name without an end");
    // the memo is a table, not a list as long as its largest index
    assert!(read(b"Nr\xff\xff\xff\xffj\xff\xff\xff\xff.", 0).is_ok());
    assert_eq!(reason(&[b"h\x07"]), "nothing was remembered as 7");
}

#[test]
fn the_stack_is_never_taken_below_its_end_or_a_mark() {
    let empty = "a value is taken from an empty stack";
    for bytes in [
        &b"."[..],
        b"a",
        b"R",
        b"\x85",
        b"N(\x86",
        b"N(.",
        b"b",
        b"Q",
        b"\x81",
        b"N(s",
    ] {
        assert_eq!(reason(&[bytes]), empty, "{bytes:?}");
    }
    for bytes in [&b"t"[..], b"e", b"u"] {
        assert_eq!(reason(&[bytes]), "no mark on the stack", "{bytes:?}");
    }
    assert_eq!(reason(&[b"q\0"]), "nothing to remember");
    assert_eq!(reason(&[b"}(Nu"]), "a key without a value");
    assert_eq!(reason(&[b"}Na"]), "items for something that is no list");
    assert_eq!(reason(&[b"]NNs"]), "entries for something that is no dict");
}

#[test]
fn values_shared_a_million_times_are_not_copied() {
    // every level is a list that holds the level below twice: 2^40 leaves if it were unfolded
    let mut bytes = b"]q\0".to_vec();
    for _ in 0..40 {
        bytes.extend(b"](h\0h\0eq\0");
    }
    bytes.push(b'.');
    assert_eq!(read(&bytes, 0).unwrap().nodes.len(), 41);
}

#[test]
fn random_instructions_never_panic() {
    const CODES: &[u8] = b"\x80\x02(N\x88\x89JKM\x8aGXU)]}t\x85\x86\x87aesuqrhjcQR\x81b.\n01";
    let mut state = 1u64;
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..40)
            .map(|_| {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                CODES[(state >> 33) as usize % CODES.len()]
            })
            .collect();
        let _ = read(&bytes, 0);
    }
}
