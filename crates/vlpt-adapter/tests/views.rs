//! The cache of views: one file serves features, what is before the projection, and other
//! projections; what it holds is computed once.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use vlpt_adapter::{FeatureExtractor, ImageAdaptation, ImageConfig, View, hash_images, preprocess};
use vlpt_clip::{Clip, ModelFiles, Observer, Precision, Progress};
use vlpt_data::Sample;
use vlpt_data::image::{Augment, Limits};
use vlpt_methods::head::ViewRows;

/// Counts images that go through the tower.
#[derive(Default)]
struct Passes(AtomicU64, Mutex<Vec<String>>);

impl Progress for Passes {
    fn start(&self, what: &str, _total: u64) {
        assert_eq!(what, "image features");
    }
    fn advance(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }
    fn finish(&self) {}
}

impl Observer for Passes {
    fn note(&self, text: &str) {
        self.1.lock().unwrap().push(text.to_owned());
    }
}

impl Passes {
    /// Those since the last time.
    fn taken(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

struct Example {
    clip: Clip,
    items: Vec<Sample>,
    hashes: Vec<String>,
}

impl Example {
    fn new(precision: Precision) -> Self {
        let clip = Clip::load_as(&ModelFiles::mini(), precision).unwrap();
        let task = vlpt_data::synthetic::task("shapes", 0).unwrap();
        let items = task.train.samples[..7].to_vec();
        let hashes = hash_images(&items, &()).unwrap();
        Self {
            clip,
            items,
            hashes,
        }
    }

    fn extractor(&self, cache: Option<&Path>) -> FeatureExtractor<'_> {
        FeatureExtractor {
            clip: &self.clip,
            preprocess: preprocess(&self.clip, &ImageConfig::default()),
            limits: Limits::default(),
            batch: 3,
            adaptation: None,
            cache: cache.map(Path::to_owned),
        }
    }

    fn images(&self) -> (&[Sample], &[String]) {
        (&self.items, &self.hashes)
    }

    /// Bytes of a view before the projection.
    fn bytes(&self) -> usize {
        self.items.len() * self.clip.vision.width() * 4
    }
}

fn random(number: u64) -> View {
    View::Random {
        augment: Augment::default(),
        seed: 5,
        number,
    }
}

fn some_views(count: u64) -> Vec<View> {
    (0..count).map(random).collect()
}

#[test]
fn what_one_asks_for_the_other_finds() {
    let example = Example::new(Precision::F32);
    let (items, hashes) = example.images();
    let views = some_views(3);
    let passes = Passes::default();
    for features_first in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let extractor = example.extractor(Some(dir.path()));
        let features = || extractor.views(items, hashes, &views, &passes).unwrap();
        let rows = || {
            let store = extractor.view_store((items, hashes), &views, usize::MAX, &passes);
            let store = store.unwrap();
            assert_eq!((store.held(), store.bytes()), (3, 3 * example.bytes()));
            [0, 1, 2].map(|view| store.rows(view).unwrap().into_owned())
        };
        let (features, rows) = if features_first {
            let features = features();
            assert_eq!(passes.taken(), 3 * 7);
            (features, rows())
        } else {
            let rows = rows();
            assert_eq!(passes.taken(), 3 * 7);
            (features(), rows)
        };
        assert_eq!(passes.taken(), 0, "the second computes no view again");
        for (features, rows) in features.iter().zip(&rows) {
            assert!(example.clip.vision.project(rows, None) == *features);
        }
        // One more view is one more pass of each image.
        extractor
            .views(items, hashes, &some_views(4), &passes)
            .unwrap();
        assert_eq!(passes.taken(), 7);
        // Another projection needs no pass at all, not even for the evaluation view.
        let plain = extractor
            .features(items, hashes, View::Centre, &passes)
            .unwrap();
        assert_eq!(passes.taken(), 7);
        let mut other = example.clip.vision.projection();
        other.reverse();
        let projected = FeatureExtractor {
            adaptation: Some(ImageAdaptation::of_projection(other.clone())),
            ..extractor.clone()
        };
        let features = projected
            .features(items, hashes, View::Centre, &passes)
            .unwrap();
        assert_eq!(passes.taken(), 0);
        assert!(features != plain);
        let anew = FeatureExtractor {
            cache: None,
            ..projected
        };
        let direct = anew.features(items, hashes, View::Centre, &()).unwrap();
        assert!(features == direct, "cached or not, bit by bit");
    }
}

