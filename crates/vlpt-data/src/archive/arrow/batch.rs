//! One record batch: where its buffers lie, and what stands in them. Nothing here panics on what a
//! file holds.

use bytes::Bytes;

use super::schema::{ArrowLeaf, Kind, Part};
use super::table::Table;
use super::values::{few_enough, int, is_set};
use crate::archive::file_at::{FileAt, MAX_MEMBER_BYTES};

/// Nodes and buffers of the rows of one message.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rows: usize,
    /// Number of values and of nulls.
    nodes: Vec<(usize, usize)>,
    /// Place in the file and number of bytes.
    buffers: Vec<(u64, usize)>,
}

/// The values that belong to a row, as places among the values of a part; `None` for a null.
pub(super) type Span = Option<(usize, usize)>;

impl Batch {
    /// # Errors
    /// It is compressed, or says what the `length` bytes of its body from `body` on cannot hold.
    pub(super) fn read(table: Table<'_>, body: u64, length: u64) -> Result<Self, String> {
        if let Some(packed) = table.table(3) {
            let how = match packed.u8(0).unwrap_or(0) {
                0 => "LZ4",
                _ => "Zstandard",
            };
            return Err(format!(
                "its batches are compressed with {how}, which is not read: write the set with `to_parquet`, or uncompressed"
            ));
        }
        let number = |n: i64| usize::try_from(n).map_err(|_| format!("a batch with {n} values"));
        let rows = number(table.i64(0).unwrap_or(0))?;
        // an image takes more than a byte
        if rows as u64 > length {
            return Err(format!("a batch of {rows} rows in {length} bytes"));
        }
        let nodes = table.pairs(1).into_iter();
        let nodes = nodes.map(|(values, nulls)| Ok((number(values)?, number(nulls)?)));
        let buffer = |(offset, size): (i64, i64)| {
            let (offset, size) = (u64::try_from(offset).ok()?, u64::try_from(size).ok()?);
            (offset.checked_add(size)? <= length).then_some(())?;
            Some((body.checked_add(offset)?, usize::try_from(size).ok()?))
        };
        let buffers = table.pairs(2).into_iter().map(|pair| {
            buffer(pair)
                .ok_or_else(|| format!("a buffer {pair:?} outside its batch of {length} bytes"))
        });
        Ok(Self {
            rows,
            nodes: nodes.collect::<Result<_, String>>()?,
            buffers: buffers.collect::<Result<_, String>>()?,
        })
    }

    /// Whether it has as many nodes and buffers as its schema asks for.
    pub(super) fn fits(&self, nodes: usize, buffers: usize) -> bool {
        self.nodes.len() == nodes && self.buffers.len() == buffers
    }

    fn values(&self, part: Part) -> usize {
        self.nodes.get(part.node).map_or(0, |node| node.0)
    }

    /// `length` bytes of a buffer from `start` on.
    fn bytes(
        &self,
        file: &FileAt,
        buffer: usize,
        start: usize,
        length: usize,
    ) -> Result<Vec<u8>, String> {
        let (place, size) = self.buffers.get(buffer).copied().unwrap_or_default();
        let end = start.checked_add(length).filter(|end| *end <= size);
        if end.is_none() || length as u64 > MAX_MEMBER_BYTES {
            return Err(format!(
                "{length} bytes at {start} of a buffer of {size} bytes"
            ));
        }
        let bytes = file.bytes_at(place + start as u64, length);
        bytes.map_err(|error| error.to_string())
    }

    /// Which values of a part are there; `None` where all are.
    fn valid(&self, file: &FileAt, part: Part) -> Result<Option<Vec<u8>>, String> {
        let (values, nulls) = self.nodes.get(part.node).copied().unwrap_or_default();
        if nulls == 0 {
            return Ok(None);
        }
        let bits = self.bytes(file, part.buffer, 0, values.div_ceil(8))?;
        Ok(Some(bits))
    }

    /// `count + 1` offsets from the one of value `first` on, which never fall.
    fn offsets(
        &self,
        file: &FileAt,
        part: Part,
        wide: bool,
        first: usize,
        count: usize,
    ) -> Result<Vec<usize>, String> {
        if count == 0 {
            return Ok(vec![0]);
        }
        few_enough(count)?;
        let width = if wide { 8 } else { 4 };
        let scaled = |n: usize| n.checked_mul(width).ok_or("an offset too far".to_owned());
        let length = scaled(count.saturating_add(1))?;
        let bytes = self.bytes(file, part.buffer + 1, scaled(first)?, length)?;
        let number = |chunk: &[u8]| usize::try_from(int(chunk, true)).ok();
        let offsets: Option<Vec<usize>> = bytes.chunks_exact(width).map(number).collect();
        offsets
            .filter(|offsets| offsets.is_sorted())
            .ok_or_else(|| "offsets that fall or are below 0".to_owned())
    }

