//! `shapes`: eight plane figures on a cluttered ground.

use super::backdrop::{backdrop, bright_colour, clutter, dim_colour};
use super::canvas::{Canvas, SIDE};
use super::geometry::{Pose, inside, regular, star};
use super::random::Stream;
use super::recipe::Recipe;

pub(super) const RECIPE: Recipe = Recipe {
    name: "shapes",
    classes: &[
        "circle", "square", "triangle", "star", "cross", "ring", "hexagon", "heart",
    ],
    template: "a photo of a {}.",
    draw,
};

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let mut canvas = backdrop(dim_colour, random);
    clutter(&mut canvas, 5, (0.15, 0.4), random);
    let colour = bright_colour(random);
    let middle = 0.5 * SIDE as f64;
    let place = |random: &mut Stream| middle + random.between(-2.0, 2.0);
    let (x, y) = (place(random), place(random));
    let pose = Pose::new(
        x,
        y,
        random.between(27.0, 32.0),
        random.between(-0.03, 0.03),
    );
    let figure = figure(class);
    canvas.figure(&pose, 1.05, &figure, colour, 0.95);
    clutter(&mut canvas, 1, (0.15, 0.4), random);
    canvas.grain(random.between(3.0, 10.0), random);
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
