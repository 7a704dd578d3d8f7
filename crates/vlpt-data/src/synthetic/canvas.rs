//! A small picture to paint on, with edges smoothed by sixteen samples a pixel.

use super::geometry::Pose;
use super::random::Stream;
use crate::image::RgbImage;

/// Width and height of every synthetic image, in pixels.
pub const SIDE: usize = 72;

/// Red, green and blue, each 0 to 255.
pub(super) type Colour = [f64; 3];

/// Samples along one side of a pixel.
const SAMPLES: usize = 4;

/// A square picture of [`SIDE`] pixels.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    pixels: Vec<Colour>,
}

impl Canvas {
    /// A picture whose pixels have the colour that `of` gives for their centre.
    pub(super) fn from_fn(of: impl Fn(f64, f64) -> Colour) -> Self {
        let pixels = (0..SIDE * SIDE)
            .map(|i| of((i % SIDE) as f64 + 0.5, (i / SIDE) as f64 + 0.5))
            .collect();
        Self { pixels }
    }

    /// Paints everything that `inside` holds, with the colour that `colour` gives for a point, both
    /// in pixels; `opacity` 1 covers.
    pub(super) fn paint(
        &mut self,
        inside: impl Fn(f64, f64) -> bool,
        colour: impl Fn(f64, f64) -> Colour,
        opacity: f64,
    ) {
        self.paint_within((0, SIDE), (0, SIDE), inside, colour, opacity);
    }

    /// As [`Canvas::paint`] in one opaque colour; `inside` holds nothing out of the box that has
    /// these two points as corners, the upper left first.
    pub(super) fn paint_box(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        inside: impl Fn(f64, f64) -> bool,
        colour: Colour,
    ) {
        let (columns, rows) = (pixels(from.0, to.0), pixels(from.1, to.1));
        self.paint_within(columns, rows, inside, |_, _| colour, 1.0);
    }

    /// Paints a figure in one colour; `inside` is given the figure's own coordinates, and holds
    /// nothing farther than `reach` from its centre.
    pub(super) fn figure(
        &mut self,
        pose: &Pose,
        reach: f64,
        inside: impl Fn(f64, f64) -> bool,
        colour: Colour,
        opacity: f64,
    ) {
        self.shaded(pose, reach, inside, |_, _| colour, opacity);
    }

    /// As [`Canvas::figure`], the colour depending on the figure's own coordinates.
    pub(super) fn shaded(
        &mut self,
        pose: &Pose,
        reach: f64,
        inside: impl Fn(f64, f64) -> bool,
        colour: impl Fn(f64, f64) -> Colour,
        opacity: f64,
    ) {
        let span = |centre: f64| {
            let low = (centre - pose.radius * reach)
                .floor()
                .clamp(0.0, SIDE as f64);
            let high = (centre + pose.radius * reach)
                .ceil()
                .clamp(0.0, SIDE as f64);
            (low as usize, high as usize)
        };
        self.paint_within(
            span(pose.x),
            span(pose.y),
            |x, y| {
                let (u, v) = pose.local(x, y);
                inside(u, v)
            },
            |x, y| {
                let (u, v) = pose.local(x, y);
                colour(u, v)
            },
            opacity,
        );
    }

    fn paint_within(
        &mut self,
        columns: (usize, usize),
        rows: (usize, usize),
        inside: impl Fn(f64, f64) -> bool,
        colour: impl Fn(f64, f64) -> Colour,
        opacity: f64,
    ) {
        let step = |i: usize| (i as f64 + 0.5) / SAMPLES as f64;
        for row in rows.0..rows.1 {
            for column in columns.0..columns.1 {
                let mut hits = 0_usize;
                for sample in 0..SAMPLES * SAMPLES {
                    let x = column as f64 + step(sample % SAMPLES);
                    let y = row as f64 + step(sample / SAMPLES);
                    hits += usize::from(inside(x, y));
                }
                if hits > 0 {
                    let over = colour(column as f64 + 0.5, row as f64 + 0.5);
                    let share = opacity * hits as f64 / (SAMPLES * SAMPLES) as f64;
                    let under = &mut self.pixels[row * SIDE + column];
                    *under = mix(*under, over, share);
                }
            }
        }
    }

    /// Adds noise to every pixel: a grey part and a coloured part, each of up to `strength` of 255
    /// levels up or down.
    pub(super) fn grain(&mut self, strength: f64, random: &mut Stream) {
        for pixel in &mut self.pixels {
            let grey = random.between(-strength, strength);
            for channel in pixel {
                *channel += grey + random.between(-strength, strength) * 0.5;
            }
        }
    }

    /// The picture in 8 bits a channel.
    pub(super) fn finish(&self) -> RgbImage {
        let data = self
            .pixels
            .iter()
            .flatten()
            .map(|channel| (channel + 0.5).clamp(0.0, 255.0) as u8)
            .collect();
        RgbImage {
            width: SIDE as u32,
            height: SIDE as u32,
            data,
        }
    }
}

/// The pixels of the picture that a range touches, as a half-open range.
fn pixels(from: f64, to: f64) -> (usize, usize) {
    let side = SIDE as f64;
    (
        from.floor().clamp(0.0, side) as usize,
        to.ceil().clamp(0.0, side) as usize,
    )
}

/// The colour at `share` of the way from one to another.
pub(super) fn mix(from: Colour, to: Colour, share: f64) -> Colour {
    [0, 1, 2].map(|i| from[i] + (to[i] - from[i]) * share)
}

/// Lightness as the eye weighs the channels (Rec. 601), 0 to 255.
pub(super) fn lightness(colour: Colour) -> f64 {
    0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
}

/// A colour from hue (in turns), saturation and value (0 to 1).
pub(super) fn hsv(hue: f64, saturation: f64, value: f64) -> Colour {
    let sixth = (hue - hue.floor()) * 6.0;
    [5.0, 3.0, 1.0].map(|shift: f64| {
        let k = (sixth + shift) - 6.0 * ((sixth + shift) / 6.0).floor();
        let ramp = k.min(4.0 - k).clamp(0.0, 1.0);
        255.0 * value * (1.0 - saturation * ramp)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_hues_are_pure() {
        assert_eq!(hsv(0.0, 1.0, 1.0), [255.0, 0.0, 0.0]);
        assert_eq!(hsv(0.5, 1.0, 1.0), [0.0, 255.0, 255.0]);
        assert_eq!(hsv(0.25, 0.0, 0.5), [127.5; 3]);
    }

    #[test]
    fn a_figure_off_the_picture_paints_nothing() {
        let mut canvas = Canvas::from_fn(|_, _| [10.0; 3]);
        let before = canvas.finish();
        canvas.figure(
            &Pose::new(-50.0, 300.0, 20.0, 0.1),
            1.0,
            |_, _| true,
            [0.0; 3],
            1.0,
        );
        assert_eq!(canvas.finish(), before);
    }

    #[test]
    fn a_half_covered_pixel_is_half_painted() {
        let mut canvas = Canvas::from_fn(|_, _| [0.0; 3]);
        canvas.paint(|x, _| x < 0.5, |_, _| [200.0; 3], 1.0);
        assert_eq!(canvas.finish().data[0], 100);
        assert_eq!(canvas.finish().data[3], 0);
    }
}
