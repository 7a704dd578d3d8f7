//! A Slurm of one machine for a test, and patience.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A Slurm that ends with the test.
pub(crate) struct Slurm {
    dir: tempfile::TempDir,
}

impl Slurm {
    fn script() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../vlpt-study/tests/slurm/start.sh")
    }

    /// Starts one on a port and the next; `None`, and why on the console, where there is none to
    /// start.
    pub(crate) fn start(test: &str, port: u16) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("start.log");
        // Into a file: daemons keep a pipe open, and its end would never come.
        let started = Command::new("sh")
            .arg(Self::script())
            .arg(dir.path())
            .env("VLPT_SLURM_PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(fs_err::File::create(&log).unwrap().into_parts().0)
            .status();
        let slurm = Self { dir };
        if started.is_ok_and(|status| status.success()) {
            return Some(slurm);
        }
        let why = fs_err::read_to_string(log).unwrap_or_default();
        // Past the capture of test output, so that a skip is seen.
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: {test}: no Slurm: {}\n", why.trim()),
        );
        None
    }

    /// A command that finds this Slurm.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.conf());
        command
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.dir.path().join("slurm.conf")
    }

    /// What one of Slurm's programs says.
    pub(crate) fn ask(&self, program: &str, words: &[&str]) -> String {
        let output = self.command(program).args(words).output();
        output.map_or_else(
            |error| error.to_string(),
            |output| String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        self.ask("scancel", &["--user=root"]);
        let mut stop = Command::new("sh");
        stop.arg(Self::script()).arg("stop").arg(self.dir.path());
        let _ = stop.status();
    }
}

/// Waits until something is so.
pub(crate) fn wait(what: &str, ready: impl Fn() -> bool) {
    let began = Instant::now();
    while !ready() {
        let patience = Duration::from_mins(3);
        assert!(began.elapsed() < patience, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
