//! Methods against one of them on each task, image by image.

use std::collections::BTreeMap;

use vlpt_tables::Table;
use vlpt_tables::answers::Answers;
use vlpt_tables::stats::{holm, permutation_test, shown_p};

use crate::Result;
use crate::results::KeptAnswers;

/// Every method against `reference` on each task: points, and p of the paired permutation test over test images,
/// where an image counts by the share of seeds that have it right, corrected by Holm's method over the tasks of a
/// method. Tasks whose images have several classes have no right and wrong answers, and are left out. None where there
/// is nothing to compare.
///
/// # Errors
/// A damaged file of answers.
pub(super) fn table(
    kept: &[KeptAnswers],
    shots: usize,
    measure: &str,
    reference: &str,
) -> Result<Option<Table>> {
    let own = kept
        .iter()
        .filter(|answers| answers.shots == shots && answers.measure == measure);
    let mut order: (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut shares: BTreeMap<(&str, &str), Shares> = BTreeMap::new();
    for answers in own {
        let (method, task) = (answers.method.as_str(), answers.task.as_str());
        if !order.0.contains(&method) {
            order.0.push(method);
        }
        if !order.1.contains(&task) {
            order.1.push(task);
        }
        let read = Answers::read(&answers.path)?;
        shares.entry((method, task)).or_default().add(&read);
    }
    let mut rows = Vec::new();
    for &method in order.0.iter().filter(|method| **method != reference) {
        let mut tests = Vec::new();
        for &task in &order.1 {
            let pair = (shares.get(&(method, task)), shares.get(&(reference, task)));
            let (Some(a), Some(b)) = pair else { continue };
            let Some(differences) = a.minus(b) else {
                continue;
            };
            let test = permutation_test(&differences, 0);
            tests.extend(test.map(|test| (task, a.seeds.max(b.seeds), test)));
        }
        let p: Vec<f64> = tests.iter().map(|(.., test)| test.p).collect();
        for ((task, seeds, test), corrected) in tests.into_iter().zip(holm(&p)) {
            rows.push(vec![
                method.to_owned(),
                task.to_owned(),
                format!("{:+.1}", 100.0 * test.mean),
                test.pairs.to_string(),
                seeds.to_string(),
                shown_p(test.p),
                shown_p(corrected),
            ]);
        }
    }
    let caption = format!(
        "Points above {reference} with {shots} shots on each task; p of the paired permutation test over n test images, \
         two-sided, an image counting by the share of seeds that have it right, and corrected by Holm's method over the \
         tasks of a method. It says nothing of other training images than these seeds drew."
    );
    Ok((!rows.is_empty()).then(|| Table {
        caption,
        head: ["method", "task", "points", "n", "seeds", "p", "p corrected"]
            .map(str::to_owned)
            .to_vec(),
        rows,
    }))
}

/// How many seeds have each image right.
#[derive(Default)]
struct Shares {
    seeds: u32,
    right: BTreeMap<String, u32>,
}

impl Shares {
    fn add(&mut self, answers: &Answers) {
        self.seeds += 1;
        for (image, right) in &answers.right {
            *self.right.entry(image.clone()).or_default() += u32::from(*right);
        }
    }

    /// The difference of the shares on each image; none where these are not the same images.
    fn minus(&self, other: &Self) -> Option<Vec<f64>> {
        if !self.right.keys().eq(other.right.keys()) {
            return None;
        }
        // over one denominator, so that equal differences are equal to the bit
        let both = f64::from(self.seeds * other.seeds);
        let one =
            |(a, b): (&u32, &u32)| (f64::from(a * other.seeds) - f64::from(b * self.seeds)) / both;
        Some(
            self.right
                .values()
                .zip(other.right.values())
                .map(one)
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_paired_over_seeds_and_tasks_corrected_together() {
        let dir = tempfile::tempdir().unwrap();
        let mut kept = Vec::new();
        let mut put = |task: &str, method: &str, seed: u64, right: &dyn Fn(usize) -> bool| {
            let path = dir.path().join(format!("{task}-{method}-{seed}.csv"));
            let mut text = "path,label,predicted\n".to_owned();
            for image in 0..12 {
                let predicted = if right(image) { "a" } else { "b" };
                text += &format!("{image},a,{predicted}\n");
            }
            fs_err::write(&path, text).unwrap();
            kept.push(KeptAnswers {
                task: task.to_owned(),
                measure: "score".to_owned(),
                method: method.to_owned(),
                shots: 4,
                seed,
                path,
            });
        };
        for seed in [1, 2] {
            put("x", "new", seed, &|image| image < 10);
            put("y", "new", seed, &|image| image < 6 + seed as usize);
        }
        put("x", "old", 0, &|image| image < 2);
        put("y", "old", 0, &|image| image < 6);
        let table = table(&kept, 4, "score", "old").unwrap().unwrap();
        // eight images that only the new one has right: p = 2 / 2^8
        let points = format!("{:+.1}", 800.0 / 12.0);
        assert_eq!(
            table.rows[0],
            ["new", "x", &points, "12", "2", "0.0078", "0.0156"]
        );
        // one image with both seeds, one with half of them: signs (1, 1/2) are as far in 2 of 4
        assert_eq!(
            table.rows[1][1..],
            ["y", "+12.5", "12", "2", "0.5000", "0.5000"]
        );
        assert!(super::table(&kept, 4, "score", "other").unwrap().is_none());
        assert!(super::table(&kept, 1, "score", "old").unwrap().is_none());
    }
}
