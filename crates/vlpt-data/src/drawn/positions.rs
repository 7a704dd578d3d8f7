//! `positions`: where in the picture the ball lies.

use super::backdrop::{against, backdrop, clutter};
use super::canvas::{Canvas, mix};
use super::geometry::Pose;
use super::random::Stream;
use super::{Recipe, SIDE};

pub(super) const RECIPE: Recipe = Recipe {
    name: "positions",
    classes: &[
        "the top left",
        "the top right",
        "the middle",
        "the bottom left",
        "the bottom right",
    ],
    template: "a photo of a ball in {}.",
    draw,
};

/// Where a class's ball lies, as parts of the side.
const PLACES: [(f64, f64); 5] = [
    (0.25, 0.25),
    (0.75, 0.25),
    (0.5, 0.5),
    (0.25, 0.75),
    (0.75, 0.75),
];

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let mut canvas = backdrop(random);
    clutter(&mut canvas, 5, (0.2, 0.5), random);
    let colour = against(canvas.mean(), 75.0, random);
    let side = SIDE as f64;
    let (x, y) = PLACES[class];
    let near = |at: f64, random: &mut Stream| side * at + random.between(-6.0, 6.0);
    let (x, y) = (near(x, random), near(y, random));
    let pose = Pose::new(x, y, random.between(8.0, 13.0), 0.0);
    let shade = |u: f64, v: f64| {
        let (du, dv) = (u + 0.35, v + 0.4);
        let shine = (1.0 - (du * du + dv * dv) * 3.0).clamp(0.0, 1.0);
        let base = mix(colour, [0.0; 3], (0.25 + 0.3 * (u + v)).clamp(0.0, 0.6));
        mix(base, [255.0; 3], 0.7 * shine)
    };
    canvas.shaded(&pose, 1.0, |u, v| u * u + v * v < 1.0, shade, 1.0);
    clutter(&mut canvas, 3, (0.15, 0.4), random);
    canvas.grain(random.between(5.0, 16.0), random);
    canvas
}
