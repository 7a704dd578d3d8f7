//! The report of a study: whole pages of every size, with every number in a table.

#![allow(clippy::unwrap_used)]

mod markup;

use vlpt_report::study::{
    GainChart, Grouping, Measure, Measured, Member, Pair, SeedGain, SimilarityPanel, Target,
    TaskGains, Transfer, TransferCell, TransferMap,
};
use vlpt_report::svg::{Gap, Merge, Tree};
use vlpt_report::{Interval, StudyReport};

use markup::check;

const EVIL: &str = "</title><script>alert('1')</script>\"&\u{1}";

fn share(value: f64) -> Interval {
    Interval {
        value,
        low: value - 0.01,
        high: value + 0.02,
    }
}

/// A score that no other pair has, in whole tenths of a per cent up to 31 tasks.
fn score(i: usize, j: usize) -> f64 {
    0.001 * ((i * 31 + j) % 1000) as f64
}

fn measured(i: usize, j: usize) -> TransferCell {
    TransferCell::Measured(Measured {
        score: score(i, j),
        std: Some(0.013),
        seeds: 3,
        over_single: Some(score(i, j) - 0.25),
        over_clip: Some(score(i, j) - 0.125),
    })
}

fn chain(n: usize) -> Tree {
    let merge = |k: usize| Merge {
        left: if k == 0 { 0 } else { n + k - 1 },
        right: k + 1,
        distance: k as f64,
    };
    Tree {
        order: (0..n).rev().collect(),
        merges: (0..n.saturating_sub(1)).map(merge).collect(),
    }
}

fn study(names: &[&str]) -> StudyReport {
    let n = names.len();
    let owned = || names.iter().map(|name| (*name).to_owned());
    let map = TransferMap {
        transfer: Transfer::Adapted,
        method: "coop".into(),
        setting: "5 shots, seeds 0 to 2".into(),
        sources: owned().collect(),
        targets: owned()
            .map(|name| Target {
                name,
                single: Some(0.25),
                clip: Some(0.125),
            })
            .collect(),
        cells: (0..n * n).map(|k| measured(k / n, k % n)).collect(),
        source_tree: chain(n),
        target_tree: Tree::default(),
        measures: vec![Measure::OverSingle, Measure::Score],
    };
    let panel = SimilarityPanel {
        similarity: "cosine".into(),
        transfer: Transfer::Adapted,
        method: "coop".into(),
        measure: Measure::OverSingle,
        pairs: owned()
            .enumerate()
            .map(|(i, name)| Pair {
                source: name.clone(),
                target: name,
                similarity: 0.0625 * i as f64,
                transfer: 0.03125,
            })
            .collect(),
        rho: Some(0.5),
        interval: Some((-0.25, 0.75)),
        interval_from: "bootstrap".into(),
    };
    let member = |task| Member {
        task,
        single: Some(share(0.333)),
        joint: Some(share(0.444)),
        gain: Some(0.3333),
    };
    let gains = |(i, name)| TaskGains {
        name,
        gains: vec![
            Some(SeedGain {
                gain: share(0.01 * i as f64),
                seeds: 3,
            }),
            None,
        ],
    };
    StudyReport {
        title: "study".into(),
        gains: vec![GainChart {
            title: "gains".into(),
            methods: vec!["coop".into(), "vpt".into()],
            tasks: owned().enumerate().map(gains).collect(),
        }],
        maps: vec![map],
        similarities: vec![panel],
        groupings: vec![Grouping {
            title: "greedy".into(),
            groups: vec![owned().map(member).collect()],
            tasks: owned().collect(),
            tree: chain(n),
        }],
        notes: owned().collect(),
        ..StudyReport::default()
    }
}

fn numbered(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("task {i}")).collect()
}

