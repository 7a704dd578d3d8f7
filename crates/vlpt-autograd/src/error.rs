//! What can go wrong in an operation.

use thiserror::Error;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, TensorError>;

/// Tensors that an operation cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TensorError {
    /// Two shapes that do not fit each other.
    #[error("{operation}: the shapes {left:?} and {right:?} do not fit each other")]
    Shapes {
        /// The operation.
        operation: &'static str,
        /// The first operand's shape.
        left: Vec<usize>,
        /// The second operand's shape, or the one asked for.
        right: Vec<usize>,
    },
    /// A shape of another kind than the operation takes.
    #[error("{operation}: found the shape {found:?}, expected {expected}")]
    Shape {
        /// The operation.
        operation: &'static str,
        /// The shape found.
        found: Vec<usize>,
        /// What it takes.
        expected: String,
    },
    /// A number of values that is not the product of the shape.
    #[error("{operation}: found {found} values for the shape {shape:?}")]
    Values {
        /// The operation.
        operation: &'static str,
        /// The shape.
        shape: Vec<usize>,
        /// Number of values.
        found: usize,
    },
    /// An axis that the shape does not have.
    #[error("{operation}: the shape {shape:?} has no axis {axis}")]
    Axis {
        /// The operation.
        operation: &'static str,
        /// The shape.
        shape: Vec<usize>,
        /// The axis asked for.
        axis: isize,
    },
    /// A part of an axis that reaches past its end.
    #[error("{operation}: found {start} to {end} of an axis of {length}")]
    Range {
        /// The operation.
        operation: &'static str,
        /// The first position.
        start: usize,
        /// The position behind the last one.
        end: usize,
        /// The axis's length.
        length: usize,
    },
    /// An operation on several tensors that got none.
    #[error("{operation}: found no tensor, expected at least one")]
    Nothing {
        /// The operation.
        operation: &'static str,
    },
}
