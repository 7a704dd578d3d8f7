//! What the headers of images say that pixels do not: turns that are not applied, and greys that turn
//! white.

use std::io::Read;

use rayon::prelude::*;

use super::finding::{Finding, Level, plural};
use crate::image::{DecodeOptions, Exif, Grey16, facts};
use crate::sample::{ImageRef, Sample};
use crate::task::Split;

/// Images that are looked at where a few must do, spread over the set.
pub(super) const FEW: usize = 256;
/// Of these so many where they lie in an archive, from its beginning: jumping about in one is slow.
const FEW_OF_ARCHIVE: usize = 32;
/// Bytes of a file that are read; EXIF data lies at the beginning and has at most 64 KiB.
const HEAD: u64 = 128 << 10;

/// What the header of an image says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// Grey of 16 bits: values above 255 become white.
    pub(super) wide_grey: bool,
    /// An EXIF tag says that the picture is to be turned or mirrored.
    pub(super) turned: bool,
}

/// Headers with the names of their images, and what of the set was looked at.
pub(super) struct Looked {
    headers: Vec<(String, Header)>,
    all: bool,
}

impl Header {
    /// Of the bytes of an image file, or of its beginning.
    pub(super) fn of(bytes: &[u8]) -> Self {
        facts(bytes).map_or_else(Self::default, |facts| Self {
            wide_grey: facts.grey16,
            turned: facts.orientation != 1,
        })
    }
}

/// The headers of at most `most` images of the splits.
pub(super) fn look(splits: &[(&'static str, &Split)], most: usize) -> Looked {
    let total: usize = splits.iter().map(|(_, split)| split.samples.len()).sum();
    let mut chosen: Vec<&Sample> = Vec::new();
    for (_, split) in splits {
        let all = &split.samples;
        let of_file = matches!(all.first().map(|s| &s.image), Some(ImageRef::File { .. }));
        if of_file {
            let share = (most * all.len()).div_ceil(total).min(all.len());
            chosen.extend((0..share).map(|i| &all[i * all.len() / share]));
        } else {
            chosen.extend(all.iter().take(FEW_OF_ARCHIVE));
        }
    }
    let all = chosen.len() == total;
    let look = |sample: &&Sample| Some((sample.image.id(), Header::of(&head(&sample.image)?)));
    Looked {
        headers: chosen.par_iter().filter_map(look).collect(),
        all,
    }
}

/// The beginning of an image's bytes; none where it cannot be read, which is another's to say.
fn head(image: &ImageRef) -> Option<Vec<u8>> {
    match image {
        ImageRef::Synthetic(_) => None,
        ImageRef::File { root, path } => {
            let mut bytes = Vec::new();
            let file = fs_err::File::open(root.join(path)).ok()?;
            file.take(HEAD).read_to_end(&mut bytes).ok()?;
            Some(bytes)
        }
        stored => stored.read().ok(),
    }
}

impl Looked {
    /// Headers of all images.
    pub(super) fn all(headers: Vec<(String, Header)>) -> Self {
        Self { headers, all: true }
    }
}

/// What of the headers could mislead, decoded with these choices: what they already take care of is no warning.
pub(super) fn findings(looked: &Looked, chosen: &DecodeOptions) -> Vec<Finding> {
    let of = |wanted: fn(&Header) -> bool, what: &str, hint: &str| {
        let mut found = looked.headers.iter().filter(|(_, header)| wanted(header));
        let (first, _) = found.next()?;
        let count = plural(1 + found.count(), "image");
        let among = if looked.all {
            String::new()
        } else {
            format!(" of {} looked at", looked.headers.len())
        };
        let text = format!("{count}{among} {what}, such as {first}");
        Some(Finding::new(Level::Warning, text).hint(hint))
    };
    let grey = of(
        |header| header.wide_grey,
        "with 16-bit grey, of which all above 255 becomes white, as in Pillow's convert",
        "`train`, `zeroshot` and `embed` keep the high byte with --grey16 scale, and a prompt remembers it; or save \
         them with 8 bits",
    );
    let turned = of(
        |header| header.turned,
        "with an EXIF turn that is not applied, as published code does not either: the model sees them as they are stored",
        "`train`, `zeroshot` and `embed` turn them upright with --exif apply, and a prompt remembers it; or save them \
         upright, without the tag",
    );
    let grey = grey.filter(|_| chosen.grey16 == Grey16::Clip);
    let turned = turned.filter(|_| chosen.exif == Exif::Ignore);
    grey.into_iter().chain(turned).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::archive::Root;

    fn split(root: &Arc<Root>, count: usize) -> Split {
        let sample = |i: usize| Sample {
            image: ImageRef::File {
                root: Arc::clone(root),
                path: format!("{}.png", i % 4).into(),
            },
            labels: vec![0],
        };
        Split::new((0..count).map(sample).collect())
    }

    #[test]
    fn of_a_big_set_a_few_files_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        // the first bytes of a PNG of 16-bit grey, which is all that is read
        let mut grey = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08".to_vec();
        grey.extend([16, 0, 0, 0, 0]);
        for i in 0..4 {
            fs_err::write(dir.path().join(format!("{i}.png")), &grey).unwrap();
        }
        let (train, test) = (split(&root, 100_000), split(&root, 50_000));
        let looked = look(&[("train", &train), ("test", &test)], FEW);
        assert!((FEW..=FEW + 1).contains(&looked.headers.len()));
        let told = findings(&looked, &DecodeOptions::default());
        assert_eq!(told.len(), 1);
        assert!(told[0].text.contains("images of 25"), "{}", told[0].text);
        let few = split(&root, 3);
        let looked = look(&[("train", &few)], FEW);
        let told = findings(&looked, &DecodeOptions::default());
        assert!(
            told[0].text.starts_with("3 images with 16-bit grey"),
            "{}",
            told[0].text
        );
        let hint = told[0].hint.as_deref().unwrap();
        assert!(hint.contains("--grey16 scale"), "{hint}");
        let scaled = DecodeOptions {
            grey16: Grey16::Scale,
            ..DecodeOptions::default()
        };
        assert!(findings(&looked, &scaled).is_empty());
    }
}
