//! Decodes files and prints, for each, its name, size and the SHA-256 of its pixels, or why it was refused; tabs between.
//!
//!     cargo run -p vlpt-data --example decode_all -- FILE...

#![allow(clippy::print_stdout)]

use sha2::{Digest, Sha256};
use vlpt_data::image::{Limits, decode};

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let bytes = fs_err::read(&path)?;
        match decode(&bytes, &path, &Limits::default()) {
            Ok(image) => {
                let hash = Sha256::digest(&image.data);
                let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                println!("{path}\tpixels\t{}x{}\t{hex}", image.width, image.height);
            }
            Err(error) => println!("{path}\trefused\t{error}\t"),
        }
    }
    Ok(())
}
