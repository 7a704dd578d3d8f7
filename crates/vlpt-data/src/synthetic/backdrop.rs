//! What stands behind and around the thing that a picture shows: gradients, clouds, clutter.

use super::canvas::{Canvas, Colour, SIDE, hsv, lightness, mix};
use super::geometry::{Pose, floor, near_line, sin_cos};
use super::random::Stream;

/// A colour of any hue that is neither very dark nor very pale.
pub(super) fn any_colour(random: &mut Stream) -> Colour {
    hsv(
        random.unit(),
        random.between(0.15, 0.8),
        random.between(0.3, 0.95),
    )
}

/// A colour that stands out from another by at least `contrast` of 255 levels of lightness.
pub(super) fn against(ground: Colour, contrast: f64, random: &mut Stream) -> Colour {
    let target = lightness(ground);
    for _ in 0..40 {
        let colour = hsv(
            random.unit(),
            random.between(0.1, 0.95),
            random.between(0.1, 1.0),
        );
        if (lightness(colour) - target).abs() >= contrast {
            return colour;
        }
    }
    if target > 127.0 {
        [20.0; 3]
    } else {
        [235.0; 3]
    }
}

/// Smooth noise in `[0, 1]`: random values on a lattice of `cell` pixels, joined smoothly.
#[derive(Debug, Clone)]
pub(super) struct Clouds {
    values: Vec<f64>,
    per_side: usize,
    cell: f64,
}

impl Clouds {
    /// Clouds of about `cell` pixels.
    pub(super) fn new(cell: f64, random: &mut Stream) -> Self {
        let per_side = (SIDE as f64 / cell).ceil() as usize + 2;
        let values = (0..per_side * per_side).map(|_| random.unit()).collect();
        Self {
            values,
            per_side,
            cell,
        }
    }

    /// The value at a point of the picture.
    pub(super) fn at(&self, x: f64, y: f64) -> f64 {
        let place = |p: f64| {
            let p = (p / self.cell).clamp(0.0, (self.per_side - 2) as f64);
            let whole = floor(p);
            let part = p - whole;
            (whole as usize, part * part * (3.0 - 2.0 * part))
        };
        let ((column, fx), (row, fy)) = (place(x), place(y));
        let value = |c: usize, r: usize| {
            let last = self.per_side - 1;
            self.values[r.min(last) * self.per_side + c.min(last)]
        };
        let top = value(column, row) * (1.0 - fx) + value(column + 1, row) * fx;
        let bottom = value(column, row + 1) * (1.0 - fx) + value(column + 1, row + 1) * fx;
        top * (1.0 - fy) + bottom * fy
    }
}

/// A dim colour, to put something bright on.
pub(super) fn dim_colour(random: &mut Stream) -> Colour {
    hsv(
        random.unit(),
        random.between(0.1, 0.6),
        random.between(0.1, 0.4),
    )
}

/// A bright colour, to put on something dim.
pub(super) fn bright_colour(random: &mut Stream) -> Colour {
    let colour = hsv(random.unit(), random.between(0.05, 0.45), 1.0);
    mix(
        colour,
        [255.0; 3],
        ((190.0 - lightness(colour)) / 65.0).clamp(0.0, 1.0),
    )
}

/// A backdrop of two colours: a gradient in any direction, clouds, or both.
pub(super) fn backdrop(of: impl Fn(&mut Stream) -> Colour, random: &mut Stream) -> Canvas {
    let first = of(random);
    let second = mix(first, of(random), random.between(0.3, 0.9));
    let (sin, cos) = sin_cos(random.unit());
    let clouds = Clouds::new(random.between(8.0, 26.0), random);
    let fine = Clouds::new(random.between(3.0, 6.0), random);
    let weight = random.unit();
    let side = SIDE as f64;
    Canvas::from_fn(|x, y| {
        let slope = 0.5 + 0.6 * ((x / side - 0.5) * cos + (y / side - 0.5) * sin);
        let cloud = 0.75 * clouds.at(x, y) + 0.25 * fine.at(x, y);
        mix(first, second, slope * (1.0 - weight) + cloud * weight)
    })
}

/// Scatters `pieces` half-transparent things that belong to no class: blobs, splinters and bent
/// lines.
pub(super) fn clutter(
    canvas: &mut Canvas,
    pieces: usize,
    opacity: (f64, f64),
    random: &mut Stream,
) {
    let side = SIDE as f64;
    for _ in 0..pieces {
        let pose = Pose::new(
            random.between(0.0, side),
            random.between(0.0, side),
            random.between(3.0, 13.0),
            random.unit(),
        );
        let colour = any_colour(random);
        let strength = random.between(opacity.0, opacity.1);
        match random.below(3) {
            0 => {
                let flat = random.between(0.25, 0.8);
                canvas.figure(
                    &pose,
                    1.0,
                    |u, v| u * u + (v * v) / (flat * flat) < 1.0,
                    colour,
                    strength,
                );
            }
            1 => {
                let (a, b) = (random.between(-0.6, 0.6), random.between(0.15, 0.6));
                let splinter = move |u: f64, v: f64| {
                    (-1.0..1.0).contains(&u) && v.abs() < b * (1.0 - u.abs()) + a * u * 0.3
                };
                canvas.figure(&pose, 1.5, splinter, colour, strength);
            }
            _ => {
                let bend = random.between(-0.7, 0.7);
                let line = [
                    (-1.3, 0.0),
                    (-0.4, bend),
                    (0.4, -bend * 0.4),
                    (1.3, bend * 0.5),
                ];
                let thick = random.between(0.9, 1.8) / pose.radius;
                let near = move |u: f64, v: f64| near_line(&line, thick, u, v);
                canvas.figure(&pose, 1.7, near, colour, strength);
            }
        }
    }
}
