//! What `vlpt methods` says that a method gains is what `docs/results/methods.csv` has.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use vlpt_methods::METHODS;

/// Images a class that the words are of.
const SHOTS: &str = "16";
/// The set that "seven real sets" leaves out: the model knows its class names.
const KNOWN: &str = "cifar100";

/// Points over zero-shot of each method on each set, means over seeds.
fn gains() -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut all: BTreeMap<String, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for line in include_str!("../../../docs/results/methods.csv")
        .lines()
        .skip(1)
    {
        let cells: Vec<&str> = line.split(',').collect();
        let [task, method, _, shots, zero, value, _] = cells[..] else {
            panic!("{line}");
        };
        if shots == SHOTS {
            let gain = value.parse::<f64>().unwrap() - zero.parse::<f64>().unwrap();
            let tasks = all.entry(method.to_owned()).or_default();
            tasks.entry(task.to_owned()).or_default().push(gain);
        }
    }
    let mean =
        |(task, seeds): (String, Vec<f64>)| (task, seeds.iter().sum::<f64>() / seeds.len() as f64);
    let means = |(method, tasks): (String, BTreeMap<String, Vec<f64>>)| {
        (method, tasks.into_iter().map(mean).collect())
    };
    all.into_iter().map(means).collect()
}

#[test]
fn the_gains_that_methods_name_are_those_of_the_table() {
    let gains = gains();
    let mut named = 0;
    for spec in METHODS {
        let words = spec
            .good_for
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let Some((before, _)) = words.split_once(" points over zero-shot on seven real sets")
        else {
            continue;
        };
        let said: f64 = before.rsplit(' ').next().unwrap().parse().unwrap();
        let own = gains[spec.name].iter().filter(|(task, _)| *task != KNOWN);
        let own: Vec<f64> = own.map(|(_, gain)| *gain).collect();
        assert_eq!(own.len(), 7, "{}", spec.name);
        let mean = own.iter().sum::<f64>() / 7.0;
        let apart = (mean - said).abs();
        assert!(
            apart < 0.6,
            "{}: {words}; the table has {mean:.1}",
            spec.name
        );
        named += 1;
    }
    // all but zero-shot itself, and methods that were not measured yet and say nothing
    let silent = METHODS.iter().filter(|spec| spec.good_for.is_empty());
    assert_eq!(named + silent.count(), METHODS.len() - 1);
    assert!(named > 15, "{named}");
}
