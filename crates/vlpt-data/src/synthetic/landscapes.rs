//! `landscapes`: six views under any light.

use super::backdrop::{Clouds, any_colour, clutter};
use super::canvas::{Canvas, Colour, SIDE, hsv, mix};
use super::geometry::{Pose, inside};
use super::random::Stream;
use super::recipe::Recipe;

pub(super) const RECIPE: Recipe = Recipe {
    name: "landscapes",
    classes: &[
        "a meadow",
        "a night sky",
        "a sunset",
        "a mountain",
        "a desert",
        "a forest",
    ],
    template: "a photo of {}.",
    draw,
};

const SIDE_F: f64 = SIDE as f64;

fn draw(class: usize, random: &mut Stream) -> Canvas {
    let horizon = SIDE_F * random.between(0.45, 0.72);
    let mut canvas = match class {
        0 => meadow(horizon, random),
        1 => night(horizon, random),
        2 => sunset(horizon, random),
        3 => mountain(horizon, random),
        4 => desert(horizon, random),
        _ => forest(horizon, random),
    };
    // the light of the day, then things in the way
    let (cast, strength) = (any_colour(random), random.between(0.1, 0.5));
    canvas.paint(|_, _| true, |_, _| cast, strength);
    clutter(&mut canvas, 7, (0.35, 0.8), random);
    canvas.grain(random.between(8.0, 26.0), random);
    canvas
}

/// Sky from its top colour to its colour at the horizon, and ground below a wavy edge.
fn ground(
    sky: (Colour, Colour),
    earth: (Colour, Colour),
    horizon: f64,
    relief: f64,
    random: &mut Stream,
) -> Canvas {
    let clouds = Clouds::new(random.between(14.0, 28.0), random);
    let edge = move |x: f64| horizon + relief * (clouds.at(x, 0.0) - 0.5);
    let mut canvas = Canvas::from_fn(|_, y| mix(sky.0, sky.1, (y / horizon).min(1.0)));
    let depth = move |y: f64| ((y - horizon) / (SIDE_F - horizon)).clamp(0.0, 1.0);
    canvas.paint(
        |x, y| y > edge(x),
        |_, y| mix(earth.0, earth.1, depth(y)),
        1.0,
    );
    canvas
}

fn disc(canvas: &mut Canvas, x: f64, y: f64, radius: f64, colour: Colour) {
    canvas.figure(
        &Pose::new(x, y, radius, 0.0),
        1.0,
        |u, v| u * u + v * v < 1.0,
        colour,
        1.0,
    );
}

/// A triangle with its foot at `(x, foot)`.
fn peak(canvas: &mut Canvas, x: f64, foot: f64, half: f64, height: f64, colour: Colour) {
    let corners = [(x - half, foot), (x, foot - height), (x + half, foot)];
    let within = |px: f64, py: f64| inside(&corners, px, py);
    canvas.paint_box((x - half, foot - height), (x + half, foot), within, colour);
}

fn meadow(horizon: f64, random: &mut Stream) -> Canvas {
    let green = hsv(random.between(0.24, 0.34), 0.7, random.between(0.45, 0.8));
    let blue = hsv(0.57, random.between(0.3, 0.6), 0.95);
    let sky = (blue, mix(blue, [255.0; 3], 0.6));
    let mut canvas = ground(
        sky,
        (green, mix(green, [0.0; 3], 0.35)),
        horizon,
        12.0,
        random,
    );
    disc(
        &mut canvas,
        random.between(8.0, 64.0),
        random.between(8.0, 18.0),
        6.0,
        hsv(0.15, 0.5, 1.0),
    );
    for _ in 0..random.below(16) + 8 {
        let (x, y) = (
            random.between(0.0, SIDE_F),
            random.between(horizon + 6.0, SIDE_F),
        );
        let colour = hsv(random.unit(), 0.5, 1.0);
        disc(&mut canvas, x, y, random.between(1.0, 2.2), colour);
    }
    canvas
}

fn night(horizon: f64, random: &mut Stream) -> Canvas {
    let dark = hsv(random.between(0.6, 0.72), 0.7, random.between(0.08, 0.25));
    let sky = (dark, mix(dark, [90.0, 90.0, 130.0], 0.5));
    let mut canvas = ground(sky, ([12.0; 3], [25.0; 3]), horizon + 10.0, 16.0, random);
    for _ in 0..random.below(20) + 14 {
        let (x, y) = (random.between(0.0, SIDE_F), random.between(0.0, horizon));
        disc(
            &mut canvas,
            x,
            y,
            random.between(0.5, 1.1),
            [250.0, 250.0, 220.0],
        );
    }
    let (x, y) = (random.between(10.0, 62.0), random.between(9.0, 20.0));
    disc(&mut canvas, x, y, 7.0, [245.0, 240.0, 210.0]);
    disc(&mut canvas, x + 3.5, y - 1.5, 6.0, dark);
    canvas
}

