//! The readers of data sets: each layout, each error, and real sets where they are at hand.

#![allow(clippy::print_stderr)] // a test that is skipped says so

mod arrow;
mod arrow_writer;
mod attacks;
mod coop;
mod coop_raw;
mod cub;
mod documented;
mod elevater;
mod examples;
mod fiftyone;
mod fixtures;
mod hub_cache;
mod imagefolder;
mod known;
mod layouts;
mod made_split;
mod manifest;
mod options;
mod packed;
mod parquet_attacks;
mod parquet_columns;
mod parquet_files;
mod parquet_names;
mod parquet_writer;
mod pixel_layouts;
mod recognise;
mod same_task;
mod seen;
mod shared_sets;
#[cfg(unix)]
mod sparse_tables;
mod tables;
mod tars;
mod torchvision;
mod torchvision_attacks;
mod unreadable;
mod webdataset;
mod webdataset_labels;
