//! Parquet and Arrow files with a hole of gigabytes: what they claim lies within the file.

use std::io::Write;
use std::path::Path;

use super::{Ends, Hostile};

/// A table, its ending, and what stands behind its hole.
pub(super) struct Table {
    pub(super) ending: &'static str,
    pub(super) hostile: Hostile,
    tail: Vec<u8>,
}

impl Table {
    pub(super) fn write(&self, path: &Path) {
        self.hostile.write(path);
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(&self.tail).unwrap();
    }
}

fn sparse(name: &'static str, bytes: Vec<u8>) -> Hostile {
    Hostile {
        name,
        bytes,
        length: Some(5 << 30),
        ends: Ends::Refused,
    }
}

/// A file that says its footer has so many bytes.
fn parquet(name: &'static str, footer: u32) -> Table {
    Table {
        ending: "parquet",
        hostile: sparse(name, b"PAR1".to_vec()),
        tail: [&footer.to_le_bytes()[..], b"PAR1"].concat(),
    }
}

/// A stream that says its first message has so many bytes.
fn arrow(name: &'static str, message: i32) -> Table {
    Table {
        ending: "arrow",
        hostile: sparse(name, [[0xff; 4], message.to_le_bytes()].concat()),
        tail: Vec::new(),
    }
}

pub(super) fn list() -> Vec<Table> {
    vec![
        parquet("a footer of 4 GiB in a hole", u32::MAX - 64),
        parquet("a footer of 64 MiB in a hole", 64 << 20),
        arrow("a message of 2 GiB in a hole", i32::MAX),
        arrow("a message of 64 MiB in a hole", 64 << 20),
    ]
}