#[test]
fn views_beyond_the_memory_are_read_from_the_disk_and_made_again_where_they_are_damaged() {
    let example = Example::new(Precision::F32);
    let views = some_views(4);
    let dir = tempfile::tempdir().unwrap();
    let passes = Passes::default();
    let bare = example.extractor(None);
    let all = bare
        .view_store(example.images(), &views, usize::MAX, &())
        .unwrap();
    let extractor = example.extractor(Some(dir.path()));
    for round in ["computed", "found"] {
        let budget = 2 * example.bytes() + 1;
        let store = extractor.view_store(example.images(), &views, budget, &passes);
        let store = store.unwrap();
        assert_eq!(store.held(), 2, "{round}");
        for view in 0..4 {
            assert_eq!(
                store.rows(view).unwrap(),
                all.rows(view).unwrap(),
                "{round} {view}"
            );
        }
        assert_eq!(passes.taken(), if round == "computed" { 28 } else { 0 });
    }
    let store = extractor
        .view_store(example.images(), &views, 0, &passes)
        .unwrap();
    assert_eq!(store.held(), 0);
    for file in fs_err::read_dir(dir.path().join("features")).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = fs_err::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs_err::write(&path, bytes).unwrap();
    }
    assert_eq!(store.rows(3).unwrap(), all.rows(3).unwrap());
    assert_eq!(passes.taken(), 7);
    let notes = passes.1.into_inner().unwrap();
    assert!(
        notes[0].contains("has changed since it was written"),
        "{notes:?}"
    );
}

#[test]
fn without_a_cache_views_beyond_the_memory_are_refused_before_any_is_computed() {
    let example = Example::new(Precision::F32);
    let passes = Passes::default();
    let extractor = example.extractor(None);
    let budget = 3 * example.bytes();
    let fits = extractor.view_store(example.images(), &some_views(3), budget, &());
    assert_eq!(fits.unwrap().held(), 3);
    let error = extractor.view_store(example.images(), &some_views(4), budget, &passes);
    let error = error.err().unwrap();
    assert!(
        error.to_string().starts_with("4 views take 1 MiB"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("views.count"));
    assert_eq!(passes.taken(), 0);
}

#[test]
fn random_views_of_a_bf16_tower_take_half_and_say_the_same_cached_or_not() {
    let example = Example::new(Precision::Bf16);
    let (items, hashes) = example.images();
    let dir = tempfile::tempdir().unwrap();
    let [bare, extractor] = [None, Some(dir.path())].map(|cache| example.extractor(cache));
    let views = [random(0), View::Centre];
    let direct = bare.views(items, hashes, &views, &()).unwrap();
    for _ in 0..2 {
        let cached = extractor.views(items, hashes, &views, &()).unwrap();
        assert!(cached == direct);
    }
    let sizes = fs_err::read_dir(dir.path().join("features")).unwrap();
    let mut sizes: Vec<u64> = sizes
        .map(|file| file.unwrap().metadata().unwrap().len())
        .collect();
    sizes.sort_unstable();
    let values = example.bytes() as u64;
    assert!(
        sizes[0] < values && values < sizes[1] && sizes[1] < values + 1024,
        "{sizes:?}"
    );
    let store = extractor.view_store(example.images(), &views[..1], values as usize / 2, &());
    let store = store.unwrap();
    assert_eq!((store.held(), store.bytes() as u64), (1, values / 2));
    let features = example.clip.vision.project(&store.rows(0).unwrap(), None);
    assert!(features == direct[0]);
}
