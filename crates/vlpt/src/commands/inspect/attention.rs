//! `vlpt inspect attention`: where the class token of the image tower looks.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_adapter::{ImageConfig, SplitName};
use vlpt_base::files::write_atomic;
use vlpt_clip::Clip;
use vlpt_data::image::{Limits, Preprocess, RgbImage};
use vlpt_inspect::attention::{ClassAttention, Shares, of_images};
use vlpt_inspect::{OpenPrompt, csv_text};
use vlpt_report::{AttentionPicture, Picture};

use crate::console::{Console, Unit, table};
use crate::error::CliError;
use crate::options::{BaseModelArgs, DataArgs, DataFlags, ImageArgs, open_model, refuse_inside};

/// Images in the tower at once.
const BATCH: usize = 8;

/// Flags of `vlpt inspect attention`.
#[derive(Debug, Args)]
pub(crate) struct AttentionArgs {
    /// Image files or folders; `-` reads one image from standard input
    #[arg(value_name = "IMAGE", required_unless_present = "data")]
    images: Vec<PathBuf>,
    /// Look with the visual prompts of this prompt or run folder [default: the model as it is]
    #[arg(long, short, value_name = "PROMPT")]
    prompt: Option<PathBuf>,
    /// Take test images of this data set, evenly spread over it, instead of files
    #[arg(long, value_name = "DATA", conflicts_with = "images")]
    data: Option<String>,
    /// How many images to take of it
    #[arg(long, value_name = "N", default_value = "4", requires = "data")]
    count: NonZeroUsize,
    #[command(flatten)]
    flags: DataFlags,
    /// The block to show, from 1 [default: the last one]
    #[arg(long, value_name = "N")]
    block: Option<usize>,
    /// The head to show, from 1 [default: the mean over the heads]
    #[arg(long, value_name = "N")]
    head: Option<usize>,
    /// Write a picture of each image, and shares.csv with every block and head, into this folder
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    base: BaseModelArgs,
}

/// What is printed under `--json`.
#[derive(Debug, Serialize)]
struct Looked {
    model: String,
    /// The method whose visual prompts were in the tower.
    method: Option<String>,
    /// Visual prompts that the class token sees in a block.
    visual_prompts: usize,
    /// Shares if every token had the same attention.
    even: Shares,
    block: usize,
    /// None: mean over the heads.
    head: Option<usize>,
    images: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    image: String,
    /// The picture, where one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(flatten)]
    shares: Shares,
    /// Every block: the mean over its heads, and each head.
    all: Vec<PartShares>,
}

#[derive(Debug, Serialize)]
struct PartShares {
    block: usize,
    /// None: mean over the heads.
    head: Option<usize>,
    #[serde(flatten)]
    shares: Shares,
}

/// Looks, draws and prints.
pub(crate) fn run(args: &AttentionArgs, console: &Console) -> Result<(), CliError> {
    let (prompt, clip) = args.open(console)?;
    let preprocess = match &prompt {
        Some(prompt) => prompt.folder.adapter.preprocess.clone(),
        None => vlpt_adapter::preprocess(&clip, &ImageConfig::default()),
    };
    let visual = prompt.as_ref().and_then(|prompt| prompt.visual.as_ref());
    if let Some(prompt) = prompt.as_ref().filter(|prompt| prompt.visual.is_none()) {
        console.say(format!(
            "note: `{}` leaves the image tower as it is: this is how the frozen model looks",
            prompt.method.name()
        ));
    }
    let photos = args.photos(&preprocess, console)?;
    let bar = console.bar(Unit::Items);
    bar.begin("looking", photos.len() as u64);
    let mut looks: Vec<ClassAttention> = Vec::new();
    for batch in photos.chunks(BATCH) {
        let pixels: Vec<f32> = batch
            .iter()
            .flat_map(|(_, square)| preprocess.normalise(square))
            .collect();
        looks.extend(of_images(&clip, &pixels, batch.len(), visual));
        bar.advance_by(batch.len() as u64);
    }
    bar.end();
    let block = args.block.unwrap_or(clip.config.vision.layers);
    let rows: Vec<Vec<f64>> = looks
        .iter()
        .map(|look| look.row(block, args.head))
        .collect::<Result<_, _>>()?;
    let files = match &args.out {
        Some(folder) => {
            let part = part_name(block, args.head);
            draw(folder, &clip, &photos, &looks, &rows, &part)?
        }
        None => vec![None; photos.len()],
    };
    let images = photos.iter().zip(&looks).zip(&rows).zip(files);
    let images = images.map(|((((name, _), look), row), file)| {
        Ok(Row {
            image: name.clone(),
            file,
            shares: look.shares(row),
            all: every_part(look)?,
        })
    });
    let prompts = looks.first().map_or(0, |look| look.prompts);
    let looked = Looked {
        model: clip.name.clone(),
        method: prompt.map(|prompt| prompt.method.name().to_owned()),
        visual_prompts: prompts,
        even: even(&clip, prompts),
        block,
        head: args.head,
        images: images.collect::<Result<_, CliError>>()?,
    };
    if let Some(folder) = &args.out {
        let path = folder.join("shares.csv");
        write_atomic(&path, looked.csv().as_bytes())?;
        console.say(format!(
            "wrote {} pictures and {}",
            looked.images.len(),
            path.display()
        ));
    }
    console.result(&looked, || looked.text())
}

