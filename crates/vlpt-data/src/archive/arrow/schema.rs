//! The columns of an Arrow stream.

use super::table::Table;

/// Deepest nesting of columns, and the most of them.
const MAX_DEPTH: usize = 32;
const MAX_COLUMNS: usize = 4096;
/// Longest name of a column, in bytes.
const MAX_NAME: usize = 1024;
/// The key of the schema's metadata under which `datasets` keeps what it knows.
const HUGGING_FACE: &str = "huggingface";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole numbers of so many bytes.
    Int {
        width: usize,
        signed: bool,
    },
    Bool,
    /// Texts or bytes; `wide` offsets have eight bytes.
    Bytes {
        text: bool,
        wide: bool,
    },
    List {
        wide: bool,
    },
    Struct,
    /// What is passed over, with this many buffers before those of its children.
    Other {
        buffers: usize,
    },
}

impl Kind {
    /// Number of buffers of its own.
    fn buffers(self) -> usize {
        match self {
            Self::Int { .. } | Self::Bool | Self::List { .. } => 2,
            Self::Bytes { .. } => 3,
            Self::Struct => 1,
            Self::Other { buffers } => buffers,
        }
    }
}

/// A step on the way from a column to its values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) kind: Kind,
    /// Its node and its first buffer in each batch.
    pub(super) node: usize,
    pub(super) buffer: usize,
}

/// Values of a column, or of a part of it.
#[derive(Debug, Clone)]
pub struct ArrowLeaf {
    /// Path with dots, such as `image.bytes`.
    pub path: String,
    /// Type as Arrow names it.
    pub type_name: String,
    pub(super) parts: Vec<Part>,
}

impl ArrowLeaf {
    fn kind(&self) -> Option<Kind> {
        self.parts.last().map(|part| part.kind)
    }

    /// Whether values are texts or bytes.
    pub fn is_bytes(&self) -> bool {
        matches!(self.kind(), Some(Kind::Bytes { .. }))
    }

    /// Whether values are texts.
    pub fn is_text(&self) -> bool {
        matches!(self.kind(), Some(Kind::Bytes { text: true, .. }))
    }

    /// Whether values are whole numbers.
    pub fn is_number(&self) -> bool {
        matches!(self.kind(), Some(Kind::Int { .. } | Kind::Bool))
    }

    /// Number of lists around a value.
    pub fn lists(&self) -> usize {
        let is_list = |part: &&Part| matches!(part.kind, Kind::List { .. });
        self.parts.iter().filter(is_list).count()
    }
}

/// The leaves of a schema, how many nodes and buffers a batch has, and what `datasets` says of it.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) leaves: Vec<ArrowLeaf>,
    pub(super) nodes: usize,
    pub(super) buffers: usize,
    pub(super) hugging_face: Option<String>,
}

impl Schema {
    /// # Errors
    /// It is damaged, big-endian, too deep, or holds columns whose place in a batch is not known here.
    pub(super) fn read(table: Table<'_>) -> Result<Self, String> {
        if table.i16(0).unwrap_or(0) != 0 {
            return Err("its numbers are big-endian, which is not read".to_owned());
        }
        let mut schema = Self::default();
        for field in table.tables(1) {
            let field = field.ok_or("a column of the schema is damaged")?;
            schema.field(field, "", &[], 0)?;
        }
        let mut pairs = table.tables(2).flatten();
        let pair = pairs.find(|pair| pair.text(0) == Some(HUGGING_FACE));
        schema.hugging_face = pair.and_then(|pair| pair.text(1)).map(str::to_owned);
        Ok(schema)
    }

    fn field(
        &mut self,
        field: Table<'_>,
        above: &str,
        parts: &[Part],
        depth: usize,
    ) -> Result<(), String> {
        if depth > MAX_DEPTH || self.nodes > MAX_COLUMNS {
            return Err(format!(
                "more than {MAX_COLUMNS} columns, or nested deeper than {MAX_DEPTH}"
            ));
        }
        let name = field.text(0).unwrap_or("");
        if name.len() > MAX_NAME {
            return Err(format!("a column with a name of {} bytes", name.len()));
        }
        let path = if above.is_empty() {
            name.to_owned()
        } else {
            format!("{above}.{name}")
        };
        let encoded = field.table(4).is_some();
        let (kind, type_name) = if encoded {
            (Kind::Other { buffers: 2 }, "dictionary".to_owned())
        } else {
            kind(field).map_err(|what| format!("the column `{path}` {what}"))?
        };
        let mut parts = parts.to_vec();
        parts.push(Part {
            kind,
            node: self.nodes,
            buffer: self.buffers,
        });
        self.nodes += 1;
        self.buffers += kind.buffers();
        let mut children = field.tables(5).filter(|_| !encoded).peekable();
        if children.peek().is_none() {
            self.leaves.push(ArrowLeaf {
                path,
                type_name,
                parts,
            });
            return Ok(());
        }
        for child in children {
            let child = child.ok_or_else(|| format!("the column `{path}` is damaged"))?;
            self.field(child, &path, &parts, depth + 1)?;
        }
        Ok(())
    }
}

/// What a field holds, by the numbers of the types in Arrow's `Schema.fbs`.
fn kind(field: Table<'_>) -> Result<(Kind, String), String> {
    let bytes = |text, wide| Kind::Bytes { text, wide };
    let other = |buffers| Kind::Other { buffers };
    let (kind, name) = match field.u8(2).unwrap_or(0) {
        1 => (other(0), "null"),
        2 => return int(field),
        3 => (other(2), "floating point"),
        4 => (bytes(false, false), "binary"),
        5 => (bytes(true, false), "utf8"),
        6 => (Kind::Bool, "bool"),
        7 => (other(2), "decimal"),
        8 => (other(2), "date"),
        9 => (other(2), "time"),
        10 => (other(2), "timestamp"),
        11 => (other(2), "interval"),
        12 => (Kind::List { wide: false }, "list"),
        13 => (Kind::Struct, "struct"),
        15 => (other(2), "fixed-size binary"),
        16 => (other(1), "fixed-size list"),
        17 => (other(2), "map"),
        18 => (other(2), "duration"),
        19 => (bytes(false, true), "large_binary"),
        20 => (bytes(true, true), "large_utf8"),
        21 => (Kind::List { wide: true }, "large_list"),
        number => {
            let name = match number {
                14 => "a union",
                22 => "run-end encoded",
                23 => "a binary view",
                24 => "a text view",
                25 | 26 => "a list view",
                _ => "of an unknown type",
            };
            return Err(format!(
                "is {name}, which is not read: write the set with `to_parquet` instead"
            ));
        }
    };
    Ok((kind, name.to_owned()))
}

fn int(field: Table<'_>) -> Result<(Kind, String), String> {
    let int = field.table(3).ok_or("is damaged")?;
    let bits = int.i32(0).unwrap_or(0);
    let signed = int.u8(1).unwrap_or(0) != 0;
    let width = match bits {
        8 => 1,
        16 => 2,
        32 => 4,
        64 => 8,
        _ => return Err(format!("has numbers of {bits} bits")),
    };
    let name = format!("{}int{bits}", if signed { "" } else { "u" });
    Ok((Kind::Int { width, signed }, name))
}
