//! What one file of this folder says about its task.

use super::canvas::Canvas;
use super::random::Stream;

/// What defines a task: its words, and the function that draws an image of a class.
pub(super) struct Recipe {
    pub(super) name: &'static str,
    pub(super) classes: &'static [&'static str],
    pub(super) template: &'static str,
    pub(super) draw: fn(class: usize, random: &mut Stream) -> Canvas,
}
