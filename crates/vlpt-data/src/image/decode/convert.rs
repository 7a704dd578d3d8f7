//! Pillow's conversions of other pixel modes to 8-bit RGB.

/// Grey repeated over three channels.
pub(super) fn grey(values: impl Iterator<Item = u8>) -> Vec<u8> {
    values.flat_map(|v| [v; 3]).collect()
}

/// The first three of `channels` bytes a pixel.
pub(super) fn first_three(data: &[u8], channels: usize) -> Vec<u8> {
    data.chunks_exact(channels)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect()
}

/// `a * b / 255`, rounded, in Pillow's integer arithmetic.
fn scaled(a: u8, b: u8) -> u8 {
    let t = u32::from(a) * u32::from(b) + 128;
    (((t >> 8) + t) >> 8) as u8
}

/// CMYK pixels, where 255 is full ink: each channel is `(255 - k) - ink * (255 - k) / 255`.
pub(super) fn cmyk(pixels: impl Iterator<Item = [u8; 4]>) -> Vec<u8> {
    pixels
        .flat_map(|[c, m, y, k]| {
            let light = 255 - k;
            [c, m, y].map(|ink| light.saturating_sub(scaled(ink, light)))
        })
        .collect()
}

/// Indices through a palette of RGB triples; an index past its end is black.
pub(super) fn palette(indices: impl Iterator<Item = u8>, colours: &[u8]) -> Vec<u8> {
    let mut table = [[0_u8; 3]; 256];
    for (entry, colour) in table.iter_mut().zip(colours.chunks_exact(3)) {
        entry.copy_from_slice(colour);
    }
    indices.flat_map(|i| table[usize::from(i)]).collect()
}

/// Samples of 1, 2, 4 or 8 bits, high bits first, from rows that begin on a byte.
pub(super) fn unpack(
    data: &[u8],
    width: usize,
    pitch: usize,
    bits: usize,
) -> impl Iterator<Item = u8> {
    let per_byte = 8 / bits;
    let mask = (0xff_u16 >> (8 - bits)) as u8;
    data.chunks_exact(pitch).flat_map(move |row| {
        (0..width).map(move |x| {
            let shift = 8 - bits - (x % per_byte) * bits;
            (row[x / per_byte] >> shift) & mask
        })
    })
}

/// What a grey sample of so many bits is multiplied by to fill 0..=255.
pub(super) fn grey_scale(bits: usize) -> u8 {
    match bits {
        1 => 255,
        2 => 85,
        4 => 17,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_ink_and_black_are_black_and_no_ink_is_white() {
        let pixels = [
            [0, 0, 0, 0],
            [255, 255, 255, 0],
            [0, 0, 0, 255],
            [255, 0, 0, 0],
        ];
        let rgb = cmyk(pixels.into_iter());
        assert_eq!(rgb, [255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 255, 255]);
    }

    #[test]
    fn samples_come_high_bits_first_and_rows_begin_on_a_byte() {
        let data = [0b1010_0000, 0b0100_0000];
        let samples: Vec<u8> = unpack(&data, 3, 1, 1).collect();
        assert_eq!(samples, [1, 0, 1, 0, 1, 0]);
        let samples: Vec<u8> = unpack(&[0x1f, 0x20], 3, 2, 4).collect();
        assert_eq!(samples, [1, 15, 2]);
    }
}
