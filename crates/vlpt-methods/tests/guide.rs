//! docs/guides/add-a-method.md: its method works, and the page is what the code is.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../examples/shared_prompt.rs"]
#[allow(dead_code)]
mod shared_prompt;

use std::path::Path;

use common::{Objective, classes, images, sizes, tiny};
use shared_prompt::{SPEC, SharedPrompt, SharedPromptConfig, Task, train};
use vlpt_clip::{PromptToken, Tokenizer};
use vlpt_methods::{
    Adaptation, Build, METHODS, Method, MethodConfig, Needs, Parameter, Pass, Result,
};

const GUIDE: &str = include_str!("../../../docs/guides/add-a-method.md");
const EXAMPLE: &str = include_str!("../examples/shared_prompt.rs");

fn options(count: usize) -> SharedPromptConfig {
    SharedPromptConfig {
        count,
        ..SharedPromptConfig::default()
    }
}

/// The fenced blocks of the guide: what stands behind the fence, and the text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let fenced = GUIDE.split("\n```").skip(1).step_by(2);
    fenced
        .map(|block| block.split_once('\n').unwrap())
        .collect()
}

#[test]
fn the_guides_code_is_the_compiled_code() {
    let code: Vec<&str> = blocks()
        .into_iter()
        .filter(|(info, _)| *info == "rust")
        .map(|(_, text)| text)
        .collect();
    assert_eq!(code.len(), 4);
    for text in code {
        assert!(
            EXAMPLE.contains(text),
            "not in examples/shared_prompt.rs:\n{text}"
        );
    }
}

#[test]
fn the_guides_edits_fit_the_files_that_they_name() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut edits = 0;
    for (info, text) in blocks() {
        let Some(file) = info.strip_prefix("diff ") else {
            continue;
        };
        edits += 1;
        let source = std::fs::read_to_string(root.join(file)).unwrap();
        for line in text
            .lines()
            .filter_map(|line| line.strip_prefix([' ', '-']))
        {
            assert!(
                source.lines().any(|found| found == line),
                "{file} has no line {line:?}"
            );
        }
    }
    assert_eq!(edits, 2);
}

#[test]
fn its_method_learns_as_many_numbers_as_it_says() {
    let b16 = sizes(512, 768, 12, 16);
    let method = SharedPrompt::new(&options(16), &b16, 1).unwrap();
    assert_eq!(method.parameter_count(), 21_504);
    let visual = method.adapt(&Pass::EVAL).unwrap().visual;
    assert_eq!(visual.prompts.unwrap().rows.shape(), [12, 16, 768]);
    let error = SharedPrompt::new(&options(0), &b16, 1).unwrap_err();
    assert!(error.to_string().starts_with("shared_prompt.count = 0"));
}

#[test]
fn its_gradients_are_those_of_a_loss_behind_both_towers() {
    let clip = tiny();
    let method = SharedPrompt::new(&options(3), &clip.config, 1).unwrap();
    Objective::new(&clip).check(&method, &Pass::EVAL);
}

#[test]
fn its_description_is_what_the_method_is() {
    let clip = tiny();
    let mut config = MethodConfig::new(&SPEC);
    assert!(config.check().is_ok() && !config.is_baseline());
    let build = Build {
        clip: &clip,
        classes: 2,
        seed: 1,
    };
    let method = config.build(&build).unwrap();
    assert_eq!(method.name(), SPEC.name);
    assert_eq!(method.needs(), config.needs());
    assert_eq!(method.parameters()[0].shape(), [1, 16, 12]);
    let read = SPEC.tables[0].read(serde_json::json!({ "count": 3 }));
    let read = read.unwrap().to_json();
    let written = serde_json::json!({ "count": 3, "template": "a photo of a {}." });
    assert_eq!(read, written);
    let keys: Vec<&str> = SPEC.tables[0].keys.iter().map(|key| key.key).collect();
    assert_eq!(keys, ["count", "template"]);
    config.options_mut::<SharedPromptConfig>().count = 0;
    assert!(config.check().is_err() && config.build(&build).is_err());
    // It is nobody's in the list: neither its name nor its table is taken.
    let taken = |name: &str| METHODS.iter().any(|spec| spec.table(name).is_some());
    assert!(!taken("shared_prompt") && METHODS.iter().all(|spec| spec.name != SPEC.name));
}

/// Its prompts are right and its gradients a twentieth too large.
struct Wrong(SharedPrompt);

impl Method for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }

    fn parameters(&self) -> &[Parameter] {
        self.0.parameters()
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.0.texts(tokenizer, classes)
    }

    fn needs(&self) -> Needs {
        self.0.needs()
    }

    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        let mut adaptation = self.0.adapt(pass)?;
        let prompts = adaptation.visual.prompts.as_mut().unwrap();
        let part = &prompts.rows * 0.05;
        prompts.rows = ((&prompts.rows + &part)? - part.detach())?;
        Ok(adaptation)
    }
}

#[test]
#[should_panic(expected = "tokens: slope")]
fn its_check_finds_a_gradient_that_is_a_twentieth_off() {
    let clip = tiny();
    let method = SharedPrompt::new(&options(3), &clip.config, 1).unwrap();
    Objective::new(&clip).check(&Wrong(method), &Pass::EVAL);
}

#[test]
fn its_method_learns_the_same_each_time() {
    let clip = tiny();
    let task = Task {
        classes: classes(&["cat", "polar_bear"]),
        images: images(&clip, 4),
        labels: vec![0, 1, 0, 1],
    };
    let losses = || {
        let method = SharedPrompt::new(&options(3), &clip.config, 1).unwrap();
        train(&method, &clip, &task, 10, 0.05).unwrap()
    };
    let first = losses();
    assert!(first[9] < 0.98 * first[0], "{first:?}");
    assert!(first.windows(2).all(|pair| pair[1] < pair[0]), "{first:?}");
    assert_eq!(first, losses());
}