impl AttentionArgs {
    fn open(&self, console: &Console) -> Result<(Option<OpenPrompt>, Clip), CliError> {
        if let Some(path) = &self.prompt {
            let (prompt, clip) = super::open(path, &self.base, console)?;
            return Ok((Some(prompt), clip));
        }
        // no environment variable of the flag itself: it would come before the prompt's model
        let name = self.base.model.clone();
        let name = name.or_else(|| std::env::var("VLPT_MODEL").ok());
        let name = name.filter(|name| !name.is_empty());
        let name = name.as_deref().unwrap_or(vlpt_train::DEFAULT_MODEL);
        Ok((
            None,
            open_model(name, self.base.precision.resolve(), console)?,
        ))
    }

    /// The images with their names, as the squares that the model sees.
    fn photos(
        &self,
        preprocess: &Preprocess,
        console: &Console,
    ) -> Result<Vec<(String, RgbImage)>, CliError> {
        let decoding = preprocess.decoding(&Limits::default());
        let mut photos = Vec::new();
        if let Some(data) = &self.data {
            let task = DataArgs {
                data: data.clone(),
                flags: self.flags.clone(),
            }
            .open(console)?;
            if let Some(out) = &self.out {
                refuse_inside(&task, out)?;
            }
            let items = &SplitName::Test.of(&task)?.samples;
            let count = self.count.get().min(items.len());
            for i in 0..count {
                let item = &items[i * items.len() / count];
                let pixels = item.load_then(&decoding, |image| preprocess.pixels(&image))?;
                photos.push((item.image.id(), pixels));
            }
            if count < self.count.get() {
                console.say(format!("note: {} has {count} test images", task.name));
            }
            return Ok(photos);
        }
        self.flags.refuse(
            "images are named, and no data set is read",
            "leave it out, or name a data set with --data",
        )?;
        let images = ImageArgs {
            images: self.images.clone(),
            files_from: None,
        };
        for input in images.inputs(console)? {
            photos.push((input.label(), preprocess.pixels(&input.load(&decoding)?.0)));
        }
        Ok(photos)
    }
}

/// Shares of every block: mean over the heads, then each head.
fn every_part(look: &ClassAttention) -> Result<Vec<PartShares>, CliError> {
    let mut all = Vec::new();
    for block in 1..=look.blocks {
        for head in std::iter::once(None).chain((1..=look.heads).map(Some)) {
            let shares = look.shares(&look.row(block, head)?);
            all.push(PartShares {
                block,
                head,
                shares,
            });
        }
    }
    Ok(all)
}

/// Shares if every token had the same attention.
fn even(clip: &Clip, prompts: usize) -> Shares {
    let grid = clip.config.vision.image_size / clip.config.vision.patch_size;
    let patches = grid * grid;
    let tokens = (1 + patches + prompts) as f64;
    Shares {
        itself: 1.0 / tokens,
        patches: patches as f64 / tokens,
        prompts: prompts as f64 / tokens,
    }
}

