//! The readers of data sets: each layout, each error, and real sets where they are at hand.

#![allow(clippy::print_stderr)] // a test that is skipped says so

mod attacks;
mod coop;
mod documented;
mod elevater;
mod examples;
mod fixtures;
mod imagefolder;
mod known;
mod layouts;
mod made_split;
mod manifest;
mod options;
mod parquet_files;
mod recognise;
mod same_task;
mod seen;
mod shared_sets;
mod tables;
mod webdataset;
