//! The program under limits, watched.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::vlpt;

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Code(i32),
    Signal(i32),
    TimedOut,
}

/// A child that is gone.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) end: End,
    pub(crate) stderr: String,
    /// Most memory seen in use, in MiB; Linux says it.
    pub(crate) peak_mib: u64,
    pub(crate) took: Duration,
}

impl Ended {
    pub(crate) fn ok(&self) -> bool {
        self.end == End::Code(0)
    }

    /// The first lines of what it said.
    pub(crate) fn said(&self) -> String {
        let text = self.stderr.trim().replace('\n', " / ");
        text.chars().take(300).collect()
    }
}

/// The program in `folder`, with a cache there; `VLPT_BIN` may name another one.
pub(crate) fn program(folder: &Path) -> Command {
    let base = vlpt();
    let mut command = match std::env::var_os("VLPT_BIN") {
        Some(other) => {
            // A relative path leads from the repository, where the command is given, and not from this crate.
            let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            let mut command = Command::new(repository.join(other));
            for (name, value) in base.get_envs() {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            command.stdin(Stdio::null());
            command
        }
        None => base,
    };
    command
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join(".cache"))
        .env("VLPT_THREADS", "1");
    command
}

/// `command` after `limits` of a shell, such as `ulimit -n 8`.
pub(crate) fn under(limits: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{limits}; exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::null());
    shell
}

/// Runs a command with these words to its end, or for `longest`.
pub(crate) fn watch<S: AsRef<OsStr>>(
    mut command: Command,
    words: &[S],
    longest: Duration,
) -> Ended {
    let start = Instant::now();
    let child = command
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    finish(child, start, longest)
}

/// Waits for a child whose outputs are pipes.
pub(crate) fn finish(mut child: Child, start: Instant, longest: Duration) -> Ended {
    // read, so that the child is never held up; nobody asks what it was
    drop(child.stdout.take().map(read_aside));
    let stderr = child.stderr.take().map(read_aside);
    let mut peak = 0;
    let end = loop {
        peak = peak.max(peak_mib(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status
                .code()
                .map_or_else(|| End::Signal(signal(status)), End::Code);
        }
        if start.elapsed() > longest {
            child.kill().unwrap();
            child.wait().unwrap();
            break End::TimedOut;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Ended {
        end,
        stderr: stderr.map_or_else(String::new, |reader| reader.join().unwrap()),
        peak_mib: peak,
        took: start.elapsed(),
    }
}

fn read_aside(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(unix)]
fn signal(status: std::process::ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

#[cfg(not(unix))]
fn signal(_: std::process::ExitStatus) -> i32 {
    0
}

/// The most memory a process has had so far, where the system says it.
fn peak_mib(process: u32) -> u64 {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) else {
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
