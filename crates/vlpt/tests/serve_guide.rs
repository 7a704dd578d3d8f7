//! The examples of docs/guides/serve.md: the servers it starts, the requests it shows, the interfaces it lists.
#![cfg(all(unix, feature = "serve"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use common::{contents, ok, photos, vlpt};
use serde_json::{Value, json};

const GUIDE: &str = include_str!("../../../docs/guides/serve.md");

/// What the page's examples name: two runs, a folder of prompts, a photo.
static PLACE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
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

/// The lines of the page's blocks in a language.
fn lines(language: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in GUIDE.lines() {
        if let Some(opened) = line.strip_prefix("```") {
            inside = opened == language;
        } else if inside {
            found.push(line);
        }
    }
    found
}

/// The words of a line of shell without its comment; quotes hold blanks together.
fn words(line: &str) -> Vec<String> {
    let line = line.split_once(" #").map_or(line, |(command, _)| command);
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.trim().chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A server that the page starts, on a free port; ended when it goes out of scope.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts `vlpt serve` with words of the page: the model is the small one, folders are those of [`PLACE`].
    fn start(given: &[String], variables: &[(&str, &str)]) -> Self {
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
    fn curl(&self, given: &[String]) -> String {
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

    fn get(&self, path: &str) -> String {
        self.curl(&[format!("localhost:8000{path}")])
    }

    fn post(&self, path: &str, body: &Value) -> Value {
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

/// Whether there is a curl to show the examples with.
#[allow(clippy::print_stderr, reason = "what is left out is said")]
fn curl_is_there() -> bool {
    let there = Command::new("curl").arg("--version").output().is_ok();
    if !there {
        eprintln!(
            "\nLEFT OUT: there is no curl, so the requests of docs/guides/serve.md were not made\n"
        );
    }
    there
}

fn commands(program: &str) -> Vec<Vec<String>> {
    let all = lines("sh").into_iter().map(words);
    all.filter(|words| words[0] == program).collect()
}

#[test]
fn every_line_of_shell_is_known() {
    let all = lines("sh");
    assert!(all.len() >= 4, "{all:?}");
    for line in all {
        let first = words(line)[0].clone();
        assert!(first == "vlpt" || first == "curl", "{line}");
    }
}

#[test]
fn the_requests_of_the_guide_are_answered() {
    if !curl_is_there() {
        return;
    }
    let serve = &commands("vlpt")[0];
    let server = Server::start(&serve[1..], &[]);
    let asked = commands("curl");
    assert!(asked.len() >= 2);
    for command in asked {
        let answer: Value = serde_json::from_str(&server.curl(&command[1..])).unwrap();
        let predictions = if answer.is_array() {
            vec![&answer]
        } else {
            ["pets", "flowers"]
                .map(|name| &answer[name]["predictions"])
                .to_vec()
        };
        for list in predictions {
            let sum: f64 = list
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["score"].as_f64().unwrap())
                .sum();
            assert!((sum - 1.0).abs() < 1e-4, "{command:?}: {answer}");
        }
    }
}

/// Paths in the table of interfaces, each with its method: `POST /models/NAME`, `GET /health`.
fn interfaces() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let table = GUIDE.split("## Interfaces").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cell = line.trim_start_matches("| ").split(" | ").next().unwrap();
        let mut method = String::new();
        for word in cell.split(", ").map(|word| word.trim_matches('`')) {
            let path = match word.split_once(' ') {
                Some((named, path)) => {
                    named.clone_into(&mut method);
                    path
                }
                None => word,
            };
            found.insert((
                method.clone(),
                path.replace("NAME", "pets").replace("A,B", "pets,flowers"),
            ));
        }
    }
    found
}

#[test]
fn the_interfaces_that_the_guide_lists_are_there() {
    if !curl_is_there() {
        return;
    }
    let server = Server::start(&commands("vlpt")[0][1..], &[]);
    let photo = {
        use base64::Engine as _;
        let bytes = std::fs::read(PLACE.path().join("photo.jpg")).unwrap();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    let listed = interfaces();
    assert!(listed.len() >= 7, "{listed:?}");
    for (method, path) in &listed {
        match (method.as_str(), path.split('?').next().unwrap()) {
            ("GET", _) => assert!(!server.get(path).is_empty(), "{path}"),
            ("POST", "/models/pets") => {
                // the body that the page shows, and the two ways of naming other classes
                assert!(GUIDE.contains(r#"{"inputs": base64, "parameters": {"top_k": 3}}"#));
                let body = json!({ "inputs": photo, "parameters": { "top_k": 3 } });
                assert_eq!(server.post(path, &body).as_array().unwrap().len(), 2);
                let labels = json!({ "candidate_labels": ["a cat", "a dog", "a bird"] });
                let body = json!({ "inputs": photo, "parameters": labels });
                for name in ["pets", "zero-shot"] {
                    let answer = server.post(&format!("/models/{name}"), &body);
                    assert_eq!(answer.as_array().unwrap().len(), 3, "{answer}");
                }
            }
            ("POST", "/v1/predict") => {
                let words = [
                    "--data-binary",
                    "@photo.jpg",
                    &format!("localhost:8000{path}"),
                ];
                let answer = server.curl(&words.map(str::to_owned));
                let answer: Value = serde_json::from_str(&answer).unwrap();
                assert!(answer["pets"]["attention"].is_array(), "{answer}");
            }
            ("POST", "/v2/models/pets/infer") => {
                let input =
                    json!({ "name": "image", "shape": [1], "datatype": "BYTES", "data": [photo] });
                let outputs = |body: Value| -> Vec<String> {
                    let answer = server.post(path, &body);
                    let names = answer["outputs"].as_array().unwrap().iter();
                    names
                        .map(|output| output["name"].as_str().unwrap().to_owned())
                        .collect()
                };
                let plain = outputs(json!({ "inputs": [input] }));
                assert_eq!(plain, ["label", "probabilities"]);
                let asked = json!({ "inputs": [input], "outputs": [{ "name": "logits" }] });
                assert_eq!(outputs(asked), ["logits"]);
            }
            other => panic!("nothing asks {other:?}"),
        }
    }
    for path in ["/", "/docs", "/openapi.json"] {
        assert!(!server.get(path).is_empty(), "{path}");
    }
}

#[test]
fn the_servers_that_the_guide_starts_begin() {
    if !curl_is_there() {
        return;
    }
    let service = lines("ini");
    let service = service
        .iter()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/vlpt "));
    let mut all: Vec<Vec<String>> = commands("vlpt")[1..]
        .iter()
        .map(|words| words[1..].to_vec())
        .collect();
    all.push(words(service.unwrap()));
    assert!(all.len() >= 2 && all.iter().all(|words| words[0] == "serve"));
    for command in all {
        let server = Server::start(&command, &[]);
        let begun = std::time::Instant::now();
        while !server.get("/v1/prompts").contains("pets") {
            assert!(
                begun.elapsed().as_secs() < 60,
                "{command:?}: the prompt is not taken in"
            );
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

#[test]
fn another_name_and_a_token_are_as_the_guide_says() {
    if !curl_is_there() {
        return;
    }
    // the inline examples: `cats=runs/2026-11-pets` gives a name, `VLPT_SERVE_TOKEN=... vlpt serve` asks for a token
    assert!(
        GUIDE.contains("`cats=runs/")
            && GUIDE.contains("VLPT_SERVE_TOKEN=... vlpt serve --listen 0.0.0.0:8000")
    );
    let args = ["serve", "cats=runs/pets", "--listen", "0.0.0.0:0"].map(str::to_owned);
    let mut server = Server::start(&args, &[("VLPT_SERVE_TOKEN", "secret")]);
    server.address = server.address.replace("0.0.0.0", "127.0.0.1");
    let with_token = [
        "-H",
        "Authorization: Bearer secret",
        "localhost:8000/v1/prompts/cats",
    ];
    assert!(server.curl(&with_token.map(str::to_owned)).contains("red"));
    let refused = Command::new("curl")
        .args([
            "--silent",
            "--output",
            "/dev/null",
            "--noproxy",
            "*",
            "--write-out",
            "%{http_code}",
        ])
        .arg(format!("http://{}/v1/prompts", server.address))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&refused.stdout), "401");
}
