//! Kernels of frozen Transformer towers: matrix products, layer norm, attention, activations, forward and backward
