//! Pictures of a few pixels in every format that is read.

use std::io::Cursor;

use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder, colortype};
use vlpt_data::image::RgbImage;

const WIDTH: u32 = 13;
const HEIGHT: u32 = 9;
const WRITTEN: &str = "memory takes every byte";

/// A picture without two equal neighbours.
fn picture() -> RgbImage {
    let mut image = RgbImage::filled(WIDTH, HEIGHT, [0; 3]);
    for (index, value) in image.data.iter_mut().enumerate() {
        *value = (index * 37 % 251) as u8;
    }
    image
}

/// A PNG that is whole.
pub(crate) fn good_png() -> Vec<u8> {
    picture().png().expect(WRITTEN)
}

pub(crate) fn images() -> Vec<Vec<u8>> {
    let mut seeds = vec![good_png(), gif(false), gif(true), webp(true), webp(false)];
    seeds.extend([jpeg(false), jpeg(true)]);
    seeds.extend([24, 8, 4, 1].map(bmp));
    seeds.extend(tiffs());
    seeds
}

fn jpeg(progressive: bool) -> Vec<u8> {
    let mut compress = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    compress.set_size(WIDTH as usize, HEIGHT as usize);
    if progressive {
        compress.set_progressive_mode();
    } else {
        compress.set_fastest_defaults();
    }
    let mut started = compress.start_compress(Vec::new()).expect(WRITTEN);
    started.write_scanlines(&picture().data).expect(WRITTEN);
    started.finish().expect(WRITTEN)
}

fn gif(interlaced: bool) -> Vec<u8> {
    let colours: Vec<u8> = (0..16 * 3).map(|n| n * 5).collect();
    let pixels: Vec<u8> = (0..WIDTH * HEIGHT).map(|n| (n % 16) as u8).collect();
    let mut bytes = Vec::new();
    let mut encoder =
        gif::Encoder::new(&mut bytes, WIDTH as u16, HEIGHT as u16, &colours).expect(WRITTEN);
    let mut frame = gif::Frame::from_indexed_pixels(WIDTH as u16, HEIGHT as u16, pixels, Some(3));
    frame.interlaced = interlaced;
    encoder.write_frame(&frame).expect(WRITTEN);
    drop(encoder);
    bytes
}

fn webp(colour: bool) -> Vec<u8> {
    let (kind, data) = if colour {
        (image_webp::ColorType::Rgb8, picture().data)
    } else {
        (
            image_webp::ColorType::Rgba8,
            vec![77; (WIDTH * HEIGHT * 4) as usize],
        )
    };
    let mut bytes = Vec::new();
    image_webp::WebPEncoder::new(&mut bytes)
        .encode(&data, WIDTH, HEIGHT, kind)
        .expect(WRITTEN);
    bytes
}

/// A BMP of so many bits a pixel, uncompressed.
fn bmp(bits: u16) -> Vec<u8> {
    let palette = if bits <= 8 { 1u32 << bits } else { 0 };
    let line = (WIDTH * u32::from(bits)).div_ceil(32) * 4;
    let start = 54 + palette * 4;
    let mut bytes = b"BM".to_vec();
    for value in [start + line * HEIGHT, 0, start, 40, WIDTH, HEIGHT] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    for value in [0, line * HEIGHT, 2835, 2835, palette, 0] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend((0..palette * 4).map(|n| (n * 3) as u8));
    bytes.extend((0..line * HEIGHT).map(|n| (n * 7) as u8));
    bytes
}

fn tiffs() -> Vec<Vec<u8>> {
    let deflate = Compression::Deflate(DeflateLevel::Fast);
    let colour = [
        (Compression::Uncompressed, Predictor::None),
        (Compression::Packbits, Predictor::None),
        (Compression::Lzw, Predictor::Horizontal),
        (deflate, Predictor::Horizontal),
    ];
    let mut seeds: Vec<Vec<u8>> = colour
        .into_iter()
        .map(|(compression, predictor)| {
            tiff::<colortype::RGB8>(compression, predictor, &picture().data)
        })
        .collect();
    let deep: Vec<u16> = (0..WIDTH * HEIGHT * 4).map(|n| (n * 531) as u16).collect();
    let grey = &deep[..(WIDTH * HEIGHT) as usize];
    seeds.push(tiff::<colortype::Gray16>(
        Compression::Lzw,
        Predictor::None,
        grey,
    ));
    seeds.push(tiff::<colortype::RGBA16>(deflate, Predictor::None, &deep));
    seeds
}

fn tiff<C: colortype::ColorType>(
    compression: Compression,
    predictor: Predictor,
    data: &[C::Inner],
) -> Vec<u8>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    TiffEncoder::new(&mut file)
        .map(|encoder| {
            encoder
                .with_compression(compression)
                .with_predictor(predictor)
        })
        .and_then(|mut encoder| encoder.write_image::<C>(WIDTH, HEIGHT, data))
        .expect(WRITTEN);
    file.into_inner()
}

/// Sizes, filters and modes with pixels behind them.
pub(crate) fn resample() -> Vec<Vec<u8>> {
    let heads: [[u8; 5]; 6] = [
        [15, 15, 7, 0, 0],
        [90, 3, 31, 1, 0],
        [1, 90, 30, 0, 1],
        [95, 41, 63, 1, 1],
        [0, 0, 94, 0, 0],
        [33, 70, 31, 0, 2],
    ];
    heads
        .iter()
        .map(|head| [&head[..], &picture().data].concat())
        .collect()
}