fn study_of(n: usize) -> StudyReport {
    let names = numbered(n);
    study(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The cells of a page's tables, in their order.
fn cells(page: &str) -> Vec<&str> {
    let parts = page.split("<td").skip(1);
    let inner = parts.map(|part| {
        part.split_once('>')
            .unwrap()
            .1
            .split("</td>")
            .next()
            .unwrap()
    });
    inner.collect()
}

#[test]
fn pages_of_every_size_are_well_formed() {
    for n in [0, 1, 2, 3, 40] {
        let report = study_of(n);
        check(&report.render()).unwrap_or_else(|e| panic!("{n} tasks: {e}"));
        for (name, figure) in report.figures() {
            check(&figure).unwrap_or_else(|e| panic!("{n} tasks, {name}: {e}"));
            assert!(
                figure.starts_with("<svg xmlns=") && figure.contains("<desc>"),
                "{name}"
            );
            assert!(!figure.contains("NaN") && !figure.contains("inf"), "{name}");
        }
    }
    check(&StudyReport::default().render()).unwrap();
}

#[test]
fn every_number_given_stands_in_a_table() {
    let page = study_of(4).render();
    let cells = cells(&page);
    let has = |text: String| assert!(cells.iter().any(|c| **c == text), "no cell {text}");
    for i in 0..4 {
        for j in 0..4 {
            has(format!("{:.1} % (sd 1.3, 3 seeds)", 100.0 * score(i, j)));
            has(format!("{:+.1} %", 100.0 * (score(i, j) - 0.25)));
            has(format!("{:+.1} %", 100.0 * (score(i, j) - 0.125)));
        }
        has(format!("{:.4}", 0.0625 * i as f64));
    }
    for text in [
        "33.3 %",
        "43.4 to 46.4 %",
        "44.4 %",
        "+33.3 %",
        "+3.0",
        "+2.0 to +5.0",
        "+3.1 %",
    ] {
        has(text.to_owned());
    }
    for text in ["+0.50", "-0.25 to +0.75", "12.5 %", "25.0 %"] {
        has(text.to_owned());
    }
}

#[test]
fn the_best_sources_are_other_tasks_with_the_highest_scores() {
    let report = study_of(5);
    let map = &report.maps[0];
    let best: Vec<_> = map.best_sources(4, 3).iter().map(|(i, _)| *i).collect();
    assert_eq!(best, [3, 2, 1]);
    assert!(map.best_sources(7, 3).is_empty());
    let page = report.render();
    let table = page.split("\"numbers best\"").nth(1).unwrap();
    let row = table.split("<th scope=\"row\">task 4</th>").nth(1).unwrap();
    let row = row.split("</tr>").next().unwrap();
    assert!(row.contains("<b>task 3</b> <span>9.7 % ("), "{row}");
}

#[test]
fn missing_cells_say_why_in_figure_table_and_list() {
    let mut report = study_of(2);
    let missing = |gap, reason: &str| TransferCell::Missing {
        gap,
        reason: reason.into(),
    };
    // the last cell is not given at all
    report.maps[0].cells = vec![
        measured(0, 0),
        missing(Gap::Failed, "no <memory>"),
        missing(Gap::Undefined, ""),
    ];
    let page = report.render();
    check(&page).unwrap();
    let why = "failed: no &lt;memory&gt;";
    assert!(page.contains(&format!("<title>task 0 \u{2192} task 1\n{why}</title>")));
    assert!(page.contains(&format!("title=\"{why}\">failed</td>")));
    assert!(page.contains(&format!(
        "1 cell without a value, {why} (task 0 \u{2192} task 1)"
    )));
    for word in [
        ">not run</td>",
        ">not defined</td>",
        ">not run</text>",
        "0 of 1",
    ] {
        assert!(page.contains(word), "{word}");
    }
}

#[test]
fn odd_names_stay_text_everywhere() {
    let long = "a very long name of a task that nobody would want to read twice ".repeat(4);
    let report = study(&[EVIL, "\u{5b57}\u{732b}\u{72ac}", &long, "", "\u{202e}abc"]);
    let page = report.render();
    check(&page).unwrap();
    assert!(!page.contains("<script") && !page.contains('\u{1}'));
    assert!(page.contains(
        "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\u{fffd}"
    ));
    for (name, figure) in report.figures() {
        check(&figure).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            "{name}"
        );
    }
}

#[test]
fn a_page_is_the_same_each_time_and_holds_its_figures() {
    let report = study_of(3);
    let page = report.render();
    assert_eq!(page, report.clone().render());
    let figures = report.figures();
    assert_eq!(figures, report.figures());
    let names: std::collections::BTreeSet<_> = figures.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), figures.len(), "names are unique");
    assert_eq!(figures.len(), 6);
    for (name, figure) in &figures {
        assert!(page.contains(figure.as_str()), "{name}");
    }
    let bare = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http://", "https://", "<script", "<link", "@import", "url("] {
        assert!(!bare.contains(word), "{word} in the page");
    }
}

#[test]
fn written_figures_are_the_ones_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let report = study_of(2);
    report.write_figures(folder.path()).unwrap();
    for (name, figure) in report.figures() {
        let path = folder.path().join(format!("{name}.svg"));
        assert_eq!(fs_err::read_to_string(path).unwrap(), figure);
    }
}
