//! The parameters of a run: read, put back, and written into checkpoints.

use std::collections::BTreeMap;

use vlpt_methods::Parameter;

use super::Trainer;
use crate::checkpoint::Checkpoint;
use crate::events::EventLog;
use crate::lock::RunLock;
use crate::{Result, TrainObserver};

impl Trainer<'_> {
    /// Values of the parameters by name.
    pub(crate) fn parameters(&self) -> Result<BTreeMap<String, Vec<f32>>> {
        let values = |p: &Parameter| Ok((p.name().to_owned(), p.values()?));
        self.method.parameters().iter().map(values).collect()
    }

    /// Shapes of the parameters by name.
    pub(crate) fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let shape = |p: &Parameter| (p.name().to_owned(), p.shape().to_vec());
        self.method.parameters().iter().map(shape).collect()
    }

    /// Puts the selected epoch's values into the parameters; gives its number, counted from 1, and
    /// its validation value.
    pub(crate) fn select(&self) -> Result<(usize, Option<f64>)> {
        let Some((epoch, value)) = self.position.best else {
            // The average of all epochs, of a method that ends with one.
            self.put_back(&self.average)?;
            return Ok((self.position.epoch, None));
        };
        self.put_back(&self.best)?;
        Ok((epoch, Some(value)))
    }

    /// Puts values back into the parameters.
    pub(crate) fn put_back(&self, values: &BTreeMap<String, Vec<f32>>) -> Result<()> {
        for parameter in self.method.parameters() {
            if let Some(values) = values.get(parameter.name()) {
                parameter.set(values)?;
            }
        }
        Ok(())
    }

    /// Writes a checkpoint of this moment.
    pub(crate) fn checkpoint(
        &mut self,
        folder: &RunLock,
        log: &mut EventLog,
        observer: &dyn TrainObserver,
    ) -> Result<()> {
        self.position.events = log.sync()?;
        let checkpoint = Checkpoint {
            position: self.position.clone(),
            parameters: self.parameters()?,
            optimizer: self.optimizer.state(),
            best: self.best.clone(),
            average: self.average.clone(),
        };
        checkpoint.write(folder.held()?)?;
        observer.checkpoint();
        Ok(())
    }

    /// Marks the run as finished and writes the last checkpoint.
    pub(crate) fn finish(
        &mut self,
        folder: &RunLock,
        log: &mut EventLog,
        observer: &dyn TrainObserver,
    ) -> Result<()> {
        self.position.finished = true;
        self.checkpoint(folder, log, observer)
    }
}
