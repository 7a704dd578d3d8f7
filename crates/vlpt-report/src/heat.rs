//! Where a model looks, drawn over a photo.

use crate::data::percent;
use crate::glyphs;
use crate::picture::Picture;

/// Attention to the patches of a photo, ready to be drawn.
///
/// The drawing has the photo, the photo in grey under the attention, and the attention alone, each
/// patch in one colour without smoothing; below, the scale of colours from 0 to [`top`](Self::top)
/// with a mark where attention would be if it were spread evenly over the patches, and the shares.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionPicture {
    /// Shown on top.
    pub title: String,
    /// The square that the model saw.
    pub photo: Picture,
    /// Side of a patch in pixels of the photo.
    pub patch: usize,
    /// Patches along a side.
    pub grid: usize,
    /// Attention to each patch, row by row, `grid * grid` shares.
    pub values: Vec<f64>,
    /// The share that has the brightest colour; larger ones look the same.
    pub top: f64,
    /// What all attention went to, with its shares of 1, in words.
    pub shares: Vec<(String, f64)>,
}

/// Colours of the scale, each lighter than the one before, so that it also works in grey.
const SCALE: [[f64; 3]; 6] = [
    [16.0, 12.0, 48.0],
    [74.0, 28.0, 116.0],
    [148.0, 44.0, 122.0],
    [214.0, 76.0, 92.0],
    [248.0, 144.0, 62.0],
    [252.0, 238.0, 164.0],
];
/// Colours of the shares, those of the series of charts.
const SHARES: [[u8; 3]; 4] = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167]];
const INK: [u8; 3] = [31, 41, 51];
const PAPER: [u8; 3] = [255, 255, 255];
/// How much of the colour there is over the photo.
const COVER: f64 = 0.6;
/// A panel is at least this wide.
const PANEL: usize = 240;
const MARGIN: usize = 12;
/// Pixels of a dot of a letter.
const DOT: usize = 2;
const LINE: usize = glyphs::HEIGHT as usize * DOT + 8;
const BAR: usize = 16;

impl AttentionPicture {
    /// The drawing; none where the photo is no square, or sizes do not fit each other.
    pub fn draw(&self) -> Option<Picture> {
        let side = self.photo.width as usize;
        let fits = side > 0
            && self.photo.height as usize == side
            && self.photo.rgb.len() == side * side * 3
            && self.grid > 0
            && self.patch > 0
            && self.grid * self.patch <= side
            && self.values.len() == self.grid * self.grid;
        if !fits {
            return None;
        }
        let zoom = PANEL.div_ceil(side);
        let panel = side * zoom;
        let width = 3 * panel + 4 * MARGIN;
        let height = panel + 5 * LINE + 2 * BAR + 3 * MARGIN - 6;
        let mut canvas = Canvas::new(width, height);
        let mut y = MARGIN;
        canvas.line(MARGIN, y, &self.title, width - 2 * MARGIN);
        y += LINE;
        let names = ["photo", "attention over it", "attention"];
        for (i, name) in names.into_iter().enumerate() {
            let x = MARGIN + i * (panel + MARGIN);
            for row in 0..panel {
                for column in 0..panel {
                    let colour = self.pixel(i, column / zoom, row / zoom);
                    canvas.put(x + column, y + row, colour);
                }
            }
            canvas.line(x, y + panel + 6, name, panel);
        }
        y += panel + LINE + MARGIN;
        self.scale(&mut canvas, y, width - 2 * MARGIN);
        y += BAR + 2 * LINE;
        self.bar(&mut canvas, y, width - 2 * MARGIN);
        Some(canvas.picture)
    }

