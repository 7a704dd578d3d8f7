//! The vocabulary's tokens nearest to learned text tokens (as in table 4 of Zhou et al., "Learning
//! to Prompt for Vision-Language Models", IJCV 2022).
//!
//! A learned token is a free vector. It need not be near any word, and the nearest word need not
//! say anything: how far away it is, beside how far words are from each other ([`Yardstick`]), says
//! whether there is anything to read.

use rayon::prelude::*;
use serde::Serialize;
use vlpt_base::random::Stream;
use vlpt_clip::Clip;

use crate::{OpenPrompt, Result};

/// Tokens of the vocabulary that the yardstick looks at, at most.
const SAMPLE: usize = 512;
/// Random directions that the yardstick looks at, at most.
const RANDOM: usize = 64;

/// A token of the vocabulary, and how near it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Word {
    /// Its id.
    pub id: u32,
    /// The vocabulary's spelling: byte alphabet, `</w>` where a word ends.
    pub token: String,
    /// Euclidean distance to the learned token.
    pub distance: f64,
    /// Cosine of the angle to the learned token; 0 where one of the two has no length.
    pub cosine: f64,
}

/// A learned token with its neighbours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadToken {
    /// The class it belongs to; none where all classes share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Its place among the learned tokens of a text, from 1.
    pub place: usize,
    /// Its Euclidean length.
    pub length: f64,
    /// The nearest tokens by Euclidean distance, the nearest first, equal ones by id.
    pub by_distance: Vec<Word>,
    /// The nearest tokens by cosine, the nearest first, equal ones by id.
    pub by_cosine: Vec<Word>,
}

/// How near the vocabulary's tokens are to each other, and how near chance comes to them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Yardstick {
    /// Median distance to the nearest token of random directions, each of the length of one of the
    /// learned tokens: what the words of no meaning at all would have.
    pub random_distance: f64,
    /// Median largest cosine of random directions to a token.
    pub random_cosine: f64,
    /// Tokens looked at: every id, or 512 evenly spread over the ids.
    pub sample: usize,
    /// Median Euclidean distance of a token to its nearest other token.
    pub median_distance: f64,
    /// Median over the tokens of the largest cosine to another token.
    pub median_cosine: f64,
    /// Median Euclidean length of a token.
    pub median_length: f64,
}

/// The learned tokens of a prompt folder in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// The method.
    pub method: String,
    /// Whether an image changes the tokens; then these are the tokens before that.
    pub depends_on_image: bool,
    /// The tokens.
    pub tokens: Vec<ReadToken>,
    /// Distances among the words themselves.
    pub yardstick: Yardstick,
}

impl Reading {
    /// Median over the learned tokens of the cosine to the word nearest by cosine.
    pub fn median_cosine(&self) -> f64 {
        let nearest = |token: &ReadToken| token.by_cosine.first().map(|word| word.cosine);
        median(self.tokens.iter().filter_map(nearest).collect())
    }

    /// Median over the learned tokens of the distance to the nearest word.
    pub fn median_distance(&self) -> f64 {
        let nearest = |token: &ReadToken| token.by_distance.first().map(|word| word.distance);
        median(self.tokens.iter().filter_map(nearest).collect())
    }
}

