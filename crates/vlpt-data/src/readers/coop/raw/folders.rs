//! Sets whose classes are folders.

use std::sync::Arc;

use super::super::sets::Set;
use super::Classes;
use crate::archive::Root;
use crate::error::Result;
use crate::readers::folders::folders_in;
use crate::readers::walker::Walker;
use crate::sample::Sample;

/// Folders of Caltech101 that CoOp leaves out: clutter, and faces that are there twice.
const LEFT_OUT: [&str; 2] = ["BACKGROUND_Google", "Faces_easy"];

/// Folders whose classes CoOp calls otherwise.
const NAMES: [(&str, &str, &str); 14] = [
    ("Caltech101", "airplanes", "airplane"),
    ("Caltech101", "Faces", "face"),
    ("Caltech101", "Leopards", "leopard"),
    ("Caltech101", "Motorbikes", "motorbike"),
    ("EuroSAT", "AnnualCrop", "Annual Crop Land"),
    ("EuroSAT", "Forest", "Forest"),
    (
        "EuroSAT",
        "HerbaceousVegetation",
        "Herbaceous Vegetation Land",
    ),
    ("EuroSAT", "Highway", "Highway or Road"),
    ("EuroSAT", "Industrial", "Industrial Buildings"),
    ("EuroSAT", "Pasture", "Pasture Land"),
    ("EuroSAT", "PermanentCrop", "Permanent Crop Land"),
    ("EuroSAT", "Residential", "Residential Buildings"),
    ("EuroSAT", "River", "River"),
    ("EuroSAT", "SeaLake", "Sea or Lake"),
];

/// Classes and their images, folders and images sorted by name; `None` where there are no folders
/// with images.
pub(super) fn read(root: &Arc<Root>, set: &Set) -> Result<Option<Classes>> {
    let mut walker = Walker::new(root);
    let (mut names, mut images) = (Vec::new(), Vec::<Vec<Sample>>::new());
    for folder in folders_in(&root.join(set.images)) {
        if LEFT_OUT.contains(&&*folder) {
            continue;
        }
        let paths = walker.images(&format!("{}/{folder}", set.images))?;
        if paths.is_empty() {
            continue;
        }
        let label = images.len() as u32;
        let samples = paths.iter().map(|path| walker.sample(path, label));
        images.push(samples.collect());
        let called = NAMES
            .iter()
            .find(|(name, from, _)| *name == set.name && *from == folder);
        names.push(called.map_or(folder, |(.., to)| (*to).to_owned()));
    }
    Ok((!names.is_empty()).then_some(Classes { names, images }))
}
