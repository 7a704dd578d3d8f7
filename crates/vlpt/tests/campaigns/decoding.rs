//! Large pictures and several threads: memory for decoding is what `--decode-mb` says, of every command, and of a
//! training `compute.memory_mb`.

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

const COMMANDS: [&[&str]; 4] = [
    &["embed", "photos", "--out", "features.npy"],
    &["zeroshot", "photos", "--no-cache"],
    &["data", "check", "photos"],
    &TRAIN,
];
/// All pictures are trained on, so that several are decoded at a time.
const TRAIN: [&str; 11] = [
    "train",
    "photos",
    "--method",
    "gda",
    "--shots",
    "all",
    "--set",
    "data.all_to_train=true",
    "--no-cache",
    "--out",
    "run",
];

/// How the limit is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Flag,
    Variable,
    /// Of a run alone.
    Setting,
}

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
    let (mut saved, mut by_setting) = (0, 0);
    for words in COMMANDS {
        let run = |way: Option<Way>| -> Ended {
            let mut command = program(root.path());
            command.env("VLPT_THREADS", THREADS);
            let setting = format!("compute.memory_mb={ONE}");
            let mut words = words.to_vec();
            match way {
                Some(Way::Flag) => words.extend(["--decode-mb", ONE]),
                Some(Way::Variable) => _ = command.env("VLPT_DECODE_MB", ONE),
                Some(Way::Setting) => words.extend(["--set", &setting]),
                None => {}
            }
            // what an earlier training has written
            let _ = std::fs::remove_dir_all(root.path().join("run"));
            watch(command, &words, LONGEST)
        };
        let free = run(None);
        outcome.child(&words.join(" "), &free);
        let ways = [Way::Flag, Way::Variable, Way::Setting];
        let trains = words == TRAIN;
        for way in ways
            .into_iter()
            .filter(|way| trains || *way != Way::Setting)
        {
            let child = run(Some(way));
            let what = format!("{}, {ONE} MiB for decoding", words.join(" "));
            outcome.child(&what, &child);
            let most = ONE.parse::<u64>().unwrap() + BESIDE;
            if !child.ok() {
                outcome.broke(Broken::Lost, format!("{what}: {}", child.said()));
            } else if child.peak_mib > most {
                outcome.broke(Broken::Memory, format!("{what}: {} MiB", child.peak_mib));
            }
            let less = free.peak_mib.saturating_sub(child.peak_mib);
            saved = saved.max(less);
            if way == Way::Setting {
                by_setting = less;
            }
        }
    }
    for (what, less) in [("the limit", saved), ("compute.memory_mb", by_setting)] {
        if cfg!(target_os = "linux") && less < 40 {
            let what = format!("{what} saves {less} MiB: nothing was tried");
            outcome.broke(Broken::WrongAccept, what);
        }
    }
    outcome
        .notes
        .push(format!("up to {saved} MiB less than without"));
    outcome
}
