//! Views of images, from the cache or through the tower, and a store of them for methods that need
//! what is before the projection.

use std::borrow::Cow;

use vlpt_clip::Observer;
use vlpt_data::Sample;
use vlpt_methods::MethodError;
use vlpt_methods::head::ViewRows;

use super::kept::{KeptRows, rounded};
use super::{FeatureExtractor, View};
use crate::{AdapterError, ImageAdaptation, Result};

/// Takes the rows of a view, by its place, and whether the cache has them.
type Take<'t> = dyn FnMut(usize, KeptRows, bool) -> Result<()> + 't;

impl<'a> FeatureExtractor<'a> {
    /// What the tower's projection is applied to (images x width) in one view of every image; from
    /// the cache where it has them.
    ///
    /// # Errors
    /// As [`FeatureExtractor::features`]; [`AdapterError::Incompatible`] where each image has an
    /// adaptation of its own.
    pub fn unprojected(
        &self,
        items: &[Sample],
        hashes: &[String],
        view: View,
        observer: &dyn Observer,
    ) -> Result<Vec<f32>> {
        self.check_unprojected()?;
        let mut found = Vec::new();
        self.each_view((items, hashes), &[view], observer, &mut |_, rows, _| {
            found = rows.into_values();
            Ok(())
        })?;
        Ok(found)
    }

    /// The same for several views, to be asked for one after another: in memory as far as `budget`
    /// bytes go, the others read from the cache each time.
    ///
    /// # Errors
    /// As [`FeatureExtractor::unprojected`]; more views than the budget holds where there is no
    /// cache.
    pub fn view_store<'s>(
        &self,
        (items, hashes): (&'s [Sample], &'s [String]),
        views: &[View],
        budget: usize,
        observer: &'s dyn Observer,
    ) -> Result<ViewStore<'s>>
    where
        'a: 's,
    {
        self.check_unprojected()?;
        let width = self.row_width();
        let bytes = |&view: &View| {
            let half = rounded(view, self.clip.precision);
            items.len() * width * if half { 2 } else { 4 }
        };
        let one = views.iter().map(bytes).max().unwrap_or_default();
        let fit = budget / one.max(1);
        if self.cache.is_none() && fit < views.len() {
            return Err(too_many(views.len(), one, budget));
        }
        let mut held: Vec<Option<KeptRows>> = vec![None; views.len()];
        // What does not fit is not read to be thrown away; what is not there yet is computed.
        let keys = views.iter().map(|&view| self.key(items, hashes, view));
        let wanted: Vec<usize> = keys
            .enumerate()
            .filter(|(at, key)| *at < fit || !self.may_be_cached(key))
            .map(|(at, _)| at)
            .collect();
        let asked: Vec<View> = wanted.iter().map(|&at| views[at]).collect();
        self.each_view(
            (items, hashes),
            &asked,
            observer,
            &mut |at, rows, on_disk| {
                if wanted[at] < fit {
                    held[wanted[at]] = Some(rows);
                } else if !on_disk {
                    return Err(too_many(views.len(), one, budget));
                }
                Ok(())
            },
        )?;
        Ok(ViewStore {
            extractor: self.clone(),
            items,
            hashes,
            views: views.to_vec(),
            held,
            observer,
        })
    }

    /// Gives every view's rows to `take`, those of the cache first; the others go through the tower
    /// in groups, and are kept group by group.
    pub(super) fn each_view(
        &self,
        (items, hashes): (&[Sample], &[String]),
        views: &[View],
        observer: &dyn Observer,
        take: &mut Take,
    ) -> Result<()> {
        let shape = [items.len(), self.row_width()];
        let mut missing = Vec::new();
        for (at, &view) in views.iter().enumerate() {
            let key = self.key(items, hashes, view);
            match self.cached(&key, shape, observer) {
                Some(rows) => take(at, rows, true)?,
                None => missing.push((at, view, key)),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        observer.start("image features", (items.len() * missing.len()) as u64);
        let mut groups = missing.chunks(self.views_at_once(items.len()));
        let done = groups.try_for_each(|group| {
            let wanted: Vec<View> = group.iter().map(|(_, view, _)| *view).collect();
            let computed = self.compute(items, hashes, &wanted, observer)?;
            for ((at, view, key), rows) in group.iter().zip(computed) {
                let rows = KeptRows::new(rows, rounded(*view, self.clip.precision));
                let on_disk = self.keep(key, shape, &rows, observer);
                take(*at, rows, on_disk)?;
            }
            Ok(())
        });
        observer.finish();
        done
    }

    /// Features (images x embed) of the tower's rows (images x width), as
    /// [`FeatureExtractor::unprojected`] gives them, made in the groups that went through it; the bits
    /// are those of [`FeatureExtractor::features`].
    pub fn projected(&self, rows: &[f32]) -> Vec<f32> {
        let group = (self.batch.max(1) * self.row_width()).max(1);
        let of = |rows| ImageAdaptation::of_tower_rows(self.adaptation.as_ref(), self.clip, rows);
        rows.chunks(group).flat_map(of).collect()
    }

    /// Length of a row of the tower.
    pub(super) fn row_width(&self) -> usize {
        ImageAdaptation::row_width(self.adaptation.as_ref(), self.clip)
    }

    fn check_unprojected(&self) -> Result<()> {
        match &self.adaptation {
            Some(adaptation) if !adaptation.is_projected_last() => {
                Err(AdapterError::Incompatible {
                    what:
                        "the image tower is changed for each image, or gives two features: nothing \
                           is before a common projection"
                            .to_owned(),
                    hint: None,
                })
            }
            _ => Ok(()),
        }
    }
}

fn too_many(views: usize, one: usize, budget: usize) -> AdapterError {
    let [all, budget] = [views * one, budget].map(|bytes| bytes.div_ceil(1 << 20));
    AdapterError::Incompatible {
        what: format!(
            "{views} views take {all} MiB, but {budget} MiB are for them and no cache on disk holds \
             the others"
        ),
        hint: Some(
            "let features be cached on disk, lower views.count, or raise compute.memory_mb"
                .to_owned(),
        ),
    }
}

/// Several views of some images before the projection; see [`FeatureExtractor::view_store`].
pub struct ViewStore<'a> {
    extractor: FeatureExtractor<'a>,
    items: &'a [Sample],
    hashes: &'a [String],
    views: Vec<View>,
    held: Vec<Option<KeptRows>>,
    observer: &'a dyn Observer,
}

impl ViewStore<'_> {
    /// Number of views that are held in memory.
    pub fn held(&self) -> usize {
        self.held.iter().flatten().count()
    }

    /// Bytes of memory that they take.
    pub fn bytes(&self) -> usize {
        self.held.iter().flatten().map(KeptRows::bytes).sum()
    }
}

impl ViewRows for ViewStore<'_> {
    fn count(&self) -> usize {
        self.views.len()
    }

    fn rows(&self, view: usize) -> vlpt_methods::Result<Cow<'_, [f32]>> {
        if let Some(rows) = &self.held[view] {
            return Ok(rows.values());
        }
        // A file that was damaged or removed meanwhile is made again.
        let rows =
            self.extractor
                .unprojected(self.items, self.hashes, self.views[view], self.observer);
        rows.map(Cow::Owned)
            .map_err(|error| MethodError::Incompatible {
                what: error.to_string(),
                hint: error.hint(),
            })
    }
}
