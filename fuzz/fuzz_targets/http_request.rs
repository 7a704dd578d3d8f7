#![no_main]
vlpt_fuzz_bins::entry!("http_request");
