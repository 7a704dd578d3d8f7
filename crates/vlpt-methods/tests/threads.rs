//! Prompts and their gradients are the same to the last bit with any number of threads.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod common;

use std::process::Command;

use common::{gradients, sizes, text_values, visual_values};
use vlpt_base::random::Stream;
use vlpt_clip::Clip;
use vlpt_methods::{Depth, Method, Pass, Upt, UptConfig, UptShape, Vpt, VptConfig};

/// The variable from which rayon takes its number of threads, once in a process.
const THREADS: &str = "RAYON_NUM_THREADS";

/// Prints a hash of prompts and gradients of methods with matrix products in them.
#[test]
#[ignore = "the child process of the test below"]
fn child() {
    let vpt = VptConfig {
        project: 129,
        ..VptConfig::default()
    };
    let clip = Clip::random(&sizes(64, 96, 12, 16), 1);
    let release = UptConfig {
        shape: UptShape::Release,
        depth: Some(Depth::Deep),
        ..UptConfig::default()
    };
    let methods: [Box<dyn Method>; 3] = [
        Box::new(Vpt::new(&vpt, &sizes(512, 768, 12, 16), 1).unwrap()),
        Box::new(Upt::new(&UptConfig::default(), &clip, 2, 1).unwrap()),
        Box::new(Upt::new(&release, &clip, 2, 1).unwrap()),
    ];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for method in methods {
        let adaptation = method.adapt(&Pass::EVAL).unwrap();
        let text = match &adaptation.text.prompts {
            Some(_) => text_values(&adaptation),
            None => Vec::new(),
        };
        let visual = visual_values(&adaptation).values;
        let d_text = Stream::new(2, "text").normals(text.len(), 1.0);
        let d_visual = Stream::new(2, "visual").normals(visual.len(), 1.0);
        let parameters = method.parameters();
        let gradients = gradients(&adaptation, parameters, Some(&d_text), Some(&d_visual));
        for value in [text, visual].iter().chain(&gradients).flatten() {
            hash = (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    println!("hash {hash:016x}");
}

fn hash(threads: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(THREADS, threads)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let at = text.find("hash ").expect("the child prints its hash");
    text[at + 5..at + 21].to_owned()
}

#[test]
fn prompts_do_not_depend_on_the_number_of_threads() {
    let one = hash("1");
    for threads in ["2", "3", "8"] {
        assert_eq!(hash(threads), one, "{threads} threads");
    }
}