    /// A pixel of a panel: 0 the photo, 1 the photo under the attention, 2 the attention alone.
    fn pixel(&self, panel: usize, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.photo.width as usize + x) * 3;
        let rgb: [u8; 3] = std::array::from_fn(|c| self.photo.rgb[at + c]);
        let [r, g, b] = rgb.map(f64::from);
        let grey = 0.299 * r + 0.587 * g + 0.114 * b;
        let (column, row) = (x / self.patch, y / self.patch);
        // a side that is no multiple of the patch has a border that the model does not see
        let seen = column < self.grid && row < self.grid;
        let heat = seen.then(|| self.colour(self.values[row * self.grid + column]));
        match (panel, heat) {
            (0, _) => rgb,
            (1, Some(heat)) => heat.map(|c| (COVER * c + (1.0 - COVER) * grey).round() as u8),
            (2, Some(heat)) => heat.map(|c| c.round() as u8),
            _ => [grey.round() as u8; 3],
        }
    }

    fn colour(&self, value: f64) -> [f64; 3] {
        shade(if self.top > 0.0 {
            value / self.top
        } else {
            0.0
        })
    }

    /// The scale of colours with its ends and the even share.
    fn scale(&self, canvas: &mut Canvas, y: usize, width: usize) {
        for column in 0..width {
            let colour = shade(column as f64 / (width - 1) as f64).map(|c| c.round() as u8);
            canvas.fill(MARGIN + column, y, 1, BAR, colour);
        }
        let below = y + BAR + 6;
        canvas.line(MARGIN, below, "0 %", width);
        let end = format!("{} a patch", percent(self.top));
        let end_x = MARGIN + width - size(&end);
        canvas.line(end_x, below, &end, width);
        let total: f64 = self.values.iter().sum();
        let even = total / self.values.len() as f64;
        if self.top > 0.0 && (0.0..=self.top).contains(&even) {
            let x = MARGIN + (even / self.top * (width - 1) as f64).round() as usize;
            canvas.fill(x.saturating_sub(1), y - 4, 2, BAR + 8, INK);
            let word = format!("even: {}", percent(even));
            let first = MARGIN + size("0 %") + 3 * MARGIN;
            let last = end_x.saturating_sub(size(&word) + 3 * MARGIN);
            let place = x.saturating_sub(size(&word) / 2).min(last).max(first);
            canvas.line(place, below, &word, width);
        }
    }

    /// The shares as one bar, with words below.
    fn bar(&self, canvas: &mut Canvas, y: usize, width: usize) {
        let total: f64 = self.shares.iter().map(|s| s.1).sum();
        let (mut before, mut x) = (0.0, MARGIN);
        for (i, (name, share)) in self.shares.iter().enumerate() {
            let colour = SHARES[i % SHARES.len()];
            if total > 0.0 && share.is_finite() {
                let place = |sum: f64| (sum / total * width as f64).round() as usize;
                let (from, to) = (place(before), place(before + share));
                canvas.fill(MARGIN + from, y, to.saturating_sub(from), BAR, colour);
                before += share;
            }
            let word = format!("{name} {}", percent(*share));
            canvas.fill(x, y + BAR + 6, LINE - 8, LINE - 8, colour);
            canvas.line(x + LINE, y + BAR + 6, &word, width);
            x += LINE + size(&word) + 2 * MARGIN;
        }
    }
}

/// The colour at a place of the scale, 0 to 1; places outside have the colour of the end.
fn shade(at: f64) -> [f64; 3] {
    let last = SCALE.len() - 1;
    let at = if at.is_finite() {
        at.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let low = ((at * last as f64).floor() as usize).min(last - 1);
    let part = at * last as f64 - low as f64;
    std::array::from_fn(|c| SCALE[low][c] + part * (SCALE[low + 1][c] - SCALE[low][c]))
}

/// Pixels that a text is wide.
fn size(text: &str) -> usize {
    glyphs::width(text) as usize * DOT
}

/// A picture to draw on; what falls outside is left out.
struct Canvas {
    picture: Picture,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self {
            picture: Picture {
                width: width as u32,
                height: height as u32,
                rgb: PAPER.repeat(width * height),
            },
        }
    }

    fn put(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        let (width, height) = (self.picture.width as usize, self.picture.height as usize);
        if x < width && y < height {
            self.picture.rgb[(y * width + x) * 3..][..3].copy_from_slice(&colour);
        }
    }

    fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, colour: [u8; 3]) {
        for row in y..y + height {
            for column in x..x + width {
                self.put(column, row, colour);
            }
        }
    }

    /// A text, cut where it is wider than `most` pixels.
    fn line(&mut self, x: usize, y: usize, text: &str, most: usize) {
        let letters = (most + DOT) / (6 * DOT);
        let text: String = text.chars().take(letters).collect();
        glyphs::dots(&text, |column, row| {
            let (column, row) = (column as usize * DOT, row as usize * DOT);
            self.fill(x + column, y + row, DOT, DOT, INK);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> AttentionPicture {
        AttentionPicture {
            title: "a photo".to_owned(),
            photo: Picture {
                width: 5,
                height: 5,
                rgb: vec![100; 75],
            },
            patch: 2,
            grid: 2,
            values: vec![0.0, 0.1, 0.2, 0.4],
            top: 0.4,
            shares: vec![("itself".to_owned(), 0.3), ("patches".to_owned(), 0.7)],
        }
    }

    #[test]
    fn the_scale_grows_lighter_all_the_way() {
        let light = |at: f64| {
            let [r, g, b] = shade(at);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        for i in 0..100 {
            let at = f64::from(i) / 100.0;
            assert!(light(at + 0.01) > light(at), "{at}");
        }
        assert_eq!(shade(f64::NAN), SCALE[0]);
        assert_eq!(shade(7.0), SCALE[5]);
    }

    #[test]
    fn a_patch_has_the_colour_of_its_share_and_the_border_none() {
        let example = example();
        let brightest = SCALE[5].map(|c| c as u8);
        assert_eq!(example.pixel(2, 3, 3), brightest);
        assert_eq!(example.pixel(2, 2, 2), brightest);
        assert_eq!(example.pixel(2, 0, 0), SCALE[0].map(|c| c as u8));
        assert_eq!(example.pixel(2, 4, 0), [100; 3]);
        assert_eq!(example.pixel(0, 3, 3), [100; 3]);
    }

    #[test]
    fn the_drawing_is_a_picture_and_sizes_that_do_not_fit_give_none() {
        let drawn = example().draw().unwrap();
        assert!(drawn.png().is_some());
        assert_eq!(drawn, example().draw().unwrap());
        let mut wrong = example();
        wrong.values.pop();
        assert_eq!(wrong.draw(), None);
        let mut empty = example();
        (empty.top, empty.shares) = (0.0, Vec::new());
        assert!(empty.draw().is_some());
    }
}
