//! Images in the rows of an Arrow stream, as `datasets` of Hugging Face writes it, read in place.
//!
//! A small reader of the part of Arrow's IPC format (stream and file) that such sets use: messages
//! one after the other, each a FlatBuffer with the places of buffers behind it. Only the FlatBuffers
//! are read when a file is opened; images are read by their offsets.

mod batch;
mod schema;
mod table;
mod values;

use std::path::PathBuf;

use bytes::Bytes;

use super::file_at::{FileAt, MOST_ROWS};
use super::root::Root;
use crate::error::{DataError, LayoutError, Result};

use batch::{Batch, Span};
use schema::Schema;
use table::Table;

pub use schema::ArrowLeaf;

/// Longest description of a message.
const MAX_DESCRIPTION: usize = 64 << 20;
/// What a file of the file format begins with, before the same messages as in a stream.
const FILE_MAGIC: &[u8] = b"ARROW1\0\0";
/// What stands before the length of a description; streams before 0.15 have the length alone.
const CONTINUES: [u8; 4] = [0xff; 4];

/// An Arrow file whose messages were found once. Opened for every image, so that many files do not
/// use up the open files of the process.
#[derive(Debug)]
pub struct ArrowTable {
    name: String,
    path: PathBuf,
    schema: Schema,
    batches: Vec<Batch>,
    /// First row of each batch, and the number of all rows at the end.
    starts: Vec<u64>,
    image_leaf: usize,
}

impl ArrowTable {
    /// Walks the messages of the file at `name` below `root`.
    ///
    /// # Errors
    /// It is absent, leaves the root, is no Arrow stream, ends early, is compressed, has more rows than
    /// are read, or says what its bytes cannot hold.
    pub fn open(root: &Root, name: &str) -> Result<Self> {
        let path = root.check_links(name)?;
        let file = FileAt::open(&path)?;
        let (schema, batches) = walk(&file).map_err(|what| damaged(name, &what))?;
        let mut starts = vec![0];
        let mut total = 0;
        for batch in &batches {
            total += batch.rows as u64; // below the bytes of the file
            starts.push(total);
        }
        if total > MOST_ROWS as u64 {
            let what = format!(
                "{total} rows, where one file may have {MOST_ROWS}: write the set as several files"
            );
            return Err(damaged(name, &what));
        }
        Ok(Self {
            name: name.to_owned(),
            path,
            schema,
            batches,
            starts,
            image_leaf: 0,
        })
    }

    /// Names the leaf column that holds the encoded images, such as `image.bytes`.
    #[must_use]
    pub fn with_image_leaf(self, image_leaf: usize) -> Self {
        Self { image_leaf, ..self }
    }

    /// Path relative to the root.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns, or their parts.
    pub fn leaves(&self) -> &[ArrowLeaf] {
        &self.schema.leaves
    }

    /// The JSON with which `datasets` describes the columns, from the schema's metadata.
    pub fn hugging_face(&self) -> Option<&str> {
        self.schema.hugging_face.as_deref()
    }

    /// Number of rows of each batch.
    pub fn batches(&self) -> impl Iterator<Item = usize> {
        self.batches.iter().map(|batch| batch.rows)
    }

    /// `file@row`, relative to the root.
    pub fn id(&self, row: u64) -> String {
        format!("{}@{row}", self.name)
    }

    /// The bytes of the image in a row.
    ///
    /// # Errors
    /// The file is damaged or cannot be read, there is no such row, or it holds no image.
    pub fn read(&self, row: u64) -> Result<Vec<u8>> {
        let broken = |what: &str| damaged(&self.id(row), what);
        let number = self.starts.partition_point(|start| *start <= row);
        let batch = number.checked_sub(1).and_then(|i| self.batches.get(i));
        let batch = batch.ok_or_else(|| broken("no such row"))?;
        let leaf = self.leaf(self.image_leaf)?;
        let file = FileAt::open(&self.path)?;
        let inside = (row - self.starts[number - 1]) as usize;
        let found = batch.one(&file, leaf, inside);
        let found = found.map_err(|what| broken(&what))?;
        found.ok_or_else(|| broken("the row holds no image bytes"))
    }

    fn leaf(&self, leaf: usize) -> Result<&ArrowLeaf> {
        let found = self.schema.leaves.get(leaf);
        found.ok_or_else(|| damaged(&self.name, &format!("no column {leaf}")))
    }