/// The `top` tokens nearest to each learned token of a prompt; of `classes` alone where given and
/// where classes have tokens of their own.
///
/// # Errors
/// A prompt without learned text tokens, or a class that it does not have.
pub fn read(prompt: &OpenPrompt, clip: &Clip, top: usize, classes: &[String]) -> Result<Reading> {
    for class in classes {
        if !prompt.folder.classes.contains(class) {
            let some: Vec<&str> = prompt
                .folder
                .classes
                .iter()
                .take(10)
                .map(|c| &**c)
                .collect();
            let more = if prompt.folder.classes.len() > some.len() {
                ", ..."
            } else {
                ""
            };
            return Err(crate::InspectError::NoSuchClass {
                found: class.clone(),
                known: some.join(", ") + more,
            });
        }
    }
    let width = clip.text.width();
    let vocabulary = Vocabulary::of(clip);
    let tokens = prompt.text_tokens(clip)?;
    let wanted = tokens.iter().filter(|token| match &token.class {
        Some(class) => classes.is_empty() || classes.contains(class),
        None => true,
    });
    let wanted: Vec<_> = wanted.collect();
    let read = |token: &&crate::TextToken| {
        let vector = &prompt.text[token.row * width..][..width];
        let near = vocabulary.near(vector);
        let words = |order: Vec<usize>| order.into_iter().map(|i| word(clip, i, near[i])).collect();
        ReadToken {
            class: token.class.clone(),
            place: token.place,
            length: length(vector),
            by_distance: words(best(&near, top, |a, b| a.0.total_cmp(&b.0))),
            by_cosine: words(best(&near, top, |a, b| b.1.total_cmp(&a.1))),
        }
    };
    let tokens: Vec<ReadToken> = wanted.par_iter().map(read).collect();
    let lengths: Vec<f64> = tokens.iter().map(|token| token.length).collect();
    Ok(Reading {
        method: prompt.method.name().to_owned(),
        depends_on_image: prompt.method.needs().texts_per_image,
        yardstick: vocabulary.yardstick(&lengths),
        tokens,
    })
}

fn word(clip: &Clip, id: usize, (distance, cosine): (f64, f64)) -> Word {
    let id = id as u32;
    let token = clip.tokenizer.token_text(id).unwrap_or("?").to_owned();
    Word {
        id,
        token,
        distance,
        cosine,
    }
}

/// The first `top` places of a stable order.
fn best(
    near: &[(f64, f64)],
    top: usize,
    order: impl Fn(&(f64, f64), &(f64, f64)) -> std::cmp::Ordering,
) -> Vec<usize> {
    let mut places: Vec<usize> = (0..near.len()).collect();
    places.sort_by(|&a, &b| order(&near[a], &near[b]).then(a.cmp(&b)));
    places.truncate(top);
    places
}

/// The token embeddings of a model.
struct Vocabulary {
    width: usize,
    /// ids x width.
    rows: Vec<f32>,
    lengths: Vec<f64>,
}

impl Vocabulary {
    fn of(clip: &Clip) -> Self {
        // the embedding may have more rows than the tokenizer knows ids; those are no words
        let size = clip.tokenizer.vocab_size().min(clip.config.text.vocab_size);
        let ids: Vec<u32> = (0..size as u32).collect();
        Self::new(clip.text.width(), clip.text.token_embeddings(&ids))
    }

    fn new(width: usize, rows: Vec<f32>) -> Self {
        let lengths = rows.par_chunks_exact(width).map(length).collect();
        Self {
            width,
            rows,
            lengths,
        }
    }

    /// Distance and cosine of a vector to every token.
    fn near(&self, vector: &[f32]) -> Vec<(f64, f64)> {
        let own = length(vector);
        let rows = self.rows.par_chunks_exact(self.width).zip(&self.lengths);
        rows.map(|(row, &length)| {
            let (squares, dot) = compare(vector, row);
            let scale = own * length;
            let cosine = if scale > 0.0 { dot / scale } else { 0.0 };
            (squares.sqrt(), cosine.clamp(-1.0, 1.0))
        })
        .collect()
    }

    /// The yardstick for learned tokens of these lengths.
    fn yardstick(&self, lengths: &[f64]) -> Yardstick {
        let size = self.lengths.len();
        let sample = size.min(SAMPLE);
        let nearest = |i: usize| {
            let id = i * size / sample.max(1);
            let near = self.near(&self.rows[id * self.width..][..self.width]);
            let others = near.iter().enumerate().filter(|(other, _)| *other != id);
            others.fold((f64::INFINITY, -1.0), |best: (f64, f64), (_, found)| {
                (best.0.min(found.0), best.1.max(found.1))
            })
        };
        let nearest: Vec<(f64, f64)> = (0..sample).map(nearest).collect();
        // always the same directions, so that a reading can be repeated
        let mut stream = Stream::new(0, "directions to compare words with");
        let chance = |i: usize| {
            let mut vector = stream.normals(self.width, 1.0);
            let scale = lengths[i * lengths.len() / lengths.len().min(RANDOM)];
            let scale = scale / length(&vector).max(f64::MIN_POSITIVE);
            for value in &mut vector {
                *value = (f64::from(*value) * scale) as f32;
            }
            let near = self.near(&vector);
            near.iter().fold((f64::INFINITY, -1.0), |best, found| {
                (f64::min(best.0, found.0), f64::max(best.1, found.1))
            })
        };
        let chance: Vec<(f64, f64)> = (0..lengths.len().min(RANDOM)).map(chance).collect();
        Yardstick {
            random_distance: median(chance.iter().map(|n| n.0).collect()),
            random_cosine: median(chance.iter().map(|n| n.1).collect()),
            sample,
            median_distance: median(nearest.iter().map(|n| n.0).collect()),
            median_cosine: median(nearest.iter().map(|n| n.1).collect()),
            median_length: median(self.lengths.clone()),
        }
    }
}

