//! Rows and columns changed over: a vertical pass is the horizontal pass of a turned image.

use super::Area;
use crate::image::rgb::RgbImage;

/// Side of the squares that are turned at a time, so that both images stay in the cache.
const TILE: usize = 32;

/// A part of an image, columns as rows.
pub(super) fn part(image: &RgbImage, area: Area) -> RgbImage {
    let (width, height) = (area.width as usize, area.height as usize);
    let pitch = image.width as usize * 3;
    let start = area.y as usize * pitch + area.x as usize * 3;
    let mut turned = RgbImage::filled(area.height, area.width, [0; 3]);
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for y in top..height.min(top + TILE) {
                for x in left..width.min(left + TILE) {
                    let from = start + y * pitch + x * 3;
                    let to = (x * height + y) * 3;
                    turned.data[to..to + 3].copy_from_slice(&image.data[from..from + 3]);
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_a_part_twice_gives_it_back() {
        let data: Vec<u8> = (0..70 * 50 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let image = RgbImage {
            width: 70,
            height: 50,
            data,
        };
        let area = Area {
            x: 3,
            y: 5,
            width: 60,
            height: 40,
        };
        let turned = part(&image, area);
        assert_eq!((turned.width, turned.height), (40, 60));
        assert_eq!(turned.data[3..6], image.data[(6 * 70 + 3) * 3..][..3]);
        let back = part(&turned, Area::whole(40, 60));
        assert_eq!(back.data[..180], image.data[(5 * 70 + 3) * 3..][..180]);
    }
}
