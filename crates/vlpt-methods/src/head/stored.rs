//! A classifier of image features as named tensors.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::FeatureHead;

/// A tensor of a file: shape and row-major values.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadTensor {
    /// The shape.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Vec<f32>,
}

/// Tensors and facts of a classifier.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeadFile {
    /// Tensors by name.
    pub tensors: BTreeMap<String, HeadTensor>,
    /// Facts by name, for the file's metadata.
    pub facts: BTreeMap<String, String>,
}

impl HeadFile {
    /// Puts a tensor in.
    pub fn put(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let tensor = HeadTensor {
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// Takes a tensor of this shape out.
    ///
    /// # Errors
    /// It is missing or misshapen, in a sentence.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        match self.tensors.remove(name) {
            Some(tensor) if tensor.shape == shape => Ok(tensor.values),
            Some(tensor) => Err(format!(
                "`{name}` has shape {:?}: expected {shape:?}",
                tensor.shape
            )),
            None => Err(format!("`{name}` is missing")),
        }
    }

    /// Takes a matrix with rows of this width out.
    ///
    /// # Errors
    /// It is missing or misshapen, in a sentence.
    pub fn take_rows(&mut self, name: &str, width: usize) -> Result<HeadTensor, String> {
        match self.tensors.remove(name) {
            Some(tensor) if tensor.shape.len() == 2 && tensor.shape[1] == width => Ok(tensor),
            Some(tensor) => Err(format!(
                "`{name}` has shape {:?}: expected rows of {width}",
                tensor.shape
            )),
            None => Err(format!("`{name}` is missing")),
        }
    }

    /// A fact that is a number.
    ///
    /// # Errors
    /// It is missing or no number, in a sentence.
    pub fn number(&self, name: &str) -> Result<f64, String> {
        let found = self.facts.get(name);
        let value = found.and_then(|text| text.parse::<f64>().ok());
        value.ok_or_else(|| format!("has {name} = {found:?}: expected a number"))
    }
}

/// Makes a classifier from a file, for so many classes and features of this length; an error says
/// what is wrong with the file.
pub type ReadHead = fn(&mut HeadFile, usize, usize) -> Result<Arc<dyn FeatureHead>, String>;

/// Makes classifiers of one kind from files.
#[derive(Debug, Clone, Copy)]
pub struct HeadReader {
    /// The kind, see [`FeatureHead::kind`].
    pub kind: &'static str,
    /// From a file.
    pub read: ReadHead,
}
