//! Large pictures and several threads: memory for decoding is what `--decode-mb` says, of every command.

use std::time::Duration;

use vlpt_data::image::RgbImage;

use crate::Size;
use crate::child::{Ended, program, watch};
use crate::outcome::{Broken, Outcome};

const LONGEST: Duration = Duration::from_mins(5);
/// Pixels of a side: 72 MB decoded.
const SIDE: u32 = 4900;
const IMAGES: usize = 6;
const THREADS: &str = "4";
/// Room for one picture at a time, and for two.
const ONE: &str = "100";
/// What a command takes beside what it decodes, in MiB: the program, the small model and its work.
const BESIDE: u64 = 160;

const COMMANDS: [&[&str]; 3] = [
    &["embed", "photos", "--out", "features.npy"],
    &["zeroshot", "photos", "--no-cache"],
    &["data", "check", "photos"],
];

pub(crate) fn run(_: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    let root = tempfile::tempdir().unwrap();
    for image in 0..IMAGES {
        let colour = [200, 10 * image as u8, 60];
        let folder = root.path().join(["photos/red", "photos/blue"][image % 2]);
        std::fs::create_dir_all(&folder).unwrap();
        let picture = RgbImage::filled(SIDE, SIDE, colour).png().unwrap();
        std::fs::write(folder.join(format!("{image}.png")), picture).unwrap();
    }
    let mut saved = 0;
    for words in COMMANDS {
        let run = |limit: Option<&str>, by_flag: bool| -> Ended {
            let mut command = program(root.path());
            command.env("VLPT_THREADS", THREADS);
            let mut words = words.to_vec();
            if let Some(limit) = limit {
                if by_flag {
                    words.extend(["--decode-mb", limit]);
                } else {
                    command.env("VLPT_DECODE_MB", limit);
                }
            }
            watch(command, &words, LONGEST)
        };
        let free = run(None, false);
        outcome.child(&words.join(" "), &free);
        for by_flag in [true, false] {
            let child = run(Some(ONE), by_flag);
            let what = format!("{}, {ONE} MiB for decoding", words.join(" "));
            outcome.child(&what, &child);
            let most = ONE.parse::<u64>().unwrap() + BESIDE;
            if !child.ok() {
                outcome.broke(Broken::Lost, format!("{what}: {}", child.said()));
            } else if child.peak_mib > most {
                outcome.broke(Broken::Memory, format!("{what}: {} MiB", child.peak_mib));
            }
            saved = saved.max(free.peak_mib.saturating_sub(child.peak_mib));
        }
    }
    if cfg!(target_os = "linux") && saved < 40 {
        let what = format!("the limit saves {saved} MiB: nothing was tried");
        outcome.broke(Broken::WrongAccept, what);
    }
    outcome
        .notes
        .push(format!("up to {saved} MiB less than without"));
    outcome
}
