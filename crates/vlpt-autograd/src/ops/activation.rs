//! The two activations of CLIP models.

use vlpt_kernels::Activation;

use crate::Tensor;

/// Half of the 1.702 of the quick GELU.
const HALF: f32 = 0.851;

impl Tensor {
    /// `x (1 + erf(x / sqrt 2)) / 2`, the GELU (Hendrycks and Gimpel, 2016) without approximation.
    #[must_use]
    pub fn gelu(&self) -> Self {
        let x = self.values();
        let mut y = vec![0.0; x.len()];
        Activation::Gelu.forward(&x, &mut y);
        Self::computed(
            y,
            self.shape().to_vec(),
            &[self],
            move |gradient, inputs| {
                let mut d = x.to_vec();
                Activation::Gelu.derivative(&mut d);
                for (d, g) in d.iter_mut().zip(gradient) {
                    *d *= g;
                }
                inputs.add(0, d)
            },
        )
    }

    /// `x sigmoid(1.702 x)`, with the sigmoid as `(1 + tanh(0.851 x)) / 2`, whose gradient is
    /// finite for every `x`.
    #[must_use]
    pub fn quick_gelu(&self) -> Self {
        let x = self.values();
        let tanh: Vec<f32> = x.iter().map(|x| (x * HALF).tanh()).collect();
        let sigmoid = |t: f32| (t + 1.0) * 0.5;
        let y: Vec<f32> = x.iter().zip(&tanh).map(|(x, &t)| x * sigmoid(t)).collect();
        Self::computed(
            y,
            self.shape().to_vec(),
            &[self],
            move |gradient, inputs| {
                let values = gradient.iter().zip(x.iter().zip(&tanh));
                let d = |(&g, (&x, &t)): (&f32, (&f32, &f32))| {
                    g * sigmoid(t) + g * x * 0.5 * (1.0 - t * t) * HALF
                };
                inputs.add(0, values.map(d).collect())
            },
        )
    }
}
