//! Groups of target tasks that should share a prompt, from who helps whom.

mod linkage;
mod select;

pub use linkage::{Dendrogram, Merge, average_linkage};
pub use select::{affinity, agglomerative_groups, dendrogram, greedy_groups};
