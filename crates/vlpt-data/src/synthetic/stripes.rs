//! `stripes`: the direction of a faint pattern.

use super::backdrop::Clouds;
use super::backdrop::{against, any_colour, clutter};
use super::canvas::{Canvas, SIDE, mix};
use super::geometry::{floor, sin_cos};
use super::random::Stream;
use super::recipe::Recipe;

pub(super) const RECIPE: Recipe = Recipe {
    name: "stripes",
    classes: &[
        "horizontal stripes",
        "vertical stripes",
        "rising diagonal stripes",
        "falling diagonal stripes",
        "checks",
    ],
    template: "a photo of {}.",
    draw,
};

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let ground = any_colour(random);
    let ink = against(ground, 45.0, random);
    // the direction across the stripes, in turns
    let across = match class {
        0 => 0.25,
        1 => 0.0,
        2 => 0.125,
        3 => 0.375,
        _ => 0.25 * random.unit(),
    };
    let (sin, cos) = sin_cos(across + random.between(-0.03, 0.03));
    let period = random.between(7.0, 17.0);
    let (shift, width) = (random.unit(), random.between(0.35, 0.6));
    let clouds = Clouds::new(random.between(8.0, 20.0), random);
    let wobble = random.between(0.0, 3.0);
    let shade = any_colour(random);
    let half = 0.5 * SIDE as f64;
    let phase = |along: f64| {
        let p = along / period + shift;
        p - floor(p) < width
    };
    let mut canvas = Canvas::from_fn(|x, y| mix(ground, shade, 0.5 * clouds.at(x, y)));
    canvas.paint(
        |x, y| {
            let bend = wobble * clouds.at(x, y);
            let (dx, dy) = (x - half + bend, y - half + bend);
            let one = phase(dx * cos + dy * sin);
            if class == 4 {
                one ^ phase(dy * cos - dx * sin)
            } else {
                one
            }
        },
        |x, y| mix(ink, shade, 0.4 * clouds.at(y, x)),
        random.between(0.45, 0.9),
    );
    clutter(&mut canvas, 7, (0.4, 0.85), random);
    canvas.grain(random.between(8.0, 26.0), random);
    canvas
}
