#![no_main]
vlpt_fuzz_bins::entry!("manifest_csv");
