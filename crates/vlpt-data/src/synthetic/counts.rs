//! `counts`: one to six balls.

use super::backdrop::{backdrop, bright_colour, clutter, dim_colour};
use super::canvas::{Canvas, SIDE, mix};
use super::geometry::Pose;
use super::random::Stream;
use super::recipe::Recipe;

pub(super) const RECIPE: Recipe = Recipe {
    name: "counts",
    classes: &[
        "one ball",
        "two balls",
        "three balls",
        "four balls",
        "five balls",
        "six balls",
    ],
    template: "a photo of {}.",
    draw,
};

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let mut canvas = backdrop(dim_colour, random);
    clutter(&mut canvas, 2, (0.1, 0.3), random);
    let colour = bright_colour(random);
    for (x, y, radius) in places(class + 1, random) {
        let pose = Pose::new(x, y, radius, 0.0);
        let ball = |u: f64, v: f64| u * u + v * v < 1.0;
        let shade = move |u: f64, v: f64| {
            // light from the upper left
            let (du, dv) = (u + 0.35, v + 0.4);
            let shine = (1.0 - (du * du + dv * dv) * 3.0).clamp(0.0, 1.0);
            let base = mix(colour, [0.0; 3], (0.25 + 0.3 * (u + v)).clamp(0.0, 0.6));
            mix(base, [255.0; 3], 0.7 * shine)
        };
        canvas.shaded(&pose, 1.0, ball, shade, 1.0);
    }
    canvas.grain(random.between(3.0, 10.0), random);
    canvas
}

/// Places of `count` balls that do not touch: x, y and radius in pixels.
fn places(count: usize, random: &mut Stream) -> Vec<(f64, f64, f64)> {
    let side = SIDE as f64;
    let size = random.between(8.3, 9.2);
    let mut shrink = 1.0;
    let mut balls: Vec<(f64, f64, f64)> = Vec::new();
    while balls.len() < count {
        let radius = size * shrink * random.between(0.92, 1.08);
        let x = random.between(radius + 1.0, side - radius - 1.0);
        let y = random.between(radius + 1.0, side - radius - 1.0);
        let free = balls.iter().all(|&(bx, by, br)| {
            let (dx, dy, apart) = (x - bx, y - by, radius + br + 2.0);
            dx * dx + dy * dy > apart * apart
        });
        if free {
            balls.push((x, y, radius));
        } else {
            // smaller with every miss, so that the search ends
            shrink *= 0.995;
        }
    }
    balls
}
