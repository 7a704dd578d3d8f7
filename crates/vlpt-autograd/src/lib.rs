//! Small f32 tensors on the CPU with reverse-mode automatic differentiation.
//!
//! Prompt methods learn a few thousand numbers, so this crate is made for matrices that fit in a
//! cache: every tensor is contiguous and row-major, has at most [`MAX_RANK`] axes, and holds f32.
//! What it is made for beside that is exactness: sums have one fixed order, so a result has the
//! same bits on every run and with any number of threads.
//!
//! An operation records how its gradient goes back only where one of its inputs needs a gradient.
//! A graph starts from a [`Var`], whose values an optimiser replaces:
//!
//! ```
//! use vlpt_autograd::{Tensor, Var};
//!
//! # fn main() -> vlpt_autograd::Result<()> {
//! let weight = Var::new(vec![1.0, -2.0, 0.5, 3.0], &[2, 2])?;
//! let x = Tensor::new(vec![1.0, 2.0], &[1, 2])?;
//! let loss = x.matmul(&weight)?.sqr().sum_all();
//! let gradients = loss.backward()?;
//! assert_eq!(loss.item()?, 20.0);
//! assert_eq!(gradients.get(&weight), Some([4.0, 8.0, 8.0, 16.0].as_slice()));
//! # Ok(())
//! # }
//! ```
//!
//! Binary operations broadcast by numpy's rules. An axis is a number from 0 on, or from -1 down,
//! where -1 is the last. What does not fit is a [`TensorError`] that names the operation and the
//! shapes; nothing here panics. [`Tensor::custom`] puts a function with a gradient of its own into
//! a graph. Gradients of gradients are not recorded.

mod backward;
mod error;
mod ops;
mod shape;
mod sum;
mod tensor;
mod var;

pub use backward::{Gradients, InputGradients, vjp};
pub use error::{Result, TensorError};
pub use shape::MAX_RANK;
pub use tensor::Tensor;
pub use var::Var;
