//! JPEG through libjpeg-turbo's C code, as Pillow: slow integer DCT, fancy upsampling.
//!
//! libjpeg goes on after errors in the data and fills with grey. Here the end of the file is an
//! error, as in Pillow, and errors inside the picture's data are errors unless the caller accepts
//! them. Warnings before the picture's data (odd headers, stray bytes) change no pixel and pass.

use super::convert;
use super::file::File;
use crate::error::Result;
use crate::image::rgb::RgbImage;
use mozjpeg::{ColorSpace, Decompress};
use mozjpeg_sys::{jpeg_common_struct, jpeg_error_mgr, msg_parm_union};
use std::cell::Cell;
use std::ffi::c_int;
use std::io::{self, BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Most pixels that all scans of a file may have together, some seconds of work: 20 scans of the largest image there
/// may be. Progressive files have about ten scans; libjpeg reads any number of them.
const MOST_SCANNED: u64 = 4_000_000_000;

/// Decodes a JPEG file.
pub(super) fn decode(file: &File<'_>, accept_damaged: bool) -> Result<RgbImage> {
    let ended = Cell::new(false);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let source = JpegBytes {
            rest: file.bytes,
            ended: &ended,
        };
        read(file, source, accept_damaged)
    }));
    STRICT.set(false);
    let stop = match outcome {
        Ok(Ok(_)) | Err(_) if ended.get() => {
            return Err(file.truncated(format!("the file ends after {} bytes", file.bytes.len())));
        }
        Ok(outcome) => return outcome,
        Err(payload) => payload.downcast::<Stop>(),
    };
    if matches!(stop.as_deref(), Ok(Stop::Warning)) {
        return Err(file.damaged("the compressed picture data is corrupt"));
    }
    let reason = reason(file.bytes);
    let missing = [
        "not implemented",
        "Unsupported",
        "precision",
        "not supported",
    ];
    if missing.iter().any(|word| reason.contains(word)) {
        Err(file.unsupported(reason))
    } else {
        Err(file.damaged(reason))
    }
}

/// Everything that may unwind out of libjpeg.
fn read(file: &File<'_>, source: JpegBytes<'_>, accept_damaged: bool) -> Result<RgbImage> {
    let header = Decompress::builder()
        .with_err(error_manager())
        .from_reader(source);
    let header = header.map_err(|error| file.damaged(error.to_string()))?;
    let (width, height) = header.size();
    // Four components and, in progressive files, two bytes for each coefficient.
    file.check_size(width as u64, height as u64, 4 + 8)?;
    let scans = scans(file.bytes);
    if (width as u64 * height as u64).saturating_mul(scans) > MOST_SCANNED {
        return Err(file.unsupported(format!(
            "{scans} scans of {width} x {height} pixels, more than {MOST_SCANNED} pixels in all"
        )));
    }
    let cmyk = match header.color_space() {
        ColorSpace::JCS_GRAYSCALE | ColorSpace::JCS_YCbCr | ColorSpace::JCS_RGB => false,
        ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK => true,
        _ => {
            let count = header.components().len();
            return Err(file.unsupported(format!("{count} colour components")));
        }
    };
    STRICT.set(!accept_damaged);
    let failed = |error: io::Error| file.damaged(error.to_string());
    let data = if cmyk {
        let mut picture = header.to_colorspace(ColorSpace::JCS_CMYK).map_err(failed)?;
        let pixels: Vec<[u8; 4]> = picture.read_scanlines().map_err(failed)?;
        finish(picture);
        // Adobe's polarity, as Pillow takes it: 255 is no ink.
        convert::cmyk(pixels.into_iter().map(|p| p.map(|ink| 255 - ink)))
    } else {
        let mut picture = header.rgb().map_err(failed)?;
        let pixels: Vec<u8> = picture.read_scanlines().map_err(failed)?;
        finish(picture);
        pixels
    };
    Ok(RgbImage {
        width: width as u32,
        height: height as u32,
        data,
    })
}

/// How many scans a file has, from the markers between its data.
fn scans(bytes: &[u8]) -> u64 {
    const SCAN: u8 = 0xda;
    let (mut at, mut scans) = (2, 0);
    while let Some(&[marker, code]) = bytes.get(at..at + 2) {
        match (marker, code) {
            // the end, or no marker where one is due: what follows is not counted
            (0xff, 0xd9) => break,
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, _) => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
                    break;
                };
                scans += u64::from(code == SCAN);
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
            _ => {
                // a scan's data, or stray bytes: on to the next byte that may begin a marker
                let rest = &bytes[at..];
                at += rest.iter().position(|&b| b == 0xff).unwrap_or(rest.len());
            }
        }
    }
    scans
}

/// Reads on to the end marker, so that a file without one is seen; all pixels are there already.
fn finish(picture: mozjpeg::decompress::DecompressStarted<JpegBytes<'_>>) {
    STRICT.set(false);
    // What is wrong behind the picture changes no pixel; a missing end is noted by the source.
    let _ = picture.finish();
}

/// Why libjpeg refuses these bytes, in its own words.
fn reason(bytes: &[u8]) -> String {
    let outcome = catch_unwind(|| {
        let picture = Decompress::new_mem(bytes)?.rgb();
        picture?.read_scanlines::<u8>().map(drop)
    });
    match outcome {
        Ok(Ok(())) => "refused by libjpeg".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => text.trim_start_matches("libjpeg fatal error: ").to_owned(),
            Err(_) => "refused by libjpeg".to_owned(),
        },
    }
}

/// Bytes in memory that note when a reader wants more than there is.
struct JpegBytes<'a> {
    rest: &'a [u8],
    ended: &'a Cell<bool>,
}

impl Read for JpegBytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.rest.read(buffer)
    }
}

impl BufRead for JpegBytes<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.ended.set(self.ended.get() || self.rest.is_empty());
        Ok(self.rest)
    }

    fn consume(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }
}

/// Why libjpeg was left.
enum Stop {
    /// It cannot go on.
    Fatal,
    /// It could, with made-up data.
    Warning,
}

thread_local! {
    /// Whether warnings end decoding: on while the picture's data is read.
    static STRICT: Cell<bool> = const { Cell::new(false) };
}

extern "C-unwind" fn on_error(_: &mut jpeg_common_struct) {
    resume_unwind(Box::new(Stop::Fatal)); // past the panic hook: prints nothing
}

/// Messages of level -1 are warnings, others are talk.
extern "C-unwind" fn on_message(_: &mut jpeg_common_struct, level: c_int) {
    if level < 0 && STRICT.get() {
        resume_unwind(Box::new(Stop::Warning));
    }
}

extern "C-unwind" fn ignore(_: &mut jpeg_common_struct) {}

extern "C-unwind" fn no_text(_: &mut jpeg_common_struct, _: &[u8; 80]) {}

/// libjpeg's error handling with nothing printed and nothing ignored.
fn error_manager() -> jpeg_error_mgr {
    jpeg_error_mgr {
        error_exit: Some(on_error),
        emit_message: Some(on_message),
        output_message: Some(ignore),
        format_message: Some(no_text),
        reset_error_mgr: Some(ignore),
        msg_code: 0,
        msg_parm: msg_parm_union::default(),
        trace_level: 0,
        num_warnings: 0,
        jpeg_message_table: std::ptr::null(),
        last_jpeg_message: 0,
        addon_message_table: std::ptr::null(),
        first_addon_message: 0,
        last_addon_message: 0,
    }
}
