//! Images that cannot be decoded, among rows of features: a row of NaN keeps their place until the file is written.

use std::io::{self, Read};

use serde::Serialize;

use crate::kept_rows::is_no_row;

/// An image that has no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LeftOut {
    /// Its name.
    pub(super) name: String,
    /// Why.
    pub(super) reason: String,
}

/// Most names that are told.
const TOLD: usize = 10;

/// Who was left out, in words.
pub(super) fn told(left_out: &[LeftOut], of: usize) -> String {
    let mut text = format!(
        "note: {} of {of} images cannot be decoded and have no row:",
        left_out.len()
    );
    for image in left_out.iter().take(TOLD) {
        text += &format!("\n  {}", image.reason);
    }
    if left_out.len() > TOLD {
        text += &format!("\n  and {} more", left_out.len() - TOLD);
    }
    text
}

/// Reads rows of `row` bytes without those of images that are left out.
pub(super) struct WholeRows<'a> {
    all: &'a mut dyn Read,
    row: Vec<u8>,
    /// Bytes of `row` that were given on.
    given: usize,
}

impl<'a> WholeRows<'a> {
    /// Rows of `width` numbers each.
    pub(super) fn new(all: &'a mut dyn Read, width: usize) -> Self {
        let row = vec![0; width * size_of::<f32>()];
        let given = row.len();
        Self { all, row, given }
    }
}

impl Read for WholeRows<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.row.len() {
            match self.all.read_exact(&mut self.row) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                outcome => outcome?,
            }
            if !is_no_row(&self.row) {
                self.given = 0;
            }
        }
        let count = into.len().min(self.row.len() - self.given);
        into[..count].copy_from_slice(&self.row[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept_rows::no_row;
    use crate::output;

    #[test]
    fn rows_of_left_out_images_are_passed_over() {
        let rows = [&[1.0, f32::NAN][..], &no_row(2), &[3.0, 4.0], &no_row(2)].concat();
        let bytes = output::bytes(&rows);
        let mut kept = Vec::new();
        let mut all = &bytes[..];
        WholeRows::new(&mut all, 2).read_to_end(&mut kept).unwrap();
        assert_eq!(kept, [&bytes[..8], &bytes[16..24]].concat());
    }
}
