//! `shapes`: eight plane figures on a cluttered ground.

use super::backdrop::{against, backdrop, clutter};
use super::canvas::Canvas;
use super::geometry::{Pose, inside, regular, star};
use super::random::Stream;
use super::{Recipe, SIDE};

pub(super) const RECIPE: Recipe = Recipe {
    name: "shapes",
    classes: &[
        "circle", "square", "triangle", "star", "cross", "ring", "hexagon", "heart",
    ],
    template: "a photo of a {}.",
    draw,
};

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let mut canvas = backdrop(random);
    clutter(&mut canvas, 7, (0.25, 0.6), random);
    let colour = against(canvas.mean(), 70.0, random);
    let side = SIDE as f64;
    let radius = random.between(14.0, 26.0);
    let room = radius * 0.9;
    let pose = Pose::new(
        random.between(room, side - room),
        random.between(room, side - room),
        radius,
        random.between(-0.1, 0.1),
    );
    let figure = figure(class);
    canvas.figure(&pose, 1.05, &figure, colour, 0.95);
    clutter(&mut canvas, 3, (0.2, 0.45), random);
    canvas.grain(random.between(6.0, 20.0), random);
    canvas
}

/// The figure of a class: whether it holds a point, in a frame where all figures look about the
/// same size.
pub(super) fn figure(class: usize) -> Box<dyn Fn(f64, f64) -> bool> {
    match class {
        0 => Box::new(|u, v| u * u + v * v < 0.85 * 0.85),
        1 => Box::new(|u: f64, v: f64| u.abs().max(v.abs()) < 0.75),
        2 => polygon(regular(3)),
        3 => polygon(star(5, 0.42)),
        4 => Box::new(|u: f64, v: f64| u.abs().min(v.abs()) < 0.28 && u.abs().max(v.abs()) < 0.92),
        5 => Box::new(|u, v| (0.52 * 0.52..0.9 * 0.9).contains(&(u * u + v * v))),
        6 => polygon(regular(6)),
        _ => Box::new(heart),
    }
}

fn polygon(corners: Vec<(f64, f64)>) -> Box<dyn Fn(f64, f64) -> bool> {
    Box::new(move |u, v| inside(&corners, u, v))
}

/// The sextic heart curve, (x^2 + y^2 - 1)^3 < x^2 y^3.
fn heart(u: f64, v: f64) -> bool {
    let (x, y) = (1.3 * u, -1.3 * v + 0.1);
    let ring = x * x + y * y - 1.0;
    ring * ring * ring < x * x * y * y * y
}
