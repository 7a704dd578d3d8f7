//! Arrow streams as `datasets` writes them: a writer of the part of the format that sets of images use.

/// A field of a table in a FlatBuffer.
pub(crate) enum Slot {
    None,
    Bytes(Vec<u8>),
    Text(String),
    Table(Vec<Slot>),
    Tables(Vec<Vec<Slot>>),
    Pairs(Vec<(i64, i64)>),
}

/// Appends a table, its own table of fields before it and its children behind; returns where it is.
fn put(fields: &[Slot], out: &mut Vec<u8>) -> usize {
    let width = |slot: &Slot| match slot {
        Slot::None => 0,
        Slot::Bytes(bytes) => bytes.len(),
        _ => 4,
    };
    let start = out.len();
    out.extend((4 + 2 * fields.len() as u16).to_le_bytes());
    let size: usize = fields.iter().map(width).sum();
    out.extend((4 + size as u16).to_le_bytes());
    let mut offset = 4_u16;
    for slot in fields {
        let here = if width(slot) == 0 { 0 } else { offset };
        out.extend(here.to_le_bytes());
        offset += width(slot) as u16;
    }
    let at = out.len();
    out.extend(((at - start) as i32).to_le_bytes());
    let mut open = Vec::new();
    for slot in fields {
        match slot {
            Slot::None => {}
            Slot::Bytes(bytes) => out.extend(bytes),
            other => {
                open.push((out.len(), other));
                out.extend([0; 4]);
            }
        }
    }
    for (place, slot) in open {
        let target = match slot {
            Slot::Table(fields) => put(fields, out),
            other => {
                let target = out.len();
                put_vector(other, out);
                target
            }
        };
        point(out, place, target);
    }
    at
}

fn point(out: &mut [u8], place: usize, target: usize) {
    out[place..place + 4].copy_from_slice(&((target - place) as u32).to_le_bytes());
}

fn put_vector(slot: &Slot, out: &mut Vec<u8>) {
    match slot {
        Slot::Text(text) => {
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.as_bytes());
        }
        Slot::Tables(tables) => {
            out.extend((tables.len() as u32).to_le_bytes());
            let first = out.len();
            out.extend(vec![0; 4 * tables.len()]);
            for (i, table) in tables.iter().enumerate() {
                let target = put(table, out);
                point(out, first + 4 * i, target);
            }
        }
        Slot::Pairs(pairs) => {
            out.extend((pairs.len() as u32).to_le_bytes());
            for (a, b) in pairs {
                out.extend(a.to_le_bytes());
                out.extend(b.to_le_bytes());
            }
        }
        _ => unreachable!("no vector"),
    }
}

/// A column with its values.
#[derive(Clone)]
pub(crate) enum Column {
    Binary(Vec<Option<Vec<u8>>>),
    Text(Vec<Option<String>>),
    LargeText(Vec<String>),
    Int(Vec<Option<i64>>),
    Lists(Vec<Vec<i32>>),
    /// What no reader here reads: floating point.
    Float(Vec<f32>),
    /// `bytes` and `path`.
    Image(Vec<(Option<Vec<u8>>, Option<String>)>),
    /// Numbers that stand for words of a dictionary.
    Dictionary(Vec<i32>),
}

fn int(bits: i32) -> Slot {
    Slot::Table(vec![
        Slot::Bytes(bits.to_le_bytes().to_vec()),
        Slot::Bytes(vec![1]),
    ])
}

fn field(name: &str, kind: u8, of: Slot, dictionary: Slot, children: Vec<Vec<Slot>>) -> Vec<Slot> {
    let children = Slot::Tables(children);
    let name = Slot::Text(name.to_owned());
    let (nullable, kind) = (Slot::Bytes(vec![1]), Slot::Bytes(vec![kind]));
    vec![name, nullable, kind, of, dictionary, children]
}

impl Column {
    fn field(&self, name: &str) -> Vec<Slot> {
        let plain = |name, kind| field(name, kind, Slot::Table(vec![]), Slot::None, vec![]);
        match self {
            Self::Binary(_) => plain(name, 4),
            Self::Text(_) => plain(name, 5),
            Self::LargeText(_) => plain(name, 20),
            Self::Float(_) => plain(name, 3),
            Self::Int(_) => field(name, 2, int(64), Slot::None, vec![]),
            Self::Dictionary(_) => {
                let encoding = Slot::Table(vec![Slot::Bytes(vec![0; 8])]);
                field(name, 5, Slot::Table(vec![]), encoding, vec![])
            }
            Self::Lists(_) => {
                let item = field("item", 2, int(32), Slot::None, vec![]);
                field(name, 12, Slot::Table(vec![]), Slot::None, vec![item])
            }
            Self::Image(_) => {
                let parts = vec![plain("bytes", 4), plain("path", 5)];
                field(name, 13, Slot::Table(vec![]), Slot::None, parts)
            }
        }
    }

