//! The trainer: losses, optimisers, schedules, metrics, checkpoints, run and prompt folders
