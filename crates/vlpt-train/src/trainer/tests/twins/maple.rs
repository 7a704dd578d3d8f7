//! MaPLe against PyTorch (`tests/golden/make_maple_twins.py`).

use vlpt_methods::{MaPLeConfig, MethodConfig};

use super::check_with;

fn check(name: &str, optimizer: &str, lr: f64, (context, depth, init): (usize, usize, &str)) {
    let golden = include_str!("../../../../tests/golden/maple.json");
    let method = MethodConfig::from(MaPLeConfig {
        context,
        depth: Some(depth),
        init: init.to_owned(),
    });
    check_with(golden, name, optimizer, lr, &method);
}

#[test]
fn prompts_with_words_behind_them_have_pytorchs_loss_curve() {
    check("words-between", "sgd", 0.01, (2, 2, "a photo of a"));
}

#[test]
fn prompts_without_words_have_pytorchs_loss_curve() {
    check("no-words", "adamw", 0.002, (5, 2, ""));
}

#[test]
fn prompts_of_the_first_block_alone_have_pytorchs_loss_curve() {
    check("shallow", "sgd", 0.01, (3, 1, "a photo of a"));
}
