//! MMRL and MMRL++ against PyTorch (`tests/golden/make_mmrl.py`).

use vlpt_methods::{MethodConfig, MmrlConfig, MmrlPlusConfig};

use super::check_with;

fn check(name: &str, optimizer: &str, lr: f64, method: &MethodConfig) {
    let golden = include_str!("../../../../tests/golden/mmrl.json");
    check_with(golden, name, optimizer, lr, method);
}

/// Tokens as in the script, in all blocks but the first.
fn config() -> MmrlConfig {
    MmrlConfig {
        tokens: 3,
        width: 10,
        ..MmrlConfig::default()
    }
}

#[test]
fn rows_of_shared_tokens_have_pytorchs_loss_curve() {
    check("mmrl", "adamw", 0.002, &MethodConfig::from(config()));
    let one_block = MmrlConfig {
        blocks: Some(1),
        alpha: 0.4,
        lambda: 2.0,
        ..config()
    };
    check("mmrl-one-block", "sgd", 0.02, &one_block.into());
}

#[test]
fn rows_of_shared_layers_that_go_on_have_pytorchs_loss_curve() {
    let own = |beta, rank, projection_rank| MmrlPlusConfig {
        beta,
        rank,
        projection_rank,
    };
    let mixed = (config(), own(0.6, 2, 4));
    check("mmrlpp", "adamw", 0.002, &mixed.into());
    let config = MmrlConfig {
        alpha: 0.5,
        lambda: 1.0,
        ..config()
    };
    let replaced = (config, own(1.0, 1, 3));
    check("mmrlpp-replaced", "sgd", 0.02, &replaced.into());
}
