#![no_main]
vlpt_fuzz_bins::entry!("list_pickle");
