//! Correction of many tests.

/// p-values corrected by Holm's step-down method ("A simple sequentially rejective multiple test
/// procedure", Scandinavian Journal of Statistics 6, 1979), in the order given: to call those below
/// a level different keeps the chance of one wrong call below that level.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut corrected = vec![0.0; p.len()];
    let mut least = 0.0_f64;
    for (rank, &at) in order.iter().enumerate() {
        least = least.max(p[at] * (p.len() - rank) as f64).min(1.0);
        corrected[at] = least;
    }
    corrected
}
