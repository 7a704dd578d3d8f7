#![no_main]
vlpt_fuzz_bins::entry!("cifar_batch");
