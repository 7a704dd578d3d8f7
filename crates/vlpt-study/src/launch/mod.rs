//! Handing a plan to a cluster.

pub mod slurm;
