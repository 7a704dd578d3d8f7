//! The bytes of protobuf messages, as far as ONNX needs them: varints, fixed 32-bit numbers and what
//! has a length. (Google, "Protocol Buffers: Encoding".)

/// A message being written: its fields one after the other.
#[derive(Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

/// The kinds of fields.
const VARINT: u64 = 0;
const LENGTH: u64 = 2;
const FIXED_32: u64 = 5;

impl Message {
    /// A whole number; negative ones as two's complement of 64 bits.
    pub(super) fn int(&mut self, field: u64, value: i64) {
        self.key(field, VARINT);
        varint(&mut self.bytes, value as u64);
    }

    /// A number of 32 bits.
    pub(super) fn float(&mut self, field: u64, value: f32) {
        self.key(field, FIXED_32);
        self.bytes.extend(value.to_le_bytes());
    }

    /// Text.
    pub(super) fn text(&mut self, field: u64, text: &str) {
        self.begin(field, text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }

    /// A message inside.
    pub(super) fn message(&mut self, field: u64, inner: &Message) {
        self.begin(field, inner.bytes.len() as u64);
        self.bytes.extend(&inner.bytes);
    }

    /// Key and length of a field whose bytes, so many, are written by somebody else right after.
    pub(super) fn begin(&mut self, field: u64, length: u64) {
        self.key(field, LENGTH);
        varint(&mut self.bytes, length);
    }

    /// What was written so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn key(&mut self, field: u64, kind: u64) {
        varint(&mut self.bytes, field << 3 | kind);
    }
}

/// Seven bits a byte, the lowest first.
fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_says() {
        let mut inner = Message::default();
        inner.int(1, 150);
        assert_eq!(inner.bytes(), [0x08, 0x96, 0x01]); // the example of the format's own page
        let mut outer = Message::default();
        outer.message(3, &inner);
        outer.text(2, "testing");
        outer.float(4, 1.0);
        let expected = [
            &[0x1a, 3, 0x08, 0x96, 0x01, 0x12, 7][..],
            b"testing",
            &[0x25, 0, 0, 0x80, 0x3f],
        ];
        assert_eq!(outer.bytes(), expected.concat());
        let mut negative = Message::default();
        negative.int(1, -1);
        assert_eq!(
            negative.bytes(),
            [&[0x08][..], &[0xff; 9], &[0x01]].concat()
        );
    }
}
