//! The token embedding, the largest tensor of a text tower.

use half::f16;
use half::slice::HalfFloatSliceExt;
use vlpt_kernels::Precision;

/// A row for each token of the vocabulary. Half as many bytes serve where they say the same: always
/// when every number is one of f16, as in OpenAI's checkpoints, and in a bf16 tower when f16 comes
/// much nearer to the numbers than the products do.
#[derive(Debug)]
pub(super) struct TokenEmbedding {
    width: usize,
    rows: Rows,
}

#[derive(Debug)]
enum Rows {
    F16(Vec<f16>),
    F32(Vec<f32>),
}

impl TokenEmbedding {
    /// `rows`: vocabulary x width.
    pub(super) fn new(rows: Vec<f32>, width: usize, precision: Precision) -> Self {
        let enough = |&x: &f32| {
            let near = f16::from_f32(x);
            match precision {
                Precision::F32 => near.to_f32().to_bits() == x.to_bits(),
                Precision::Bf16 => near.is_finite(),
            }
        };
        let rows = if rows.iter().all(enough) {
            Rows::F16(rows.iter().map(|&x| f16::from_f32(x)).collect())
        } else {
            Rows::F32(rows)
        };
        Self { width, rows }
    }

    pub(super) fn bytes(&self) -> usize {
        match &self.rows {
            Rows::F16(rows) => size_of_val(rows.as_slice()),
            Rows::F32(rows) => size_of_val(rows.as_slice()),
        }
    }

    /// Copies the row of a token.
    ///
    /// # Panics
    /// When the vocabulary does not have it.
    pub(super) fn read(&self, id: u32, to: &mut [f32]) {
        let numbers = match &self.rows {
            Rows::F16(rows) => rows.len(),
            Rows::F32(rows) => rows.len(),
        };
        let (first, vocabulary) = (id as usize * self.width, numbers / self.width);
        assert!(
            (id as usize) < vocabulary,
            "token {id} of a vocabulary of {vocabulary}"
        );
        match &self.rows {
            Rows::F16(rows) => rows[first..][..self.width].convert_to_f32_slice(to),
            Rows::F32(rows) => to.copy_from_slice(&rows[first..][..self.width]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(embedding: &TokenEmbedding, id: u32) -> Vec<f32> {
        let mut row = vec![0.0; embedding.width];
        embedding.read(id, &mut row);
        row
    }

    #[test]
    fn numbers_of_f16_are_held_as_such_and_come_back_to_the_bit() {
        let rows = vec![0.5, -0.0, 65504.0, f16::MIN_POSITIVE.to_f32()];
        let embedding = TokenEmbedding::new(rows.clone(), 2, Precision::F32);
        assert_eq!(embedding.bytes(), 8);
        let bits = |rows: &[f32]| rows.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&row(&embedding, 1)), bits(&rows[2..]));
        assert_eq!(bits(&row(&embedding, 0)), bits(&rows[..2]));
    }

    #[test]
    fn other_numbers_are_kept_whole_for_f32_and_near_for_bf16() {
        let rows = vec![0.1, 0.2, -0.3, 1e-3];
        let embedding = TokenEmbedding::new(rows.clone(), 4, Precision::F32);
        assert_eq!((embedding.bytes(), row(&embedding, 0)), (16, rows.clone()));
        let embedding = TokenEmbedding::new(rows.clone(), 4, Precision::Bf16);
        assert_eq!(embedding.bytes(), 8);
        for (got, want) in row(&embedding, 0).iter().zip(&rows) {
            assert!(
                (got - want).abs() <= want.abs() / 2048.0,
                "{got} for {want}"
            );
        }
        let large = TokenEmbedding::new(vec![1e5; 4], 4, Precision::Bf16);
        assert_eq!(row(&large, 0), [1e5; 4]);
    }
}
