//! Plane geometry that gives the same bits on every machine.
//!
//! IEEE 754 fixes `+ - * /`, square root and rounding, so f64 code of these alone is reproducible;
//! sine and cosine are not fixed and differ between C libraries, hence the polynomial here.

/// The largest whole number not above `x`, which is small. The same as `x.floor()`, without the
/// library call that this is on processors that are asked for no more than the x86-64 baseline.
pub(super) fn floor(x: f64) -> f64 {
    let whole = x as i64 as f64;
    if whole > x { whole - 1.0 } else { whole }
}

/// Sine and cosine of an angle in turns (1 is a full circle), to about 1e-6.
pub(super) fn sin_cos(turns: f64) -> (f64, f64) {
    (sine(turns), sine(turns + 0.25))
}

/// Taylor's series of the sine up to x^9, on the quarter turn that holds the angle.
fn sine(turns: f64) -> f64 {
    let part = turns - floor(turns);
    // mirror into [-1/4, 1/4] of a turn
    let part = match part {
        p if p < 0.25 => p,
        p if p < 0.75 => 0.5 - p,
        p => p - 1.0,
    };
    let x = part * core::f64::consts::TAU;
    let s = x * x;
    let inner = 1.0 / 6.0 - s * (1.0 / 120.0 - s * (1.0 / 5040.0 - s / 362_880.0));
    x * (1.0 - s * inner)
}

/// Where a figure stands: its centre in pixels, its radius in pixels and its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pose {
    /// Centre, from the left edge.
    pub x: f64,
    /// Centre, from the top edge.
    pub y: f64,
    /// Pixels of one unit of the figure.
    pub radius: f64,
    sin: f64,
    cos: f64,
}

impl Pose {
    /// A figure of this radius around a point, turned clockwise by a part of a full circle.
    pub(super) fn new(x: f64, y: f64, radius: f64, turns: f64) -> Self {
        let (sin, cos) = sin_cos(turns);
        Self {
            x,
            y,
            radius,
            sin,
            cos,
        }
    }

    /// The figure's own coordinates of a point of the picture: right and down, 1 is the radius.
    pub(super) fn local(&self, x: f64, y: f64) -> (f64, f64) {
        let (dx, dy) = ((x - self.x) / self.radius, (y - self.y) / self.radius);
        (dx * self.cos + dy * self.sin, dy * self.cos - dx * self.sin)
    }
}

/// The corners of a regular polygon, or of a star where `inner` is below 1: `points` corners at
/// radius 1 with one at radius `inner` between each two.
pub(super) fn star(points: usize, inner: f64) -> Vec<(f64, f64)> {
    let corners = 2 * points;
    (0..corners)
        .map(|i| {
            let (sin, cos) = sin_cos(i as f64 / corners as f64);
            let radius = if i % 2 == 0 { 1.0 } else { inner };
            (radius * sin, -radius * cos)
        })
        .collect()
}

/// The corners of a regular polygon of radius 1, the first on top.
pub(super) fn regular(corners: usize) -> Vec<(f64, f64)> {
    (0..corners)
        .map(|i| {
            let (sin, cos) = sin_cos(i as f64 / corners as f64);
            (sin, -cos)
        })
        .collect()
}

/// Whether a point lies in a polygon (even-odd rule).
pub(super) fn inside(polygon: &[(f64, f64)], u: f64, v: f64) -> bool {
    let mut odd = false;
    let Some(&(mut px, mut py)) = polygon.last() else {
        return false;
    };
    for &(x, y) in polygon {
        if (y > v) != (py > v) && u < (px - x) * (v - y) / (py - y) + x {
            odd = !odd;
        }
        (px, py) = (x, y);
    }
    odd
}

/// Whether a point lies within `reach` of a line of several straight parts.
pub(super) fn near_line(line: &[(f64, f64)], reach: f64, u: f64, v: f64) -> bool {
    line.windows(2).any(|ends| {
        let ((ax, ay), (bx, by)) = (ends[0], ends[1]);
        let beside = u < ax.min(bx) - reach || u > ax.max(bx) + reach;
        if beside || v < ay.min(by) - reach || v > ay.max(by) + reach {
            return false;
        }
        let (dx, dy) = (bx - ax, by - ay);
        let length = dx * dx + dy * dy;
        let along = if length > 0.0 {
            (((u - ax) * dx + (v - ay) * dy) / length).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let (ex, ey) = (u - ax - along * dx, v - ay - along * dy);
        ex * ex + ey * ey < reach * reach
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_agree_with_the_standard_library() {
        for step in -400..400 {
            let turns = f64::from(step) / 97.0;
            let (sin, cos) = sin_cos(turns);
            let angle = turns * core::f64::consts::TAU;
            assert!((sin - angle.sin()).abs() < 5e-6, "sine of {turns} turns");
            assert!((cos - angle.cos()).abs() < 5e-6, "cosine of {turns} turns");
        }
    }

    #[test]
    fn floor_agrees_with_the_standard_library() {
        for x in [-2.0, -1.5, -0.1, 0.0, 0.1, 0.999, 1.0, 7.25] {
            assert_eq!(floor(x), f64::floor(x), "{x}");
        }
    }

    #[test]
    fn a_polygon_holds_its_middle_and_not_the_outside() {
        let hexagon = regular(6);
        assert!(inside(&hexagon, 0.0, 0.0));
        assert!(!inside(&hexagon, 0.99, 0.5));
    }

    #[test]
    fn nearness_is_to_the_nearest_part_of_a_line() {
        let line = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0)];
        assert!(near_line(&line, 0.51, 1.0, 0.5));
        assert!(!near_line(&line, 0.49, 1.0, 0.5));
        // off the end, the distance is to the end point
        assert!(near_line(&line, 1.42, 3.0, 3.0));
        assert!(!near_line(&line, 1.41, 3.0, 3.0));
    }
}
