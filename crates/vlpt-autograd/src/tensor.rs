//! The tensor: values, a shape, and where it came from.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::backward::InputGradients;
use crate::shape::{check_size, size};
use crate::{Result, TensorError};

/// A contiguous row-major f32 tensor. To clone one is cheap: both are the same tensor.
#[derive(Clone)]
pub struct Tensor(Arc<Node>);

/// How a gradient of the result becomes gradients of the inputs.
pub(crate) type Backward = Box<dyn Fn(&[f32], &mut InputGradients<'_>) -> Result<()> + Send + Sync>;

/// A tensor as a node of the graph.
struct Node {
    id: u64,
    shape: Vec<usize>,
    values: Values,
    /// What it was computed from; empty where it needs no gradient.
    inputs: Vec<Tensor>,
    backward: Option<Backward>,
}

enum Values {
    Fixed(Arc<Vec<f32>>),
    /// Those of a variable.
    Replaceable(RwLock<Arc<Vec<f32>>>),
}

/// The number of the next tensor: no two have the same, so a gradient is never looked up by
/// another tensor. No result depends on it.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Tensor {
    /// A constant of row-major values.
    ///
    /// # Errors
    /// A number of values that is not the product of the shape, or too many axes.
    pub fn new(values: Vec<f32>, shape: &[usize]) -> Result<Self> {
        check_size("tensor", shape, values.len())?;
        Ok(Self::constant(Arc::new(values), shape.to_vec()))
    }

    /// A constant of one value everywhere.
    ///
    /// # Errors
    /// Too many axes.
    pub fn full(value: f32, shape: &[usize]) -> Result<Self> {
        Self::new(vec![value; size(shape)], shape)
    }

    /// A constant of zeros.
    ///
    /// # Errors
    /// Too many axes.
    pub fn zeros(shape: &[usize]) -> Result<Self> {
        Self::full(0.0, shape)
    }

    /// A constant of ones.
    ///
    /// # Errors
    /// Too many axes.
    pub fn ones(shape: &[usize]) -> Result<Self> {
        Self::full(1.0, shape)
    }

    /// The lengths of the axes; none for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    /// The lengths of `N` axes.
    ///
    /// # Errors
    /// Another number of axes.
    pub fn dims<const N: usize>(&self) -> Result<[usize; N]> {
        <[usize; N]>::try_from(self.shape()).map_err(|_| TensorError::Shape {
            operation: "dims",
            found: self.shape().to_vec(),
            expected: format!("{N} axes"),
        })
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.0.shape.len()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        size(&self.0.shape)
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, row-major. A variable that is set later does not change them.
    pub fn values(&self) -> Arc<Vec<f32>> {
        match &self.0.values {
            Values::Fixed(values) => Arc::clone(values),
            Values::Replaceable(values) => {
                // The lock guards one assignment, which cannot be left half done.
                Arc::clone(&values.read().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// A copy of the values, row-major.
    pub fn to_vec(&self) -> Vec<f32> {
        self.values().to_vec()
    }

    /// The only value.
    ///
    /// # Errors
    /// Another number of values than one.
    pub fn item(&self) -> Result<f32> {
        match self.values().as_slice() {
            [value] => Ok(*value),
            _ => Err(TensorError::Shape {
                operation: "item",
                found: self.shape().to_vec(),
                expected: "one value".to_owned(),
            }),
        }
    }

    /// Whether it is a variable or depends on one.
    pub fn requires_grad(&self) -> bool {
        self.is_leaf() || self.0.backward.is_some()
    }

    /// The same values as a constant: no gradient goes further back.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self::constant(self.values(), self.0.shape.clone())
    }

    /// A constant of values that fit the shape.
    pub(crate) fn constant(values: Arc<Vec<f32>>, shape: Vec<usize>) -> Self {
        Self::node(shape, Values::Fixed(values), Vec::new(), None)
    }

    /// A tensor whose values may be replaced and that gets a gradient.
    pub(crate) fn leaf(values: Vec<f32>, shape: Vec<usize>) -> Self {
        let values = Values::Replaceable(RwLock::new(Arc::new(values)));
        Self::node(shape, values, Vec::new(), None)
    }

    /// The result of an operation: `values`, which fit `shape`, computed from `inputs`. How
    /// gradients go back is kept only where an input needs one.
    pub(crate) fn computed(
        values: impl Into<Arc<Vec<f32>>>,
        shape: Vec<usize>,
        inputs: &[&Self],
        backward: impl Fn(&[f32], &mut InputGradients<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        if !inputs.iter().any(|input| input.requires_grad()) {
            return Self::constant(values.into(), shape);
        }
        let inputs = inputs.iter().copied().cloned().collect();
        Self::node(
            shape,
            Values::Fixed(values.into()),
            inputs,
            Some(Box::new(backward)),
        )
    }

    fn node(
        shape: Vec<usize>,
        values: Values,
        inputs: Vec<Self>,
        backward: Option<Backward>,
    ) -> Self {
        Self(Arc::new(Node {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            shape,
            values,
            inputs,
            backward,
        }))
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self.0.values, Values::Replaceable(_))
    }

    pub(crate) fn inputs(&self) -> &[Self] {
        &self.0.inputs
    }

    pub(crate) fn backward_of_inputs(&self) -> Option<&Backward> {
        self.0.backward.as_ref()
    }

    /// Replaces the values of a leaf by as many others.
    pub(crate) fn replace(&self, values: Vec<f32>) {
        if let Values::Replaceable(own) = &self.0.values {
            *own.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(values);
        }
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensor")
            .field("shape", &self.shape())
            .field("requires_grad", &self.requires_grad())
            .finish_non_exhaustive()
    }
}

impl Drop for Node {
    /// Takes a long chain of operations apart in a loop: the drop of a tensor inside the drop of
    /// another, and so on, would need as much stack as the chain is long.
    fn drop(&mut self) {
        let mut left = std::mem::take(&mut self.inputs);
        while let Some(tensor) = left.pop() {
            if let Some(mut node) = Arc::into_inner(tensor.0) {
                left.append(&mut node.inputs);
            }
        }
    }
}