    /// Which values of a leaf belong to each row, by the structs and lists around it.
    ///
    /// # Errors
    /// The batch is damaged, or lists are inside lists.
    pub(super) fn spans(&self, file: &FileAt, leaf: &ArrowLeaf) -> Result<Vec<Span>, String> {
        let mut spans: Vec<Span> = (0..self.rows).map(|row| Some((row, row + 1))).collect();
        let mut in_list = false;
        for part in &leaf.parts {
            let values = self.values(*part);
            if spans.iter().flatten().any(|(_, end)| *end > values) {
                return Err(format!("`{}` has {values} values only", leaf.path));
            }
            if !in_list && let Some(valid) = self.valid(file, *part)? {
                for span in &mut spans {
                    *span = span.filter(|(row, _)| is_set(&valid, *row));
                }
            }
            if let Kind::List { wide } = part.kind {
                if in_list {
                    return Err(format!("`{}` holds lists of lists", leaf.path));
                }
                let offsets = self.offsets(file, *part, wide, 0, values)?;
                for (start, end) in spans.iter_mut().flatten() {
                    (*start, *end) = (offsets[*start], offsets[*start + 1]);
                }
                in_list = true;
            }
        }
        Ok(spans)
    }

    /// Whether each of all values of a leaf is there, and the values as bytes.
    ///
    /// # Errors
    /// The batch is damaged, or the leaf holds something else.
    pub(super) fn texts(
        &self,
        file: &FileAt,
        leaf: &ArrowLeaf,
    ) -> Result<Vec<Option<Bytes>>, String> {
        let Some((part, Kind::Bytes { wide, .. })) = last(leaf) else {
            return Err(format!("`{}` holds no bytes", leaf.path));
        };
        let valid = self.valid(file, part)?;
        let values = self.values(part);
        let offsets = self.offsets(file, part, wide, 0, values)?;
        let (first, end) = (offsets[0], offsets.last().copied().unwrap_or(0));
        let data = Bytes::from(self.bytes(file, part.buffer + 2, first, end - first)?);
        let pairs = offsets.windows(2).enumerate();
        Ok(pairs
            .map(|(i, pair)| {
                let there = valid.as_ref().is_none_or(|valid| is_set(valid, i));
                there.then(|| data.slice(pair[0] - first..pair[1] - first))
            })
            .collect())
    }

    /// As [`Batch::texts`] for whole numbers.
    ///
    /// # Errors
    /// As there.
    pub(super) fn numbers(
        &self,
        file: &FileAt,
        leaf: &ArrowLeaf,
    ) -> Result<Vec<Option<i64>>, String> {
        let wrong = || format!("`{}` holds no whole numbers", leaf.path);
        let (part, kind) = last(leaf).ok_or_else(wrong)?;
        let values = few_enough(self.values(part))?;
        let valid = self.valid(file, part)?;
        let there = |i| valid.as_ref().is_none_or(|valid| is_set(valid, i));
        match kind {
            Kind::Bool => {
                let bits = self.bytes(file, part.buffer + 1, 0, values.div_ceil(8))?;
                let one = |i| there(i).then(|| i64::from(is_set(&bits, i)));
                Ok((0..values).map(one).collect())
            }
            Kind::Int { width, signed } => {
                let length = values.checked_mul(width).ok_or_else(wrong)?;
                let bytes = self.bytes(file, part.buffer + 1, 0, length)?;
                let numbers = bytes.chunks_exact(width).enumerate();
                Ok(numbers
                    .map(|(i, chunk)| there(i).then(|| int(chunk, signed)))
                    .collect())
            }
            _ => Err(wrong()),
        }
    }

    /// The bytes of one row of a leaf without lists around it; `None` for a null.
    ///
    /// # Errors
    /// The batch is damaged, or the leaf holds something else.
    pub(super) fn one(
        &self,
        file: &FileAt,
        leaf: &ArrowLeaf,
        row: usize,
    ) -> Result<Option<Vec<u8>>, String> {
        let Some((last, Kind::Bytes { wide, .. })) = last(leaf) else {
            return Err(format!("`{}` holds no bytes", leaf.path));
        };
        for part in &leaf.parts {
            if matches!(part.kind, Kind::List { .. }) || row >= self.values(*part) {
                return Err(format!("`{}` has no single value in row {row}", leaf.path));
            }
            if self.nodes[part.node].1 > 0 {
                let byte = self.bytes(file, part.buffer, row / 8, 1)?;
                if !is_set(&byte, row % 8) {
                    return Ok(None);
                }
            }
        }
        let offsets = self.offsets(file, last, wide, row, 1)?;
        let length = offsets[1] - offsets[0];
        self.bytes(file, last.buffer + 2, offsets[0], length)
            .map(Some)
    }
}

fn last(leaf: &ArrowLeaf) -> Option<(Part, Kind)> {
    leaf.parts.last().map(|part| (*part, part.kind))
}