/// Writes a picture of each image, all with one scale of colours.
fn draw(
    folder: &Path,
    clip: &Clip,
    photos: &[(String, RgbImage)],
    looks: &[ClassAttention],
    rows: &[Vec<f64>],
    part: &str,
) -> Result<Vec<Option<PathBuf>>, CliError> {
    fs_err::create_dir_all(folder)?;
    let values = looks
        .iter()
        .zip(rows)
        .flat_map(|(look, row)| look.patches(row));
    let top = values.copied().fold(0.0, f64::max);
    let mut files = Vec::new();
    for (i, (((name, square), look), row)) in photos.iter().zip(looks).zip(rows).enumerate() {
        let shares = look.shares(row);
        let picture = AttentionPicture {
            title: format!("{}, {part}", last_part(name)),
            photo: Picture {
                width: square.width,
                height: square.height,
                rgb: square.data.clone(),
            },
            patch: clip.config.vision.patch_size,
            grid: look.grid,
            values: look.patches(row).to_vec(),
            top,
            shares: vec![
                ("itself".to_owned(), shares.itself),
                ("patches".to_owned(), shares.patches),
                ("prompts".to_owned(), shares.prompts),
            ],
        };
        let png = picture.draw().and_then(|drawn| drawn.png());
        let Some(png) = png else {
            return Err(CliError::failure(format!("{name}: cannot be drawn")));
        };
        let path = folder.join(format!("{:03}-{}.png", i + 1, file_name(name)));
        write_atomic(&path, &png)?;
        files.push(Some(path));
    }
    Ok(files)
}

/// What is shown, such as `block 12, mean over the heads`.
fn part_name(block: usize, head: Option<usize>) -> String {
    let head = head.map_or_else(
        || "mean over the heads".to_owned(),
        |head| format!("head {head}"),
    );
    format!("block {block}, {head}")
}

/// What follows the last separator of an image's name.
fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\', '@']).next().unwrap_or(name)
}

/// The last part of an image's name, of letters, digits, `-` and `_` alone.
fn file_name(name: &str) -> String {
    let last = last_part(name);
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let safe = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    stem.chars().take(60).map(safe).collect()
}

fn cells(shares: &Shares) -> [String; 3] {
    [shares.itself, shares.patches, shares.prompts].map(|share| format!("{:.1}", 100.0 * share))
}

impl Looked {
    fn csv(&self) -> String {
        let mut rows = Vec::new();
        for image in &self.images {
            for part in &image.all {
                let s = &part.shares;
                let mut row = vec![
                    image.image.clone(),
                    part.block.to_string(),
                    part.head.map_or("mean".to_owned(), |head| head.to_string()),
                ];
                row.extend([s.itself, s.patches, s.prompts].map(|share| share.to_string()));
                rows.push(row);
            }
        }
        let header = ["image", "block", "head", "itself", "patches", "prompts"];
        csv_text(&header, &rows)
    }

    fn text(&self) -> String {
        let header = |first| [first, "itself %", "patches %", "prompts %"];
        let line = |name: &str, shares: &Shares| {
            let mut row = vec![name.to_owned()];
            row.extend(cells(shares));
            row
        };
        let mut rows: Vec<_> = self
            .images
            .iter()
            .map(|row| line(&row.image, &row.shares))
            .collect();
        rows.push(line("if spread evenly", &self.even));
        let mut text = format!(
            "attention of the class token in {}\n{}",
            part_name(self.block, self.head),
            table(&header("image"), &rows)
        );
        let blocks = self.images.first().map_or(0, |row| {
            row.all.iter().map(|part| part.block).max().unwrap_or(0)
        });
        let mean = |block: usize| {
            let parts = self.images.iter().flat_map(|row| &row.all);
            let parts: Vec<&Shares> = parts
                .filter(|part| part.block == block && part.head.is_none())
                .map(|part| &part.shares)
                .collect();
            let mean = |of: fn(&Shares) -> f64| {
                parts.iter().map(|s| of(s)).sum::<f64>() / parts.len() as f64
            };
            Shares {
                itself: mean(|s| s.itself),
                patches: mean(|s| s.patches),
                prompts: mean(|s| s.prompts),
            }
        };
        let rows: Vec<_> = (1..=blocks)
            .map(|block| line(&block.to_string(), &mean(block)))
            .collect();
        text += &format!(
            "\n\nevery block, mean over heads and images\n{}",
            table(&header("block"), &rows)
        );
        text += "\n\nAttention says where a block reads from, not what the answer depends on.";
        text
    }
}
