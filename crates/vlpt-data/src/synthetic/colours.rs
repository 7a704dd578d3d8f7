//! `colours`: the colour of the thing in front, among things of other colours.

use super::backdrop::clutter;
use super::canvas::{Canvas, Colour, SIDE, hsv, mix};
use super::geometry::Pose;
use super::random::Stream;
use super::recipe::Recipe;
use super::shapes;

pub(super) const RECIPE: Recipe = Recipe {
    name: "colours",
    classes: &[
        "red", "orange", "yellow", "green", "blue", "purple", "brown", "grey",
    ],
    template: "a photo of a {} thing.",
    draw,
};

/// Ranges of hue (in turns), saturation and value for each class.
const RANGES: [[(f64, f64); 3]; 8] = [
    [(-0.02, 0.015), (0.75, 0.95), (0.65, 0.95)],
    [(0.06, 0.09), (0.8, 1.0), (0.85, 1.0)],
    [(0.135, 0.17), (0.7, 1.0), (0.8, 1.0)],
    [(0.27, 0.40), (0.5, 0.9), (0.4, 0.8)],
    [(0.56, 0.66), (0.6, 0.95), (0.5, 0.95)],
    [(0.74, 0.81), (0.45, 0.85), (0.45, 0.8)],
    [(0.045, 0.085), (0.55, 0.8), (0.3, 0.48)],
    [(0.0, 1.0), (0.0, 0.06), (0.35, 0.65)],
];

fn colour_of(class: usize, random: &mut Stream) -> Colour {
    let [hue, saturation, value] = RANGES[class].map(|(low, high)| random.between(low, high));
    hsv(hue, saturation, value)
}

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let other = |random: &mut Stream| colour_of((class + 1 + random.below(7)) % 8, random);
    let (top, bottom) = (other(random), other(random));
    let mut canvas =
        Canvas::from_fn(|_, y| mix(mix(top, bottom, y / SIDE as f64), [128.0; 3], 0.35));
    clutter(&mut canvas, 5, (0.3, 0.7), random);
    let side = SIDE as f64;
    for _ in 0..4 {
        let (x, y) = (random.between(0.0, side), random.between(0.0, side));
        let pose = Pose::new(x, y, random.between(5.0, 10.0), random.unit());
        let figure = shapes::figure(random.below(8));
        let colour = other(random);
        canvas.figure(&pose, 1.05, figure, colour, 0.9);
    }
    let radius = random.between(14.0, 21.0);
    let place = |random: &mut Stream| random.between(radius * 0.9, side - radius * 0.9);
    let pose = Pose::new(place(random), place(random), radius, random.unit());
    let colour = colour_of(class, random);
    let dark = mix(colour, [0.0; 3], 0.35);
    let figure = shapes::figure(random.below(8));
    canvas.shaded(
        &pose,
        1.05,
        figure,
        |u, v| mix(colour, dark, 0.5 + 0.35 * (u + v)),
        1.0,
    );
    canvas.grain(random.between(5.0, 16.0), random);
    canvas
}
