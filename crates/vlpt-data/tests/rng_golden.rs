//! The generator against CPython's own output for 100 seeds (`golden/make_rng.py`).

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use sha2::{Digest, Sha256};
use vlpt_data::rng::CPython;

#[derive(serde::Deserialize)]
struct Case {
    seed: u64,
    first: u64,
    random: u64,
    shuffle: Vec<u32>,
    sample: Vec<usize>,
    sha256: String,
}

/// The numbers of `make_rng.py`'s transcript, drawn here.
fn transcript(seed: u64) -> Vec<u64> {
    let mut rng = CPython::new(seed);
    let mut out: Vec<u64> = (0..700).map(|_| rng.getrandbits(32)).collect();
    out.extend([1, 2, 5, 8, 16, 31, 32, 33, 48, 63, 64, 0].map(|bits| rng.getrandbits(bits)));
    out.extend((0..20).map(|_| rng.random().to_bits()));
    out.extend((0..5).map(|_| rng.uniform(-2.5, 7.25).to_bits()));
    let bounds = [1, 2, 3, 7, 255, 256, 257, 1_000_000, 1 << 32, (1 << 40) + 1];
    out.extend(bounds.map(|n| rng.randbelow(n)));
    for n in [0u64, 1, 2, 3, 10, 100, 700] {
        let mut items: Vec<u64> = (0..n).collect();
        rng.shuffle(&mut items);
        out.extend(items);
    }
    let samples = [
        (1, 1),
        (5, 5),
        (21, 1),
        (22, 1),
        (21, 5),
        (22, 5),
        (85, 6),
        (86, 6),
        (84, 16),
        (277, 16),
        (278, 16),
        (1000, 16),
        (1000, 300),
        (4117, 350),
        (4118, 350),
        (30, 0),
        (50000, 20),
    ];
    for (n, k) in samples {
        let population: Vec<u64> = (0..n).collect();
        out.extend(rng.sample(&population, k));
    }
    let thirteen: Vec<u64> = (0..13).collect();
    out.extend((0..10).filter_map(|_| rng.choice(&thirteen).copied()));
    out
}

#[test]
fn a_hundred_seeds_give_what_cpython_gives() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("golden/rng.json")).unwrap();
    assert_eq!(cases.len(), 100);
    for case in cases {
        let seed = case.seed;
        assert_eq!(
            CPython::new(seed).getrandbits(32),
            case.first,
            "seed {seed}"
        );
        assert_eq!(
            CPython::new(seed).random().to_bits(),
            case.random,
            "seed {seed}"
        );
        let mut ten: Vec<u32> = (0..10).collect();
        CPython::new(seed).shuffle(&mut ten);
        assert_eq!(ten, case.shuffle, "seed {seed}");
        assert_eq!(
            CPython::new(seed).sample_indices(100, 5),
            case.sample,
            "seed {seed}"
        );
        let lines: Vec<String> = transcript(seed).iter().map(u64::to_string).collect();
        let hash = Sha256::digest(format!("{}\n", lines.join("\n")).as_bytes());
        let hash: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = hash.concat();
        assert_eq!(hash, case.sha256, "whole transcript of seed {seed}");
    }
}
