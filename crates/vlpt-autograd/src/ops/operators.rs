//! Operators: `&a + &b` of two tensors may fail, `&a * 0.5` with a number cannot.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::{Result, Tensor};

macro_rules! operator {
    ($trait:ident, $method:ident, $scalar:expr) => {
        impl $trait<&Tensor> for &Tensor {
            type Output = Result<Tensor>;

            fn $method(self, other: &Tensor) -> Result<Tensor> {
                Tensor::$method(self, other)
            }
        }

        impl $trait<Tensor> for &Tensor {
            type Output = Result<Tensor>;

            fn $method(self, other: Tensor) -> Result<Tensor> {
                Tensor::$method(self, &other)
            }
        }

        impl $trait<&Tensor> for Tensor {
            type Output = Result<Tensor>;

            fn $method(self, other: &Tensor) -> Result<Tensor> {
                Tensor::$method(&self, other)
            }
        }

        impl $trait<Tensor> for Tensor {
            type Output = Result<Tensor>;

            fn $method(self, other: Tensor) -> Result<Tensor> {
                Tensor::$method(&self, &other)
            }
        }

        /// With a number, which is rounded to f32.
        impl $trait<f64> for &Tensor {
            type Output = Tensor;

            fn $method(self, number: f64) -> Tensor {
                let apply: fn(&Tensor, f64) -> Tensor = $scalar;
                apply(self, number)
            }
        }

        /// With a number, which is rounded to f32.
        impl $trait<f64> for Tensor {
            type Output = Tensor;

            fn $method(self, number: f64) -> Tensor {
                $trait::$method(&self, number)
            }
        }
    };
}

operator!(Add, add, |x, c| shifted(x, c));
operator!(Sub, sub, |x, c| shifted(x, -c));
operator!(Mul, mul, |x, c| scaled(x, c));
operator!(Div, div, |x, c| scaled(x, 1.0 / c));

impl Neg for &Tensor {
    type Output = Tensor;

    fn neg(self) -> Tensor {
        self.unary(|x| -x, |g, _, _| -g)
    }
}

impl Neg for Tensor {
    type Output = Tensor;

    fn neg(self) -> Tensor {
        -&self
    }
}

fn shifted(x: &Tensor, number: f64) -> Tensor {
    let number = number as f32;
    x.unary(move |x| x + number, |g, _, _| g)
}

fn scaled(x: &Tensor, number: f64) -> Tensor {
    let number = number as f32;
    x.unary(move |x| x * number, move |g, _, _| g * number)
}
