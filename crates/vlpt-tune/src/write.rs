//! The chosen candidate fitted to all photos, and its folder.

use std::path::Path;

use serde_json::{Map, json};
use vlpt_adapter::{Annotations, Classifier, PromptFolder, annotate_prompt};
use vlpt_base::files::{make_folder, remove_unfinished_folder, write_atomic};
use vlpt_train::{Run, RunOptions, TrainError};

use crate::card::card;
use crate::options::Tuned;
use crate::page::Page;
use crate::record::{RECORD, Record};
use crate::work::{Verdict, Work};
use crate::{Result, TuneError};

impl Work<'_> {
    /// Fits the chosen candidate to all photos and writes the folder.
    pub(crate) fn write(
        &self,
        verdict: &Verdict,
        record: Record,
        notes: Vec<String>,
    ) -> Result<Tuned> {
        let out = &self.options.out;
        if let Some(folder) = out.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let mut record = record;
        let made = make_folder(out, |dir| self.fill(dir, verdict, &mut record, &notes));
        if let Err(error) = made {
            remove_unfinished_folder(out)?;
            return Err(match error {
                TuneError::Train(TrainError::Stopped { .. }) => TuneError::Stopped,
                other => other,
            });
        }
        Ok(Tuned {
            dir: out.clone(),
            record,
            notes,
        })
    }

    fn fill(
        &self,
        dir: &Path,
        verdict: &Verdict,
        record: &mut Record,
        notes: &[String],
    ) -> Result<()> {
        let options = RunOptions {
            dir: dir.to_owned(),
            cache: self.options.cache.clone(),
        };
        let (clip, data) = (self.photos.clip, self.photos.data);
        let summary = Run::start_with(&verdict.chosen.config, &options, clip, data, self.observer)?;
        record.seconds = self.budget.spent().as_secs_f64();
        let mut metrics = Map::new();
        if let Some(expected) = &record.estimate {
            metrics.insert(format!("expected_{}", record.metric), json!(expected.value));
            metrics.insert("expected_low".to_owned(), json!(expected.low));
            metrics.insert("expected_high".to_owned(), json!(expected.high));
        }
        let annotations = Annotations {
            calibration: verdict.calibration,
            metrics,
            readme: card(record, &data.task.name),
        };
        annotate_prompt(&summary.prompt, &annotations)?;
        let classifier: Classifier = PromptFolder::open(&summary.prompt)?.classifier(clip)?;
        write_atomic(&dir.join(RECORD), record.to_json().as_bytes())?;
        let page = Page {
            record,
            photos: self.photos,
            answers: &self.answers(verdict),
            classifier: &classifier,
            folder: self.options.out.display().to_string(),
            notes,
        };
        page.report()?.write(&dir.join("report.html"))?;
        Ok(())
    }
}
