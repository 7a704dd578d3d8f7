//! The report of a result, from its record and its photos.

use vlpt_adapter::{Classifier, ImageAdaptation};
use vlpt_inspect::attention::of_images;
use vlpt_report::{
    AttentionPicture, Confusion, Fact, Gallery, Growth, KeyNumber, Photo, Picture, TriedMethod,
    TuneReport, percent,
};

use crate::Result;
use crate::card::words;
use crate::learning::{LearningCurve, MORE};
use crate::photos::Photos;
use crate::record::Record;
use crate::thumbnails::thumbnail;

/// Cells of the confusion that are shown with photos.
const CELLS: usize = 24;
/// Photos of a cell, and of a group of copies.
const IN_CELL: usize = 4;
/// Suspects, groups of copies, photos near the boundary that are shown.
const SHOWN: usize = 24;
/// Photos whose attention is drawn.
const LOOKED_AT: usize = 4;

/// Everything that the page is made of.
pub(crate) struct Page<'a> {
    pub(crate) record: &'a Record,
    pub(crate) photos: &'a Photos<'a>,
    /// True and most probable class of each held-out photo, with the photo.
    pub(crate) answers: &'a [(usize, usize, usize)],
    /// The classifier of all photos.
    pub(crate) classifier: &'a Classifier,
    /// Where the folder will lie.
    pub(crate) folder: String,
    pub(crate) notes: &'a [String],
}

