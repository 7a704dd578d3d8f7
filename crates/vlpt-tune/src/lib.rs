//! From a folder of photos to the best classifier that they allow, with an honest estimate of how good it is.
//!
//! [`tune`] looks at the photos through the frozen tower once, divides them into [`Folds`], tries
//! [`candidates`], the cheapest first, as far as the time goes ([`Search`]), takes one ([`choose`]) and says
//! why, estimates what the choice is worth without the luck of having been chosen ([`bbc`]), asks the held-out
//! photos for a temperature and a threshold ([`calibrate`]), and fits the chosen one to all photos. The result
//! is a run folder as `vlpt train` writes it, with a report, a model card and a [`Record`].
//!
//! Results depend on the seed and the photos alone, but for what the time did not allow; the record says
//! which candidates that were.

mod account;
pub mod bbc;
mod boundary;
mod budget;
pub mod calibrate;
mod candidates;
mod card;
mod choice;
mod clock;
mod copies;
pub mod curve;
mod error;
mod folds;
mod held_out;
pub mod labels;
mod learning;
mod name;
mod options;
mod page;
mod photos;
mod record;
mod run;
mod search;
mod sentence;
mod settled;
mod thumbnails;
mod trial;
mod verdict;
mod work;
mod write;

pub use budget::{Budget, spoken};
pub use candidates::{Candidate, Cost, candidates};
pub use choice::{Gain, choose, gain};
pub use clock::{Clock, WallClock};
pub use error::{Result, TuneError};
pub use folds::Folds;
pub use learning::{ClassForecast, LearningCurve, MORE};
pub use name::name_of;
pub use options::{TuneObserver, TuneOptions, Tuned};
pub use photos::Photos;
pub use record::{
    Before, ClassCount, CopyGroup, Expected, NearPhoto, PhotoEntry, RECORD, RECORD_FORMAT, Record,
    SuspectPhoto,
};
pub use run::tune;
pub use search::{Found, Judged, Search, Tried};
pub use trial::{Allowance, Trial};
