//! The servers of the page, on a machine where its names are there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use super::common::{contents, ok, photos, vlpt};

/// What the page's examples name: two runs, a folder of prompts, a photo.
pub(super) static PLACE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    photos(at);
    for (name, method) in [("pets", "coop"), ("flowers", "gda")] {
        let out = format!("runs/{name}");
        let mut args = vec!["train", "photos", "--method", method, "--shots", "2"];
        args.extend(["--out", &out]);
        if method == "coop" {
            args.extend(["--epochs", "1"]);
        }
        ok(at, &args);
    }
    for (file, bytes) in contents(&at.join("runs/pets/prompt")) {
        let to = at.join("prompts/pets").join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
    std::fs::copy(at.join("photos/red/3.png"), at.join("photo.jpg")).unwrap();
    folder
});

/// A server that the page starts, on a free port; ended when it goes out of scope.
pub(super) struct Server {
    child: Child,
    pub(super) address: String,
}

impl Server {
    /// Starts `vlpt serve` with words of the page: the model is the small one, folders are those of [`PLACE`].
    pub(super) fn start(given: &[String], variables: &[(&str, &str)]) -> Self {
        let mut args: Vec<String> = given.to_vec();
        for at in 1..args.len() {
            match (args[at - 1].as_str(), Path::new(&args[at]).file_name()) {
                ("--model", _) => "mini-clip".clone_into(&mut args[at]),
                // of a machine where it is a service
                ("--watch", Some(name)) => args[at] = name.to_string_lossy().into_owned(),
                _ => {}
            }
        }
        let mut command = vlpt();
        command
            .current_dir(PLACE.path())
            .env("XDG_CACHE_HOME", PLACE.path().join(".cache"))
            .env("VLPT_JSON", "1")
            .envs(variables.iter().copied())
            .args(&args);
        if !args.iter().any(|word| word == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while serde_json::from_str::<Value>(&text).is_err() {
            assert!(out.read_line(&mut text).unwrap() > 0, "{args:?}: no server");
        }
        let about: Value = serde_json::from_str(&text).unwrap();
        let address = about["listening"].as_str().unwrap();
        let address = address.strip_prefix("http://").unwrap().to_owned();
        Self { child, address }
    }

    /// Runs curl with the address of this server in place of the page's, and returns what it prints.
    pub(super) fn curl(&self, given: &[String]) -> String {
        let here: Vec<String> = given
            .iter()
            .map(|word| word.replace("localhost:8000", &self.address))
            .collect();
        let output = Command::new("curl")
            .current_dir(PLACE.path())
            .args([
                "--silent",
                "--show-error",
                "--fail-with-body",
                "--noproxy",
                "*",
            ])
            .args(&here)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "curl {here:?}: {said}{why}");
        said
    }

    pub(super) fn get(&self, path: &str) -> String {
        self.curl(&[format!("localhost:8000{path}")])
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Value {
        let words = [
            "-H".to_owned(),
            "Content-Type: application/json".to_owned(),
            "--data".to_owned(),
            body.to_string(),
            format!("localhost:8000{path}"),
        ];
        serde_json::from_str(&self.curl(&words)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