    /// The numbers of a leaf column of a batch, row by row. A row without a list around its value has
    /// one number; `None` stands for a row without a value or without a list.
    ///
    /// # Errors
    /// The file is damaged or cannot be read, or the column has another type.
    pub fn numbers(&self, leaf: usize, batch: usize) -> Result<Vec<Option<Vec<i64>>>> {
        self.rows_of(leaf, batch, Batch::numbers)
    }

    /// The texts or bytes of a leaf column of a batch, as [`ArrowTable::numbers`].
    ///
    /// # Errors
    /// The file is damaged or cannot be read, or the column has another type.
    pub fn texts(&self, leaf: usize, batch: usize) -> Result<Vec<Option<Vec<Bytes>>>> {
        self.rows_of(leaf, batch, Batch::texts)
    }

    /// Which rows of a batch have no value in a leaf column.
    ///
    /// # Errors
    /// The file is damaged or cannot be read.
    pub fn absent(&self, leaf: usize, batch: usize) -> Result<Vec<bool>> {
        let (leaf, file) = (self.leaf(leaf)?, FileAt::open(&self.path)?);
        let spans = self.batches[batch].spans(&file, leaf);
        let spans = spans.map_err(|what| damaged(&self.name, &what))?;
        Ok(spans.iter().map(Option::is_none).collect())
    }

    fn rows_of<T: Clone>(
        &self,
        leaf: usize,
        batch: usize,
        values: impl Fn(&Batch, &FileAt, &ArrowLeaf) -> std::result::Result<Vec<Option<T>>, String>,
    ) -> Result<Vec<Option<Vec<T>>>> {
        let (leaf, file) = (self.leaf(leaf)?, FileAt::open(&self.path)?);
        let batch = &self.batches[batch];
        let broken = |what: String| damaged(&self.name, &what);
        let spans = batch.spans(&file, leaf).map_err(broken)?;
        let values = values(batch, &file, leaf).map_err(broken)?;
        let one = |span: Span| {
            let Some((start, end)) = span else {
                return Ok(None);
            };
            let here = values.get(start..end);
            let here = here.ok_or_else(|| broken("a list of more values than there are".into()))?;
            let found: Vec<T> = here.iter().flatten().cloned().collect();
            Ok((leaf.lists() > 0 || !found.is_empty()).then_some(found))
        };
        spans.into_iter().map(one).collect()
    }
}

/// The schema and the batches of a stream.
fn walk(file: &FileAt) -> std::result::Result<(Schema, Vec<Batch>), String> {
    let read = |at: u64, length: usize| file.bytes_at(at, length).map_err(|e| e.to_string());
    let magic = read(0, file.len().min(8) as usize)?;
    let mut at: u64 = if magic == FILE_MAGIC { 8 } else { 0 };
    let mut schema: Option<Schema> = None;
    let mut batches = Vec::new();
    // a stream may end without its mark of the end
    while at < file.len() {
        let mut word = read(at, 4)?;
        at += 4;
        if word == CONTINUES {
            word = read(at, 4)?;
            at += 4;
        }
        let length = i32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length == 0 {
            break;
        }
        if length > MAX_DESCRIPTION {
            return Err("it does not begin as an Arrow stream, or a message is damaged".to_owned());
        }
        let description = read(at, length)?;
        at += length as u64;
        let message = Table::root(&description).ok_or("a message is damaged")?;
        let body = message.i64(3).unwrap_or(0);
        let body = u64::try_from(body).map_err(|_| format!("a message of {body} bytes"))?;
        let end = at.checked_add(body).filter(|end| *end <= file.len());
        let end = end.ok_or_else(|| {
            let left = file.len() - at;
            format!("it ends early: a message of {body} bytes, of which {left} are there")
        })?;
        let header = || message.table(2).ok_or("a message is damaged");
        match (message.u8(1).unwrap_or(0), &schema) {
            (1, None) => schema = Some(Schema::read(header()?)?),
            (2, Some(_)) => {} // the words of a column that is not read
            (3, Some(schema)) => {
                let batch = Batch::read(header()?, at, body)?;
                if !batch.fits(schema.nodes, schema.buffers) {
                    return Err("a batch has other columns than its schema".to_owned());
                }
                batches.push(batch);
            }
            (kind, _) => return Err(format!("a message of kind {kind}, which is not expected")),
        }
        at = end;
    }
    let schema = schema.ok_or("no schema: it is empty or no Arrow stream")?;
    Ok((schema, batches))
}

fn damaged(origin: &str, detail: &str) -> DataError {
    LayoutError::damaged(origin, "Arrow", &detail).into()
}
