//! `textures`: eight patterns that fill the picture.

use super::backdrop::{Clouds, against, any_colour, clutter};
use super::canvas::{Canvas, SIDE, mix};
use super::geometry::{floor, sin_cos};
use super::random::Stream;
use super::recipe::Recipe;

pub(super) const RECIPE: Recipe = Recipe {
    name: "textures",
    classes: &[
        "dots", "lines", "checks", "waves", "bricks", "net", "scales", "marble",
    ],
    template: "a pattern of {}.",
    draw,
};

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let ground = any_colour(random);
    let ink = against(ground, 50.0, random);
    let clouds = Clouds::new(random.between(9.0, 22.0), random);
    let fine = Clouds::new(random.between(3.5, 5.0), random);
    let (sin, cos) = sin_cos(random.between(-0.06, 0.06));
    let period = random.between(9.0, 16.0);
    let (shift_x, shift_y) = (random.between(0.0, 9.0), random.between(0.0, 9.0));
    let weight = random.between(0.8, 1.2);
    let half = 0.5 * SIDE as f64;
    let mut canvas = Canvas::from_fn(|x, y| mix(ground, ink, 0.25 * clouds.at(x, y)));
    canvas.paint(
        |x, y| {
            let (dx, dy) = (x - half, y - half);
            // coordinates in periods of the pattern
            let u = 8.0 + (dx * cos + dy * sin + shift_x) / period;
            let v = 8.0 + (dy * cos - dx * sin + shift_y) / period;
            match class {
                7 => {
                    let vein = (clouds.at(x, y) - 0.5).abs() + 0.25 * (fine.at(x, y) - 0.5);
                    vein < 0.07 * weight
                }
                _ => pattern(class, u, v, weight),
            }
        },
        |x, y| mix(ink, ground, 0.3 * fine.at(x, y)),
        random.between(0.6, 0.95),
    );
    clutter(&mut canvas, 5, (0.3, 0.75), random);
    canvas.grain(random.between(8.0, 24.0), random);
    canvas
}

/// Whether a regular pattern inks a point; one unit is one period, `weight` about 1 is its
/// heaviness.
fn pattern(class: usize, u: f64, v: f64, weight: f64) -> bool {
    let part = |p: f64| p - floor(p);
    let near = |p: f64, width: f64| part(p) < width;
    match class {
        0 => {
            let (x, y) = (part(u) - 0.5, part(v) - 0.5);
            x * x + y * y < 0.1 * weight
        }
        1 => near(v * 1.3, 0.4 * weight),
        2 => (floor(u) + floor(v)) % 2.0 == 0.0,
        3 => {
            // a parabola a half wave: close to a sine, and exact everywhere
            let x = part(u * 0.6) * 2.0;
            let bump = |t: f64| 4.0 * t * (1.0 - t);
            let wave = if x < 1.0 { bump(x) } else { -bump(x - 1.0) };
            near(v * 1.2 + 0.3 * wave, 0.4 * weight)
        }
        4 => {
            let row = floor(v * 1.4);
            let joint = near(u * 0.7 + 0.5 * (row % 2.0), 0.12 * weight);
            near(v * 1.4, 0.2 * weight) || joint
        }
        5 => near(u, 0.17 * weight) || near(v, 0.17 * weight),
        _ => {
            // rows of discs, each row over the one above; the ink is their rims
            let row = floor(v * 1.6);
            (0..2).any(|up| {
                let r = row - f64::from(up);
                let x = part(u + 0.5 * (r % 2.0)) - 0.5;
                let y = (v * 1.6 - r) / 1.6;
                let d = x * x + y * y;
                let covered = up == 1 && {
                    let x = part(u + 0.5 * (row % 2.0)) - 0.5;
                    let y = (v * 1.6 - row) / 1.6;
                    x * x + y * y < 0.3
                };
                !covered && (0.3 - 0.13 * weight..0.3).contains(&d)
            })
        }
    }
}
