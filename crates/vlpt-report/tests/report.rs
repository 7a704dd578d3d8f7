//! Whole pages: what they look like, and that no text of a user becomes markup.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use vlpt_report::study::{Measure, Measured, Target, Transfer, TransferCell, TransferMap};
use vlpt_report::svg::{Bar, Tree};
use vlpt_report::{
    Confusion, Curve, CurvePoint, DemoReport, Example, Fact, Interval, KeyNumber, MultitaskSection,
    Picture, RunReport, TaskResult, TaskSection,
};

const EVIL: &str = "<img src=x onerror=\"alert('1')\">&";

fn curve() -> Curve {
    let point = |epoch, loss, val| CurvePoint {
        epoch,
        loss,
        train: Some(0.25 * epoch as f64),
        val,
    };
    Curve {
        points: vec![
            point(1, 2.0, Some(0.25)),
            point(2, 1.25, Some(0.5)),
            point(3, 1.0, None),
        ],
        selected: Some(2),
    }
}

fn examples(name: &str) -> Vec<Example> {
    let picture = Picture {
        width: 1,
        height: 1,
        rgb: vec![200, 30, 60],
    };
    let guess =
        |first: &str, second: &str| vec![(first.to_owned(), 0.75), (second.to_owned(), 0.25)];
    vec![
        Example {
            picture: picture.clone(),
            truth: "cat".into(),
            predictions: guess("cat", name),
        },
        Example {
            picture,
            truth: name.into(),
            predictions: guess("cat", name),
        },
    ]
}

fn run_report(name: &str) -> RunReport {
    let text = || name.to_owned();
    let classes = ["cat".to_owned(), text()];
    RunReport {
        title: text(),
        summary: text(),
        key_numbers: vec![KeyNumber {
            label: text(),
            value: text(),
            detail: text(),
        }],
        curve: curve(),
        confusion: Confusion::from_pairs(&classes, [(0, 0), (0, 0), (0, 1), (1, 0)]),
        examples: examples(name),
        facts: vec![Fact {
            name: text(),
            value: text(),
        }],
        commands: vec![text()],
    }
}

fn demo_report(name: &str) -> DemoReport {
    let run = run_report(name);
    let share = |value: f64| Interval {
        value,
        low: value - 0.125,
        high: value + 0.125,
    };
    let result = TaskResult {
        name: name.to_owned(),
        classes: 2,
        images: 4,
        zero_shot: share(0.25),
        tuned: share(0.5),
    };
    DemoReport {
        title: run.title,
        summary: run.summary,
        key_numbers: run.key_numbers,
        tasks: vec![TaskSection {
            result,
            curve: run.curve,
            confusion: run.confusion,
            examples: run.examples,
        }],
        multitask: Some(multitask(name)),
        facts: run.facts,
        commands: run.commands,
    }
}

/// One target, and a map of two tasks.
fn multitask(name: &str) -> MultitaskSection {
    let text = || name.to_owned();
    let seeds = |value: f64| Interval {
        value,
        low: value - 0.25,
        high: value + 0.25,
    };
    let cell = |score: f64| {
        TransferCell::Measured(Measured {
            score,
            std: None,
            seeds: 1,
            over_single: Some(score - 0.5),
            over_clip: None,
        })
    };
    let target = |name: String| Target {
        name,
        single: Some(0.5),
        clip: None,
    };
    MultitaskSection {
        lead: text(),
        methods: vec!["zero-shot".into(), text()],
        targets: vec![Bar {
            name: text(),
            values: vec![
                Interval {
                    value: 0.25,
                    low: f64::NAN,
                    high: f64::NAN,
                },
                seeds(0.5),
            ],
        }],
        verdict: text(),
        maps: vec![TransferMap {
            transfer: Transfer::ZeroShot,
            method: text(),
            setting: text(),
            sources: vec!["cat".into(), text()],
            targets: vec![target("cat".into()), target(text())],
            cells: [0.5, 0.25, 0.75, 0.5].map(cell).to_vec(),
            source_tree: Tree::default(),
            target_tree: Tree::default(),
            measures: vec![Measure::OverSingle],
        }],
        outlook: text(),
    }
}

/// The page without its style sheet and without what differs between versions.
fn body(page: &str) -> String {
    let (_, rest) = page.split_once("<body>").expect("a page has a body");
    rest.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn a_run_report_shows_every_part() {
    insta::assert_snapshot!(body(&run_report("dog").render()));
}

#[test]
fn a_demo_report_compares_zero_shot_with_tuned() {
    insta::assert_snapshot!(body(&demo_report("dog").render()));
}

#[test]
fn no_text_becomes_markup() {
    for page in [run_report(EVIL).render(), demo_report(EVIL).render()] {
        assert!(!page.contains("<img src=x"), "an element got through");
        assert!(!page.contains("onerror=\""), "an attribute got through");
        assert!(page.contains("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"));
    }
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    let page = demo_report("dog")
        .render()
        .replace("http://www.w3.org/2000/svg", "");
    for word in ["http://", "https://", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(word), "{word} in the page");
    }
}

#[test]
fn an_empty_report_is_still_a_page() {
    let page = RunReport::default().render();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(!page.contains("<h2>"), "a heading without a body");
}

#[test]
fn a_written_report_is_the_rendered_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a").join("report.html");
    let report = run_report("dog");
    report.write(&path).unwrap();
    assert_eq!(fs_err::read_to_string(&path).unwrap(), report.render());
}