impl Page<'_> {
    /// The page.
    ///
    /// # Errors
    /// A model whose attention cannot be read.
    pub(crate) fn report(&self) -> Result<TuneReport> {
        let record = self.record;
        let classes: Vec<String> = record.classes.iter().map(|c| c.name.clone()).collect();
        let pairs = self.answers.iter().map(|&(_, truth, seen)| (truth, seen));
        let confusion = if self.answers.is_empty() {
            Confusion::default()
        } else {
            Confusion::from_pairs(&classes, pairs)
        };
        Ok(TuneReport {
            title: format!("A classifier for {}", self.photos.data.task.name),
            summary: record.why.clone(),
            key_numbers: self.key_numbers(),
            notes: self.notes.to_vec(),
            tried: self.tried(),
            growth: record.curve.as_ref().map(growth).unwrap_or_default(),
            cells: self.cells(&confusion),
            confusion,
            suspects: self.suspects(),
            copies: self.copies(),
            boundary: self.boundary(),
            attention: self.attention()?,
            facts: self.facts(),
            commands: vec![
                format!("vlpt predict {} PHOTOS", self.folder),
                format!("vlpt tune {} --add MORE_PHOTOS", self.folder),
            ],
        })
    }

    fn key_numbers(&self) -> Vec<KeyNumber> {
        let number = |label: &str, value: String, detail: String| KeyNumber {
            label: label.to_owned(),
            value,
            detail,
        };
        let record = self.record;
        let mut numbers = Vec::new();
        match &record.estimate {
            Some(e) => numbers.push(number(
                &format!("expected {}", words(&record.metric)),
                percent(e.value),
                format!(
                    "{:.0} % interval {} to {}, from {} photos",
                    100.0 * e.confidence,
                    percent(e.low),
                    percent(e.high),
                    e.photos
                ),
            )),
            None => numbers.push(number(
                "expected accuracy",
                "\u{2013}".to_owned(),
                "too few photos to hold some out".to_owned(),
            )),
        }
        if let Some(share) = record.names_alone {
            numbers.push(number(
                "class names alone",
                percent(share),
                "without learning from any photo".to_owned(),
            ));
        }
        numbers.push(number(
            "photos",
            record.photos.len().to_string(),
            format!("of {} classes", record.classes.len()),
        ));
        if let Some(threshold) = record.calibration.and_then(|c| c.threshold) {
            numbers.push(number(
                "none of these",
                format!("below {threshold:.2}"),
                format!(
                    "rejects about {} of photos of the classes",
                    percent(record.calibration.map_or(0.0, |c| c.reject_rate))
                ),
            ));
        }
        numbers
    }

    fn tried(&self) -> Vec<TriedMethod> {
        let row = |tried: &crate::search::Tried| {
            let chosen = tried.method == self.record.chosen;
            TriedMethod {
                name: tried.method.clone(),
                what: tried.cost.words().to_owned(),
                share: tried.share,
                seconds: tried.seconds,
                remark: match &tried.left_out {
                    Some(why) => why.clone(),
                    None if chosen => "chosen".to_owned(),
                    None => String::new(),
                },
                chosen,
            }
        };
        self.record.tried.iter().map(row).collect()
    }

    fn photo(&self, photo: usize, caption: String) -> Photo {
        let decoding = self
            .photos
            .extractor
            .preprocess
            .decoding(&self.photos.extractor.limits);
        Photo {
            picture: thumbnail(&self.photos.samples()[photo], &decoding),
            name: self.photos.name(photo),
            caption,
        }
    }

    /// The photos behind the cells beside the diagonal, the fullest first.
    fn cells(&self, confusion: &Confusion) -> Vec<Gallery> {
        let worst = confusion.worst(CELLS).into_iter();
        worst
            .map(|(truth, seen, count)| {
                let own = self.answers.iter().filter(|a| (a.1, a.2) == (truth, seen));
                let photos: Vec<Photo> = own
                    .take(IN_CELL)
                    .map(|&(photo, ..)| self.photo(photo, String::new()))
                    .collect();
                Gallery {
                    heading: format!(
                        "{} taken for {}: {count}",
                        confusion.classes[truth], confusion.classes[seen]
                    ),
                    more: count as usize - photos.len(),
                    photos,
                }
            })
            .collect()
    }

    /// The photo of a name, among those of the record.
    fn place(&self, name: &str) -> Option<usize> {
        self.record
            .photos
            .iter()
            .position(|entry| entry.photo == name)
    }

    fn suspects(&self) -> Vec<Photo> {
        let shown = self.record.suspects.iter().take(SHOWN);
        shown
            .filter_map(|suspect| {
                let caption = format!(
                    "labelled {}, seems {} ({} for its label)",
                    suspect.labelled,
                    suspect.seems,
                    percent(suspect.own)
                );
                Some(self.photo(self.place(&suspect.photo)?, caption))
            })
            .collect()
    }

    fn copies(&self) -> Vec<Gallery> {
        let shown = self.record.copies.iter().take(SHOWN);
        shown
            .map(|group| {
                let named = group.photos.iter().zip(&group.classes).take(IN_CELL);
                let photos: Vec<Photo> = named
                    .filter_map(|(name, class)| Some(self.photo(self.place(name)?, class.clone())))
                    .collect();
                let how = if group.equal {
                    "equal files"
                } else {
                    "near copies"
                };
                Gallery {
                    heading: format!("{} {how}: {}", group.photos.len(), group.photos.join(", ")),
                    more: group.photos.len() - photos.len(),
                    photos,
                }
            })
            .collect()
    }

    fn boundary(&self) -> Vec<Photo> {
        let all = self.record.boundary.iter();
        all.filter_map(|near| {
            let caption = format!(
                "{}: {} or {}, {:.1} points apart",
                near.labelled,
                near.between[0],
                near.between[1],
                100.0 * near.margin
            );
            Some(self.photo(self.place(&near.photo)?, caption))
        })
        .collect()
    }

    /// Where the classifier of all photos looks on the photos nearest the boundary.
    fn attention(&self) -> Result<Vec<Photo>> {
        let extractor = &self.photos.extractor;
        let preprocess = &extractor.preprocess;
        let decoding = preprocess.decoding(&extractor.limits);
        let mut squares = Vec::new();
        for near in self.record.boundary.iter().take(LOOKED_AT) {
            let Some(photo) = self.place(&near.photo) else {
                continue;
            };
            let square = self.photos.samples()[photo]
                .load_then(&decoding, |image| preprocess.pixels(&image));
            if let Ok(square) = square {
                squares.push((near, square));
            }
        }
        if squares.is_empty() {
            return Ok(Vec::new());
        }
        let pixels: Vec<f32> = squares
            .iter()
            .flat_map(|(_, square)| preprocess.normalise(square))
            .collect();
        let tuned = match &self.classifier.visual {
            Some(ImageAdaptation::Fixed(values)) => Some(values),
            _ => None,
        };
        let clip = self.photos.clip;
        let block = clip.config.vision.layers;
        let looks = of_images(clip, &pixels, squares.len(), tuned);
        let rows = looks.iter().map(|look| look.row(block, None));
        let rows = rows.collect::<std::result::Result<Vec<_>, _>>()?;
        let all = looks
            .iter()
            .zip(&rows)
            .flat_map(|(look, row)| look.patches(row));
        let top = all.copied().fold(0.0, f64::max);
        let drawn = squares.into_iter().zip(looks.iter().zip(&rows));
        Ok(drawn
            .filter_map(|((near, square), (look, row))| {
                let picture = AttentionPicture {
                    title: near.labelled.clone(),
                    photo: Picture {
                        width: square.width,
                        height: square.height,
                        rgb: square.data,
                    },
                    patch: clip.config.vision.patch_size,
                    grid: look.grid,
                    values: look.patches(row).to_vec(),
                    top,
                    shares: Vec::new(),
                };
                Some(Photo {
                    picture: Some(picture.draw()?),
                    name: near.photo.clone(),
                    caption: format!(
                        "attention of the class token in block {block}, mean over the heads"
                    ),
                })
            })
            .collect())
    }

    fn facts(&self) -> Vec<Fact> {
        let record = self.record;
        let fact = |name: &str, value: String| Fact {
            name: name.to_owned(),
            value,
        };
        let mut facts = vec![
            fact("Model", record.model.clone()),
            fact("Photos", record.data.path.clone()),
        ];
        facts.extend(
            record
                .data
                .more
                .iter()
                .map(|path| fact("and", path.clone())),
        );
        facts.push(fact("Seed", record.seed.to_string()));
        facts.push(fact(
            "Time",
            format!("{:.0} s of {} min", record.seconds, record.minutes),
        ));
        if let Some(e) = &record.estimate {
            facts.push(fact(
                "Estimate",
                format!(
                    "mean over resamples of the photos, chosen on those drawn and judged on the others; {} before this \
                     correction",
                    percent(e.uncorrected)
                ),
            ));
        }
        if let Some(calibration) = &record.calibration {
            facts.push(fact(
                "Temperature",
                format!("{:.3}", calibration.temperature),
            ));
        }
        facts
    }
}

/// The curve in words and points.
fn growth(curve: &LearningCurve) -> Growth {
    let mut sentences = Vec::new();
    if let Some(more) = &curve.forecast {
        sentences.push(format!(
            "With {MORE:.0} more photos of each class, about {} ({} to {}).",
            percent(more.value),
            percent(more.low),
            percent(more.high)
        ));
    }
    for class in &curve.classes {
        sentences.push(format!(
            "With {MORE:.0} more photos of {}, about {} of them ({} to {}) instead of {}.",
            class.class,
            percent(class.more.value),
            percent(class.more.low),
            percent(class.more.high),
            percent(class.share)
        ));
    }
    if let Some(why) = &curve.left_out {
        sentences.push(format!("No more is said of more photos: {why}."));
    }
    let law = match (&curve.law, &curve.forecast, curve.points.first()) {
        (Some(law), Some(more), Some(first)) => {
            let ratio = more.photos / first.0;
            let steps = 0..=24;
            steps
                .map(|step| first.0 * ratio.powf(f64::from(step) / 24.0))
                .map(|photos| (photos, law.at(photos)))
                .collect()
        }
        _ => Vec::new(),
    };
    Growth {
        measured: curve.points.clone(),
        law,
        sentences,
    }
}
