//! `digits`: one figure from 0 to 9, drawn with a pen of varying width.

use super::backdrop::{backdrop, bright_colour, clutter, dim_colour};
use super::canvas::{Canvas, SIDE};
use super::geometry::{Pose, near_line, sin_cos};
use super::random::Stream;
use super::recipe::Recipe;

pub(super) const RECIPE: Recipe = Recipe {
    name: "digits",
    classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    template: "a photo of the number {}.",
    draw,
};

/// A stroke of the pen, in a frame from -1 (left, top) to 1 (right, bottom).
enum Stroke {
    /// Straight parts through these points.
    Line(&'static [(f64, f64)]),
    /// Part of an ellipse: centre, half axes, first and last angle in turns (clockwise from the
    /// right).
    Arc((f64, f64), (f64, f64), (f64, f64)),
}

use Stroke::{Arc, Line};

/// The strokes of each digit.
const GLYPHS: [&[Stroke]; 10] = [
    &[Arc((0.0, 0.0), (0.55, 0.95), (0.0, 1.0))],
    &[Line(&[(-0.35, -0.6), (0.05, -0.95), (0.05, 0.95)])],
    &[
        Arc((0.0, -0.42), (0.53, 0.53), (0.5, 1.1)),
        Line(&[(0.43, -0.11), (-0.55, 0.92), (0.58, 0.92)]),
    ],
    &[
        Arc((-0.02, -0.48), (0.5, 0.47), (0.55, 1.25)),
        Arc((-0.02, 0.45), (0.57, 0.5), (-0.25, 0.47)),
    ],
    &[Line(&[
        (0.25, 0.95),
        (0.25, -0.95),
        (-0.6, 0.35),
        (0.6, 0.35),
    ])],
    &[
        Line(&[(0.5, -0.93), (-0.42, -0.93), (-0.48, -0.08)]),
        Arc((-0.03, 0.36), (0.57, 0.58), (-0.37, 0.42)),
    ],
    &[
        Arc((0.0, 0.4), (0.53, 0.55), (0.0, 1.0)),
        Arc((0.55, 0.4), (1.08, 1.4), (0.5, 0.71)),
    ],
    &[Line(&[(-0.55, -0.92), (0.55, -0.92), (-0.15, 0.95)])],
    &[
        Arc((0.0, -0.48), (0.45, 0.46), (0.0, 1.0)),
        Arc((0.0, 0.46), (0.55, 0.5), (0.0, 1.0)),
    ],
    &[
        Arc((0.0, -0.4), (0.53, 0.55), (0.0, 1.0)),
        Arc((-0.55, -0.4), (1.08, 1.4), (0.0, 0.21)),
    ],
];

impl Stroke {
    /// The stroke as short straight parts.
    fn points(&self) -> Vec<(f64, f64)> {
        match self {
            Line(points) => points.to_vec(),
            &Arc(centre, axes, (first, last)) => (0..=16)
                .map(|step| {
                    let (sin, cos) = sin_cos(first + (last - first) * f64::from(step) / 16.0);
                    (centre.0 + axes.0 * cos, centre.1 + axes.1 * sin)
                })
                .collect(),
        }
    }
}

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let mut canvas = backdrop(dim_colour, random);
    clutter(&mut canvas, 4, (0.15, 0.4), random);
    let colour = bright_colour(random);
    let (slant, narrow) = (random.between(-0.1, 0.1), random.between(1.05, 1.2));
    let jitter = 0.04;
    let strokes: Vec<Vec<(f64, f64)>> = GLYPHS[class]
        .iter()
        .map(|stroke| {
            let (right, down) = (
                random.between(-jitter, jitter),
                random.between(-jitter, jitter),
            );
            let bend = |(x, y): (f64, f64)| (narrow * x - slant * y + right, y + down);
            stroke.points().into_iter().map(bend).collect()
        })
        .collect();
    let middle = 0.5 * SIDE as f64;
    let place = |random: &mut Stream| middle + random.between(-1.5, 1.5);
    let (x, y) = (place(random), place(random));
    let pose = Pose::new(
        x,
        y,
        random.between(26.0, 30.0),
        random.between(-0.03, 0.03),
    );
    let pen = random.between(0.17, 0.24);
    let inked = |u: f64, v: f64| strokes.iter().any(|line| near_line(line, pen, u, v));
    canvas.figure(&pose, 1.4, inked, colour, 0.95);
    clutter(&mut canvas, 1, (0.15, 0.4), random);
    canvas.grain(random.between(3.0, 10.0), random);
    canvas
}
