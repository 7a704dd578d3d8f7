//! Groups of tasks that share a prompt, each member beside its single result.

use super::build::{Builder, DASH, cell, gain_cell, row, table, words};
use super::data::GainUnit;
use crate::data::{Interval, percent};
use crate::svg::{self, Bar, BarChart, Tree};

/// Groups of tasks that share a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouping {
    /// How they were found, with which method, shots and seeds.
    pub title: String,
    /// The groups.
    pub groups: Vec<Vec<Member>>,
    /// Names of the items of [`Self::tree`].
    pub tasks: Vec<String>,
    /// The clustering that groups come from; empty where there is none.
    pub tree: Tree,
}

/// A task of a group: scores from 0 to 1, means over seeds with intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Name of the task.
    pub task: String,
    /// The task alone.
    pub single: Option<Interval>,
    /// The prompt of the group.
    pub joint: Option<Interval>,
    /// Gain of joint over single.
    pub gain: Option<f64>,
}

/// A chart and a table for each grouping, with its tree where there is one.
pub(super) fn write(page: &mut Builder, groupings: &[Grouping], unit: GainUnit) {
    for grouping in groupings {
        page.heading(&grouping.title);
        chart(page, grouping);
        members(page, grouping, unit);
        if !grouping.tree.merges.is_empty() {
            tree(page, grouping);
        }
    }
}

/// The number of a group for people.
fn number(place: usize) -> String {
    (place + 1).to_string()
}

fn chart(page: &mut Builder, grouping: &Grouping) {
    let unknown = Interval {
        value: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
    };
    let groups = grouping.groups.iter().enumerate();
    let bars: Vec<_> = groups
        .flat_map(|(place, members)| members.iter().map(move |member| (place, member)))
        .map(|(place, member)| Bar {
            name: format!("{}: {}", number(place), member.task),
            values: vec![
                member.single.unwrap_or(unknown),
                member.joint.unwrap_or(unknown),
            ],
        })
        .collect();
    if bars.is_empty() {
        return;
    }
    let drawing = svg::bar_chart(&BarChart {
        title: "Group by group: a prompt of its own, or one for the group".to_owned(),
        methods: vec!["single".to_owned(), "joint".to_owned()],
        bars,
    });
    let description = format!(
        "Bars of two scores for each task of {} groups, with intervals over seeds; {}.",
        grouping.groups.len(),
        grouping.title
    );
    page.figure(
        &format!("groups {}", grouping.title),
        &drawing,
        &description,
    );
}

fn members(page: &mut Builder, grouping: &Grouping, unit: GainUnit) {
    let mut rows = Vec::new();
    for (place, members) in grouping.groups.iter().enumerate() {
        for member in members {
            let score = |score: Option<Interval>| {
                let value = score.map_or(f64::NAN, |s| s.value);
                let range = score.map_or_else(|| DASH.to_owned(), |s| s.range());
                [cell(&percent(value)), cell(&range)]
            };
            let mut cells = vec![cell(&number(place))];
            cells.extend(score(member.single));
            cells.extend(score(member.joint));
            cells.push(gain_cell(unit, member.gain));
            rows.push(row(&member.task, &cells));
        }
    }
    let head = [
        "task",
        "group",
        "single",
        "interval",
        "joint",
        "interval",
        "gain of joint",
    ];
    page.html += &table("", &head, &rows);
}

fn tree(page: &mut Builder, grouping: &Grouping) {
    if !grouping.tree.fits(grouping.tasks.len()) {
        page.paragraph("The clustering given is not one of these tasks and was left out.");
        return;
    }
    let drawing = svg::dendrogram("Which tasks join first", &grouping.tasks, &grouping.tree);
    page.figure(
        &format!("tree {}", grouping.title),
        &drawing,
        &format!("Dendrogram of {} tasks.", grouping.tasks.len()),
    );
    // each cluster is named by its tasks
    let mut clusters: Vec<Vec<usize>> = (0..grouping.tasks.len()).map(|i| vec![i]).collect();
    let mut rows = Vec::new();
    for (step, merge) in grouping.tree.merges.iter().enumerate() {
        let (left, right) = (clusters[merge.left].clone(), clusters[merge.right].clone());
        let names = |items: &[usize]| {
            let names: Vec<_> = items.iter().map(|&i| grouping.tasks[i].as_str()).collect();
            words(&names.join(", "))
        };
        let distance = format!("{:.4}", merge.distance);
        rows.push(row(
            &number(step),
            &[names(&left), names(&right), cell(&distance)],
        ));
        clusters.push([left, right].concat());
    }
    let inner = table("", &["step", "these", "join these", "at distance"], &rows);
    page.details("The tree as numbers", &inner);
}
