//! Pillow's resampler for 8-bit RGB: horizontal pass, rounding to 8 bits, vertical pass.
//!
//! The sums are i32 and exact, so their order and the width of the SIMD registers change nothing.
//! Only the part of the result that is asked for is computed, and source rows are streamed into
//! running sums, so memory depends on the result's size and never on the aspect ratio.

mod columns;
mod lanes;
mod quad;
mod rows;
mod turned;

use super::filter::{Interpolation, Taps};
use super::rgb::RgbImage;
use super::settings::ResizeOrder;
use columns::Columns;
use lanes::Lanes;
use quad::{Quad, ROWS};
use rows::RunningRows;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    /// Left edge.
    pub(super) x: u32,
    /// Top edge.
    pub(super) y: u32,
    /// Width.
    pub(super) width: u32,
    /// Height.
    pub(super) height: u32,
}

impl Area {
    /// All of an image of this size.
    pub(super) fn whole(width: u32, height: u32) -> Self {
        Self {
            x: 0,
            y: 0,
            width,
            height,
        }
    }

    /// The same rectangle with rows and columns changed over.
    fn turned(self) -> Self {
        Self {
            x: self.y,
            y: self.x,
            width: self.height,
            height: self.width,
        }
    }
}

/// Crops `source` out of the image, resizes it to `size` (width, height), and gives the `keep` part
/// of that. `source` lies inside the image, `keep` inside `size`; nothing is empty.
pub(super) fn resample(
    image: &RgbImage,
    source: Area,
    size: (u32, u32),
    keep: Area,
    filter: Interpolation,
    order: ResizeOrder,
) -> RgbImage {
    if order.vertical_first((source.width, source.height), size) {
        let upright = turned::part(image, source);
        let whole = Area::whole(source.height, source.width);
        let size = (size.1, size.0);
        let small = horizontal_first(&upright, whole, size, keep.turned(), filter);
        return turned::part(&small, Area::whole(small.width, small.height));
    }
    horizontal_first(image, source, size, keep, filter)
}

/// [`resample`] with columns first.
fn horizontal_first(
    image: &RgbImage,
    source: Area,
    size: (u32, u32),
    keep: Area,
    filter: Interpolation,
) -> RgbImage {
    let across = Taps::new(
        filter,
        source.width,
        size.0,
        keep.x as usize,
        keep.width as usize,
    );
    let down = Taps::new(
        filter,
        source.height,
        size.1,
        keep.y as usize,
        keep.height as usize,
    );
    let columns = Columns::new(&across);
    let mut result = RgbImage::filled(keep.width, keep.height, [0; 3]);
    let passes = Passes {
        image,
        source,
        columns: &columns,
        rows: &down,
        result: &mut result.data,
    };
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        pulp::Simd::vectorize(simd, WithLanes(passes, lanes::Avx2(simd)));
        return result;
    }
    pulp::Arch::new().dispatch(WithLanes(passes, lanes::Plain));
    result
}

/// What both passes read and write.
struct Passes<'a> {
    image: &'a RgbImage,
    source: Area,
    columns: &'a Columns,
    rows: &'a Taps,
    result: &'a mut [u8],
}

/// Both passes with one kernel, to be compiled for what the processor has.
struct WithLanes<'a, L>(Passes<'a>, L);

impl<L: Lanes> pulp::WithSimd for WithLanes<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        run(self.0, self.1);
    }
}

/// Both passes, band of rows by band of rows.
#[inline(always)]
fn run<L: Lanes>(passes: Passes<'_>, lanes: L) {
    let Passes {
        image,
        source,
        columns,
        rows,
        result,
    } = passes;
    let pitch = image.width as usize * 3;
    let left = (source.x as usize + columns.first()) * 3;
    let (from, to) = rows.reach();
    let mut padded: [Vec<Quad>; ROWS] = std::array::from_fn(|_| vec![[0; 4]; columns.padded()]);
    let mut band: [Vec<Quad>; ROWS] = std::array::from_fn(|_| vec![[0; 4]; columns.count()]);
    let mut sums = RunningRows::new(rows, columns.count());
    for row in (from..to).step_by(ROWS) {
        let count = ROWS.min(to - row);
        for (r, quads) in padded.iter_mut().take(count).enumerate() {
            let start = (source.y as usize + row + r) * pitch + left;
            let pixels = &image.data[start..][..columns.span() * 3];
            for (quad, pixel) in quads.iter_mut().zip(pixels.chunks_exact(3)) {
                *quad = [pixel[0], pixel[1], pixel[2], 0];
            }
        }
        columns.apply(lanes, &padded, &mut band);
        for (r, pixels) in band.iter().take(count).enumerate() {
            sums.add(rows, row + r, pixels, result);
        }
    }
}
