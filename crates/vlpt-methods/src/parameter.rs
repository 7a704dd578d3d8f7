//! A named tensor that training changes.

use vlpt_autograd::Var;

use crate::{MethodError, Result};

/// A named, trainable f32 tensor on the CPU.
#[derive(Debug, Clone)]
pub struct Parameter {
    name: String,
    var: Var,
}

impl Parameter {
    /// A parameter of the given name, shape and row-major values.
    ///
    /// # Errors
    /// A number of values that is not the product of the shape.
    pub fn new(name: &str, shape: &[usize], values: Vec<f32>) -> Result<Self> {
        if values.len() != shape.iter().product::<usize>() {
            return Err(MethodError::Shape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: values.len(),
            });
        }
        let var = Var::new(values, shape)?;
        Ok(Self {
            name: name.to_owned(),
            var,
        })
    }

    /// The name, unique in its method; the tensor's name in a prompt folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The variable that autograd follows.
    pub fn var(&self) -> &Var {
        &self.var
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        self.var.shape()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.var.len()
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of the values, row-major.
    ///
    /// # Errors
    /// None: the values are in memory.
    pub fn values(&self) -> Result<Vec<f32>> {
        Ok(self.var.to_vec())
    }

    /// Replaces the values, row-major.
    ///
    /// # Errors
    /// A number of values that differs from the parameter's.
    pub fn set(&self, values: &[f32]) -> Result<()> {
        if values.len() != self.len() {
            return Err(MethodError::Shape {
                name: self.name.clone(),
                expected: self.shape().to_vec(),
                found: values.len(),
            });
        }
        Ok(self.var.set(values)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_replaced_whole_or_not_at_all() {
        let parameter = Parameter::new("ctx", &[2, 1], vec![1.0, 2.0]).unwrap();
        assert!(parameter.set(&[1.0]).is_err());
        parameter.set(&[5.0, 6.0]).unwrap();
        assert_eq!(parameter.values().unwrap(), [5.0, 6.0]);
        assert!(Parameter::new("ctx", &[2, 2], vec![0.0]).is_err());
    }
}
