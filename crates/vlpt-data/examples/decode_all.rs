//! Decodes files and prints, for each, its name, size and the SHA-256 of its pixels, or why it was refused; tabs between.
//!
//!     cargo run -p vlpt-data --example decode_all -- FILE...

#![allow(clippy::print_stdout)]

use vlpt_base::hash::sha256;
use vlpt_data::image::{Limits, decode};

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let bytes = fs_err::read(&path)?;
        match decode(&bytes, &path, &Limits::default()) {
            Ok(image) => {
                let hash = sha256(&image.data);
                println!("{path}\tpixels\t{}x{}\t{hash}", image.width, image.height);
            }
            Err(error) => println!("{path}\trefused\t{error}\t"),
        }
    }
    Ok(())
}
