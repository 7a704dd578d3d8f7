//! What both kinds of index file list.

/// One listed image.
#[derive(Debug)]
pub(super) struct Listed {
    /// Where it is listed, such as `line 3`.
    pub(super) place: String,
    /// Zip and member, or no zip and a path.
    pub(super) zip: Option<String>,
    pub(super) path: String,
    pub(super) labels: Vec<u32>,
}
