use super::*;
use crate::{Format, Score};

/// Two methods on three tasks and three seeds, `b` better by 10, 20 and 30 points; `zero` with one seed.
fn results() -> Results {
    let mut scores = Vec::new();
    let mut push = |method: &str, task: &str, seed: u64, value: f64| {
        scores.push(Score {
            measure: crate::SCORE.to_owned(),
            task: task.to_owned(),
            method: method.to_owned(),
            seed,
            shots: "16".to_owned(),
            value,
            seconds: Some(value),
        });
    };
    for (at, task) in ["x", "y", "z"].into_iter().enumerate() {
        push("zero", task, 0, 20.0);
        for seed in 0..3 {
            push("a", task, seed, 40.0 + seed as f64);
            push("b", task, seed, 50.0 + 10.0 * at as f64 + seed as f64);
        }
    }
    Results::new(scores).expect("each once")
}

#[test]
fn averages_are_over_tasks_first_and_then_over_seeds() {
    let without = ["z".to_owned()];
    let found = Comparison::new(&results(), None, &without, None).expect("a comparison");
    let [all, two] = &found.averages[..] else {
        panic!("two averages")
    };
    assert_eq!((all.tasks, two.tasks), (3, 2));
    let b = all.methods[2].expect("an average");
    // Seeds give 60, 61 and 62: 4.303 / sqrt(3) is half of the interval.
    assert_eq!((b.mean, b.count, b.std), (61.0, 3, Some(1.0)));
    assert!((b.half().expect("an interval") - 2.484_138).abs() < 1e-5);
    assert_eq!(two.methods[2].expect("an average").mean, 56.0);
    let zero = all.methods[0].expect("an average");
    assert_eq!((zero.mean, zero.count), (20.0, 1));
}

#[test]
fn a_method_that_lacks_a_task_has_no_average_and_the_task_no_rank() {
    let fewer: Vec<Score> = results()
        .scores()
        .iter()
        .filter(|s| (&*s.method, &*s.task) != ("a", "y"))
        .cloned()
        .collect();
    let found = Comparison::new(&Results::new(fewer).expect("each once"), None, &[], None)
        .expect("a comparison");
    assert_eq!(found.averages[0].methods[1], None);
    let ranking = found.ranking.as_ref().expect("ranks");
    assert_eq!(ranking.tasks, ["x", "z"]);
    assert_eq!(ranking.ranks.average, [3.0, 2.0, 1.0]);
    assert!(
        found
            .values()
            .write(Format::Csv)
            .contains("\na,41.0 ± 2.5,-,41.0 ± 2.5,-,2.00\n")
    );
}

#[test]
fn others_are_tested_against_the_reference_and_corrected() {
    let found = Comparison::new(&results(), Some("16"), &[], Some("a")).expect("a comparison");
    let [zero, b] = &found.pairs[..] else {
        panic!("two pairs")
    };
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
    assert_eq!(
        (zero.difference, zero.tasks, b.difference),
        (-21.0, 3, 20.0)
    );
    near(zero.p, 0.25);
    near(b.p, 0.25);
    near(b.corrected, 0.5);
    let table = found.tests();
    assert_eq!(table.rows[1], ["b", "+20.0", "3", "0.2500", "0.5000"]);
    assert!(
        table
            .caption
            .contains("With 3 tasks no p can be below 0.2500"),
        "{}",
        table.caption
    );
}

#[test]
fn choices_that_are_not_there_are_refused_with_what_there_is() {
    let wrong = [
        Comparison::new(&results(), Some("4"), &[], None),
        Comparison::new(&results(), None, &["w".to_owned()], None),
        Comparison::new(&results(), None, &[], Some("c")),
    ];
    for error in wrong.map(|found| found.expect_err("a wrong choice")) {
        assert!(
            error.hint().expect("a hint").contains("16")
                || error.hint().expect("a hint").contains("they have"),
            "{error}"
        );
    }
}
