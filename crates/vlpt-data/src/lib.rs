//! Image decoding and preprocessing, data set readers, the catalogue of benchmarks, few-shot sampling
