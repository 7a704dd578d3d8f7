//! A FlatBuffer of nested tables: as much of the format as a description of Arrow's needs.

/// A field of a table, in the order of its schema.
pub(super) enum Field {
    /// Left at its default.
    Absent,
    U8(u8),
    I16(i16),
    I32(i32),
    I64(i64),
    Text(String),
    Table(Vec<Field>),
    /// A vector of tables; none where it is empty.
    Tables(Vec<Vec<Field>>),
    /// A vector of structs of two numbers.
    Pairs(Vec<(i64, i64)>),
}

/// Bytes of a field inside its table, alike for all so that every number is aligned.
const SLOT: usize = 8;

/// The buffer whose root is a table of these fields.
pub(super) fn buffer(root: &[Field]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    let at = table(&mut bytes, root);
    point(&mut bytes, 0, at);
    bytes
}

/// Writes a table and what it points at; returns its place.
fn table(bytes: &mut Vec<u8>, fields: &[Field]) -> usize {
    align(bytes);
    // where the fields lie comes before the table
    let places = bytes.len();
    let length = 4 + 2 * fields.len();
    let whole = SLOT * (1 + fields.len());
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend((whole as u16).to_le_bytes());
    for (number, field) in fields.iter().enumerate() {
        let place = if matches!(field, Field::Absent) || is_empty(field) {
            0
        } else {
            SLOT * (1 + number)
        };
        bytes.extend((place as u16).to_le_bytes());
    }
    align(bytes);
    let at = bytes.len();
    bytes.extend(((at - places) as i32).to_le_bytes());
    bytes.resize(at + whole, 0);
    for (number, field) in fields.iter().enumerate() {
        write(bytes, at + SLOT * (1 + number), field);
    }
    at
}

fn is_empty(field: &Field) -> bool {
    matches!(field, Field::Tables(tables) if tables.is_empty())
}

/// Writes a field into its slot; what does not fit there goes to the end.
fn write(bytes: &mut Vec<u8>, slot: usize, field: &Field) {
    match field {
        Field::Absent => {}
        Field::U8(value) => bytes[slot] = *value,
        Field::I16(value) => put(bytes, slot, &value.to_le_bytes()),
        Field::I32(value) => put(bytes, slot, &value.to_le_bytes()),
        Field::I64(value) => put(bytes, slot, &value.to_le_bytes()),
        Field::Text(text) => {
            let at = vector(bytes, text.len());
            point(bytes, slot, at);
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
        Field::Table(fields) => {
            let at = table(bytes, fields);
            point(bytes, slot, at);
        }
        Field::Tables(tables) if tables.is_empty() => {}
        Field::Tables(tables) => {
            let at = vector(bytes, tables.len());
            point(bytes, slot, at);
            let first = bytes.len();
            bytes.resize(first + 4 * tables.len(), 0);
            for (number, fields) in tables.iter().enumerate() {
                let at = table(bytes, fields);
                point(bytes, first + 4 * number, at);
            }
        }
        Field::Pairs(pairs) => {
            let at = vector(bytes, pairs.len());
            point(bytes, slot, at);
            for (one, two) in pairs {
                bytes.extend(one.to_le_bytes());
                bytes.extend(two.to_le_bytes());
            }
        }
    }
}

/// Begins a vector at the end, so that its items are aligned; returns its place.
fn vector(bytes: &mut Vec<u8>, count: usize) -> usize {
    align(bytes);
    bytes.extend([0; 4]);
    let at = bytes.len();
    bytes.extend((count as u32).to_le_bytes());
    at
}

fn align(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(SLOT), 0);
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// Lets the slot point at a later place.
fn point(bytes: &mut [u8], slot: usize, at: usize) {
    put(bytes, slot, &((at - slot) as u32).to_le_bytes());
}