/// Squared distance and dot product, summed in a fixed order.
fn compare(a: &[f32], b: &[f32]) -> (f64, f64) {
    const LANES: usize = 16;
    let (mut squares, mut dots) = ([0.0f32; LANES], [0.0f32; LANES]);
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            squares[i] += (a - b) * (a - b);
            dots[i] += a * b;
        }
    }
    let sum = |lanes: [f32; LANES]| lanes.iter().map(|&v| f64::from(v)).sum();
    (sum(squares), sum(dots))
}

fn length(vector: &[f32]) -> f64 {
    let squares = vector.iter().map(|&v| f64::from(v) * f64::from(v));
    squares.sum::<f64>().sqrt()
}

/// The middle of some numbers, the mean of the two middle ones where there are two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four tokens in the plane: (0, 0), (3, 4), (6, 8), (0, 1).
    fn plane() -> Vocabulary {
        Vocabulary::new(2, vec![0.0, 0.0, 3.0, 4.0, 6.0, 8.0, 0.0, 1.0])
    }

    #[test]
    fn distances_and_cosines_are_those_of_the_plane() {
        let near = plane().near(&[3.0, 4.0]);
        let distances: Vec<f64> = near.iter().map(|n| n.0).collect();
        assert_eq!(distances[..3], [5.0, 0.0, 5.0]);
        assert!((distances[3] - 18f64.sqrt()).abs() < 1e-6);
        let cosines: Vec<f64> = near.iter().map(|n| n.1).collect();
        assert_eq!(cosines, [0.0, 1.0, 1.0, 0.8]);
    }

    #[test]
    fn equal_neighbours_come_in_the_order_of_their_ids() {
        let near = plane().near(&[3.0, 4.0]);
        assert_eq!(best(&near, 3, |a, b| b.1.total_cmp(&a.1)), [1, 2, 3]);
        // ids 0 and 2 are both at 5, id 3 is nearer
        assert_eq!(best(&near, 4, |a, b| a.0.total_cmp(&b.0)), [1, 3, 0, 2]);
    }

    #[test]
    fn the_yardstick_is_the_median_of_nearest_neighbours() {
        // nearest: (0,0) 1, (3,4) sqrt 18, (6,8) 5, (0,1) 1; lengths 0, 5, 10, 1
        let yardstick = plane().yardstick(&[0.0, 0.0]);
        let expected = f64::midpoint(1.0, 18f64.sqrt());
        assert!((yardstick.median_distance - expected).abs() < 1e-6);
        assert_eq!(yardstick.median_length, 3.0);
        assert_eq!(yardstick.sample, 4);
        // largest cosines: 0, 1, 1, 0.8
        assert!((yardstick.median_cosine - 0.9).abs() < 1e-6);
        // a direction of no length lies on (0, 0)
        assert_eq!(yardstick.random_distance, 0.0);
    }

    #[test]
    fn chance_is_the_same_every_time_and_has_the_length_asked_for() {
        let far = plane().yardstick(&[1000.0; 100]);
        assert!(far.random_distance > 980.0 && far.random_distance < 1001.0);
        assert_eq!(far, plane().yardstick(&[1000.0; 100]));
    }

    #[test]
    fn a_median_of_none_is_no_panic() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