    fn put(&self, body: &mut Body) {
        match self {
            Self::Binary(values) => {
                body.texts(values.iter().map(|v| v.as_deref()).collect(), false);
            }
            Self::Text(values) => {
                let values = values.iter().map(|v| v.as_deref().map(str::as_bytes));
                body.texts(values.collect(), false);
            }
            Self::LargeText(values) => {
                body.texts(values.iter().map(|v| Some(v.as_bytes())).collect(), true);
            }
            Self::Int(values) => {
                body.node(&values.iter().map(Option::is_some).collect::<Vec<_>>());
                let numbers = values.iter().flat_map(|v| v.unwrap_or(0).to_le_bytes());
                body.buffer(numbers.collect());
            }
            Self::Float(values) => {
                body.node(&vec![true; values.len()]);
                body.buffer(values.iter().flat_map(|v| v.to_le_bytes()).collect());
            }
            Self::Dictionary(values) => {
                body.node(&vec![true; values.len()]);
                body.buffer(values.iter().flat_map(|v| v.to_le_bytes()).collect());
            }
            Self::Lists(values) => {
                body.node(&vec![true; values.len()]);
                body.offsets(values.iter().map(Vec::len), false);
                let all = values.concat();
                body.node(&vec![true; all.len()]);
                body.buffer(all.iter().flat_map(|v| v.to_le_bytes()).collect());
            }
            Self::Image(values) => {
                body.node(&vec![true; values.len()]);
                body.texts(values.iter().map(|v| v.0.as_deref()).collect(), false);
                let paths = values.iter().map(|v| v.1.as_deref().map(str::as_bytes));
                body.texts(paths.collect(), false);
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Binary(v) => v.len(),
            Self::Text(v) => v.len(),
            Self::LargeText(v) => v.len(),
            Self::Int(v) => v.len(),
            Self::Lists(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Image(v) => v.len(),
            Self::Dictionary(v) => v.len(),
        }
    }
}

/// The buffers of a batch.
#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
    nodes: Vec<(i64, i64)>,
    buffers: Vec<(i64, i64)>,
}

impl Body {
    fn buffer(&mut self, bytes: Vec<u8>) {
        self.buffers
            .push((self.bytes.len() as i64, bytes.len() as i64));
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }

    fn node(&mut self, valid: &[bool]) {
        let nulls = valid.iter().filter(|valid| !**valid).count();
        self.nodes.push((valid.len() as i64, nulls as i64));
        let mut bits = vec![0_u8; valid.len().div_ceil(8)];
        for (i, _) in valid.iter().enumerate().filter(|(_, valid)| **valid) {
            bits[i / 8] |= 1 << (i % 8);
        }
        self.buffer(if nulls == 0 { Vec::new() } else { bits });
    }

    fn offsets(&mut self, lengths: impl Iterator<Item = usize>, wide: bool) {
        let mut sum = 0_i64;
        let sums = std::iter::once(0).chain(lengths.map(|length| {
            sum += length as i64;
            sum
        }));
        let bytes = sums.flat_map(|sum| sum.to_le_bytes()[..if wide { 8 } else { 4 }].to_vec());
        let bytes = bytes.collect();
        self.buffer(bytes);
    }

    fn texts(&mut self, values: Vec<Option<&[u8]>>, wide: bool) {
        self.node(&values.iter().map(Option::is_some).collect::<Vec<_>>());
        self.offsets(
            values.iter().map(|value| value.map_or(0, <[u8]>::len)),
            wide,
        );
        self.buffer(values.into_iter().flatten().flatten().copied().collect());
    }
}

/// A message: its header, of this kind, and its body.
pub(crate) fn message(kind: u8, header: Vec<Slot>, body: &[u8], out: &mut Vec<u8>) {
    description(kind, header, body.len() as i64, out);
    out.extend(body);
}

/// A message without the body, of so many bytes, that follows it.
pub(crate) fn description(kind: u8, header: Vec<Slot>, body: i64, out: &mut Vec<u8>) {
    let fields = vec![
        Slot::Bytes(4_i16.to_le_bytes().to_vec()),
        Slot::Bytes(vec![kind]),
        Slot::Table(header),
        Slot::Bytes(body.to_le_bytes().to_vec()),
    ];
    let mut buffer = vec![0; 4];
    let root = put(&fields, &mut buffer);
    point(&mut buffer, 0, root);
    buffer.resize(buffer.len().next_multiple_of(8), 0);
    out.extend([0xff; 4]);
    out.extend((buffer.len() as u32).to_le_bytes());
    out.extend(buffer);
}

/// A stream with these columns, one batch for each item; `huggingface` goes into its metadata.
pub(crate) fn stream(
    batches: &[Vec<(&str, Column)>],
    huggingface: &str,
    packed: Option<u8>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let fields = batches[0].iter().map(|(name, column)| column.field(name));
    let pair = |key: &str, value: &str| vec![Slot::Text(key.into()), Slot::Text(value.into())];
    let metadata = if huggingface.is_empty() {
        Slot::None
    } else {
        Slot::Tables(vec![pair("other", "x"), pair("huggingface", huggingface)])
    };
    let schema = vec![Slot::None, Slot::Tables(fields.collect()), metadata];
    message(1, schema, &[], &mut out);
    for columns in batches {
        let mut body = Body::default();
        for (_, column) in columns {
            column.put(&mut body);
        }
        let rows = columns[0].1.len() as i64;
        let codec = packed.map_or(Slot::None, |codec| {
            Slot::Table(vec![Slot::Bytes(vec![codec])])
        });
        let header = vec![
            Slot::Bytes(rows.to_le_bytes().to_vec()),
            Slot::Pairs(body.nodes),
            Slot::Pairs(body.buffers),
            codec,
        ];
        message(3, header, &body.bytes, &mut out);
    }
    out.extend([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    out
}
