//! Times decoding and preprocessing: `time_images SECONDS FILE...` prints, for each file, the
//! median microseconds of decoding it, of resizing and cropping it to 224, and of both with the tensor.

use std::io::Write;
use std::time::{Duration, Instant};
use vlpt_data::image::{Limits, Preprocess, decode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().ok_or("SECONDS FILE...")?.parse()?;
    let budget = Duration::from_secs_f64(seconds);
    let preprocess = Preprocess::default();
    let mut out = std::io::stdout().lock();
    for path in arguments {
        let bytes = fs_err::read(&path)?;
        let limits = Limits::default();
        let image = decode(&bytes, &path, &limits)?;
        let decoding = median(budget, || {
            decode(&bytes, &path, &limits).map(|i| i.data.len())
        });
        let resizing = median(budget, || preprocess.pixels(&image).data.len());
        let whole = median(budget, || {
            decode(&bytes, &path, &limits).map(|i| preprocess.apply(&i).len())
        });
        writeln!(out, "{decoding:.1} {resizing:.1} {whole:.1}")?;
    }
    Ok(())
}

/// The median time of a call in microseconds, over calls for the given time, at least five.
fn median<T>(budget: Duration, mut call: impl FnMut() -> T) -> f64 {
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || begin.elapsed() < budget {
        let start = Instant::now();
        std::hint::black_box(call());
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