fn sunset(horizon: f64, random: &mut Stream) -> Canvas {
    let glow = hsv(random.between(0.04, 0.1), 0.85, 1.0);
    let top = hsv(random.between(0.75, 0.95), 0.5, random.between(0.45, 0.75));
    let (sun, radius) = (random.between(16.0, 56.0), random.between(9.0, 14.0));
    let sea = hsv(random.between(0.6, 0.75), 0.5, 0.35);
    let mut canvas = Canvas::from_fn(|_, y| mix(top, glow, (y / horizon).min(1.0)));
    disc(&mut canvas, sun, horizon - 2.0, radius, hsv(0.14, 0.4, 1.0));
    canvas.paint(|_, y| y > horizon, |_, _| sea, 1.0);
    // the sun's path on the water
    for step in 0..8 {
        let y = horizon + 2.0 + f64::from(step) * random.between(2.6, 3.6);
        let half = radius * random.between(0.3, 1.0);
        let at = sun + random.between(-3.0, 3.0);
        canvas.paint(
            |px, py| (py - y).abs() < 0.8 && (px - at).abs() < half,
            |_, _| glow,
            0.9,
        );
    }
    canvas
}

fn mountain(horizon: f64, random: &mut Stream) -> Canvas {
    let pale = hsv(random.between(0.5, 0.62), random.between(0.1, 0.35), 0.95);
    let white = [238.0, 242.0, 250.0];
    let mut canvas = ground(
        (pale, white),
        (white, [190.0, 200.0, 215.0]),
        horizon,
        6.0,
        random,
    );
    for _ in 0..3 {
        let (x, foot) = (
            random.between(4.0, 68.0),
            horizon + random.between(2.0, 6.0),
        );
        let (half, height) = (random.between(16.0, 28.0), random.between(24.0, 40.0));
        let rock = hsv(0.62, random.between(0.1, 0.3), random.between(0.3, 0.5));
        peak(&mut canvas, x, foot, half, height, rock);
        let cap = random.between(0.3, 0.45);
        peak(
            &mut canvas,
            x,
            foot - height * (1.0 - cap),
            half * cap,
            height * cap,
            white,
        );
    }
    canvas
}

fn desert(horizon: f64, random: &mut Stream) -> Canvas {
    let sand = hsv(random.between(0.09, 0.13), random.between(0.4, 0.65), 0.92);
    let blue = hsv(random.between(0.52, 0.6), random.between(0.2, 0.5), 0.95);
    let mut canvas = ground(
        (blue, mix(blue, sand, 0.7)),
        (sand, sand),
        horizon,
        14.0,
        random,
    );
    for dune in 0..3 {
        let clouds = Clouds::new(random.between(20.0, 34.0), random);
        let foot = horizon + 5.0 + 8.0 * f64::from(dune);
        let shade = mix(sand, [120.0, 70.0, 30.0], 0.12 + 0.12 * f64::from(dune));
        canvas.paint(
            |x, y| y > foot + 14.0 * (clouds.at(x, 0.0) - 0.5),
            |_, _| shade,
            1.0,
        );
    }
    let green = hsv(0.33, 0.5, random.between(0.3, 0.5));
    for _ in 0..=random.below(2) {
        let (x, foot) = (
            random.between(10.0, 62.0),
            horizon + random.between(6.0, 16.0),
        );
        let tall = random.between(14.0, 24.0);
        let arm = |px: f64, py: f64| {
            let (dx, up) = (px - x, foot - py);
            let trunk = dx.abs() < 2.0 && (0.0..tall).contains(&up);
            let branch = (up - 0.5 * tall).abs() < 1.5 && dx.abs() < 6.5;
            let tips = (dx.abs() - 5.5).abs() < 1.3 && (0.45 * tall..0.8 * tall).contains(&up);
            trunk || branch || tips
        };
        canvas.paint_box((x - 7.0, foot - tall), (x + 7.0, foot), arm, green);
    }
    canvas
}

fn forest(horizon: f64, random: &mut Stream) -> Canvas {
    let mist = hsv(random.between(0.4, 0.6), random.between(0.05, 0.25), 0.85);
    let floor = hsv(random.between(0.15, 0.3), 0.5, 0.3);
    let mut canvas = ground((mist, mist), (floor, floor), horizon, 8.0, random);
    for tree in 0..14 {
        let near = f64::from(tree) / 13.0;
        let (x, foot) = (random.between(-2.0, 74.0), horizon + 4.0 + 20.0 * near);
        let (half, height) = (
            random.between(5.0, 8.0) + 3.0 * near,
            random.between(20.0, 34.0),
        );
        let green = hsv(random.between(0.3, 0.42), 0.6, random.between(0.2, 0.45));
        let leaf = mix(mist, green, 0.5 + 0.5 * near);
        let trunk = ((x - 1.2, foot), (x + 1.2, foot + 4.0));
        canvas.paint_box(
            trunk.0,
            trunk.1,
            |px, py| (px - x).abs() < 1.2 && (foot..foot + 4.0).contains(&py),
            [70.0, 50.0, 35.0],
        );
        peak(&mut canvas, x, foot, half, height * 0.65, leaf);
        peak(
            &mut canvas,
            x,
            foot - height * 0.35,
            half * 0.75,
            height * 0.65,
            mix(leaf, mist, 0.12),
        );
    }
    canvas
}
