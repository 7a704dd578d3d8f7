//! Functions of single elements.

use std::sync::Arc;

use crate::Tensor;

impl Tensor {
    /// The absolute value; its gradient at 0 is 0.
    #[must_use]
    pub fn abs(&self) -> Self {
        self.unary(
            f32::abs,
            |g, x, _| {
                if x == 0.0 { 0.0 } else { g * x.signum() }
            },
        )
    }

    /// The square.
    #[must_use]
    pub fn sqr(&self) -> Self {
        self.unary(|x| x * x, |g, x, _| x * g * 2.0)
    }

    /// The square root; its gradient at 0 is infinite.
    #[must_use]
    pub fn sqrt(&self) -> Self {
        self.unary(f32::sqrt, |g, _, y| g / y * 0.5)
    }

    /// The exponential.
    #[must_use]
    pub fn exp(&self) -> Self {
        self.unary(f32::exp, |g, _, y| g * y)
    }

    /// The natural logarithm.
    #[must_use]
    pub fn log(&self) -> Self {
        self.unary(f32::ln, |g, x, _| g / x)
    }

    /// The hyperbolic tangent.
    #[must_use]
    pub fn tanh(&self) -> Self {
        self.unary(f32::tanh, |g, _, y| g * (1.0 - y * y))
    }

    /// `1 / (1 + exp(-x))`.
    #[must_use]
    pub fn sigmoid(&self) -> Self {
        self.unary(|x| 1.0 / (1.0 + (-x).exp()), |g, _, y| g * y * (1.0 - y))
    }

    /// `max(x, 0)`; its gradient at 0 is 0.
    #[must_use]
    pub fn relu(&self) -> Self {
        self.unary(|x| x.max(0.0), |g, x, _| if x > 0.0 { g } else { 0.0 })
    }

    /// `forward(x)` of every element; `backward` makes the gradient by `x` from that of the
    /// result, `x` and the result.
    pub(crate) fn unary(
        &self,
        forward: impl Fn(f32) -> f32,
        backward: impl Fn(f32, f32, f32) -> f32 + Send + Sync + 'static,
    ) -> Self {
        let x = self.values();
        let y = Arc::new(x.iter().map(|&x| forward(x)).collect::<Vec<f32>>());
        let kept = Arc::clone(&y);
        Self::computed(
            y,
            self.shape().to_vec(),
            &[self],
            move |gradient, inputs| {
                let values = gradient.iter().zip(x.iter().zip(kept.iter()));
                inputs.add(0, values.map(|(&g, (&x, &y))| backward(g, x, y)).collect())
            },
        )
    }
}
