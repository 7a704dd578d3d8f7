//! Attention against plain f64 code and finite differences, on ragged shapes.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use common::attention::Case;
use common::{Random, assert_close, check_gradient, same_bits_for_any_threads};
use vlpt_kernels::Precision::F32;

/// Attention of one query to the keys and values `rows`, in f64.
fn plain(heads: usize, q: &[f32], rows: &[&[f32]]) -> Vec<f64> {
    let width = q.len();
    let size = width / heads;
    let mut out = vec![0.0; width];
    for head in 0..heads {
        let part = head * size..(head + 1) * size;
        let score = |row: &[f32]| -> f64 {
            let products = q[part.clone()].iter().zip(&row[part.clone()]);
            products.map(|(a, b)| *a as f64 * *b as f64).sum::<f64>() / (size as f64).sqrt()
        };
        let weights: Vec<f64> = rows.iter().map(|row| score(row).exp()).collect();
        let total: f64 = weights.iter().sum();
        for (weight, row) in weights.iter().zip(rows) {
            for i in part.clone() {
                out[i] += weight / total * row[width + i] as f64;
            }
        }
    }
    out
}

#[test]
fn a_query_attends_to_the_keys_of_its_plan() {
    let mut random = Random::new(1);
    for round in 0..42 {
        let case = match round {
            0..18 => Case::images(&mut random, 9),
            18..20 => Case::images(&mut random, 200),
            20..40 => Case::tree(&mut random, round),
            _ => Case::of_classes(&mut random, (3, 21), (5, 90)),
        };
        let row = 2 * case.width;
        let all: Vec<&[f32]> = case
            .common
            .chunks_exact(row)
            .chain(case.kv.chunks_exact(row))
            .collect();
        let mut want = Vec::new();
        for (q, seen) in case.q.chunks_exact(case.width).zip(&case.seen) {
            let rows: Vec<&[f32]> = seen.iter().map(|&key| all[key as usize]).collect();
            want.extend(plain(case.heads, q, &rows));
        }
        let got = case.forward(F32, &case.q, &case.kv, &case.common);
        assert_close("attention", &got, &want, 2e-5);
    }
}

#[test]
fn gradients_of_attention_are_its_finite_differences() {
    let mut random = Random::new(2);
    for round in 0..26 {
        let case = match round {
            0..10 => Case::images(&mut random, 7),
            10..12 => Case::images(&mut random, 150),
            12..24 => Case::tree(&mut random, 2 + round),
            _ => Case::of_classes(&mut random, (2, 6), (4, 30)),
        };
        let d_out = random.vector(case.q.len());
        let [dq, dkv, d_common] = case.backward(F32, &d_out);
        let Case { q, kv, common, .. } = &case;
        let f = |q: &[f32]| case.forward(F32, q, kv, common);
        check_gradient("queries", &mut random, q, &d_out, f, &dq);
        let f = |kv: &[f32]| case.forward(F32, q, kv, common);
        check_gradient("keys", &mut random, kv, &d_out, f, &dkv);
        if !d_common.is_empty() {
            let f = |common: &[f32]| case.forward(F32, q, kv, common);
            check_gradient("common keys", &mut random, common, &d_out, f, &d_common);
        }
    }
}

#[test]
fn attention_gives_the_same_bits_for_any_number_of_threads() {
    let mut random = Random::new(3);
    for case in [
        Case::images(&mut random, 150),
        Case::tree(&mut random, 300),
        Case::of_classes(&mut random, (2, 14), (3, 80)),
    ] {
        let d_out = random.vector(case.q.len());
        same_bits_for_any_threads("attention", || {
            let mut all = case.forward(F32, &case.q, &case.kv, &case.common);
            all.extend(case.backward(F32, &d_out).concat());
            all
        });
    }
}

#[test]
fn a_query_of_a_tree_does_not_depend_on_the_queries_beside_it() {
    let mut random = Random::new(4);
    let case = Case::tree(&mut random, 200);
    let all = case.forward(F32, &case.q, &case.kv, &case.common);
    let (skip, w) = (5, case.width);
    let alone = Case::of_tree(
        (case.heads, w),
        &case.seen[skip..],
        (case.common.clone(), case.kv.clone()),
        case.q[skip * w..].to_vec(),
    );
    let some = alone.forward(F32, &alone.q, &alone.kv, &alone.common);
    assert_eq!(some, all[skip * w..]);
}
