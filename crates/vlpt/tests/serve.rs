//! `vlpt serve`: a real server, asked as clients ask.
#![cfg(all(unix, feature = "serve"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use common::{ok, photos, vlpt};
use serde_json::{Value, json};
use vlpt_adapter::{Annotations, Calibration, annotate_prompt};

/// Runs of several kinds on the same photos, made once.
static RUNS: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    photos(at);
    for (name, method, seed) in [
        ("text", "coop", "1"),
        ("rows", "vpt", "1"),
        ("rows2", "vpt", "2"),
        ("low-rank", "clip-lora", "1"),
        ("each", "cocoop", "1"),
        ("head", "gda", "1"),
    ] {
        let out = format!("runs/{name}");
        let mut args = vec!["train", "photos", "--method", method, "--seed", seed];
        args.extend(["--shots", "2", "--out", &out]);
        if name != "head" {
            args.extend(["--epochs", "1"]);
        }
        ok(at, &args);
    }
    folder
});

/// A running server, ended when it goes out of scope.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut child = vlpt()
            .current_dir(RUNS.path())
            .env("XDG_CACHE_HOME", RUNS.path().join(".cache"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--json",
                "--log",
                "json",
            ])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while serde_json::from_str::<Value>(&text).is_err() {
            if lines.read_line(&mut text).unwrap() == 0 {
                let mut said = String::new();
                child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut said)
                    .unwrap();
                panic!("no server: {text}{said}");
            }
        }
        let about: Value = serde_json::from_str(&text).unwrap();
        let address = about["listening"].as_str().unwrap();
        // the log is read, so that a full pipe stops nobody
        let log = child.stderr.take().unwrap();
        std::thread::spawn(move || BufReader::new(log).lines().for_each(drop));
        Self {
            child,
            address: address.strip_prefix("http://").unwrap().to_owned(),
        }
    }

    fn agent() -> ureq::Agent {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        config.build().new_agent()
    }

    fn get(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.address);
        let mut answer = Self::agent().get(url).call().unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_string().unwrap())
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Vec<u8>) {
        let url = format!("http://{}{path}", self.address);
        let mut request = Self::agent().post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.send(body).unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_vec().unwrap())
    }

    fn post_json(&self, path: &str, body: &Value) -> (u16, Value) {
        let kind = [("content-type", "application/json")];
        let (status, bytes) = self.post(path, &kind, body.to_string().as_bytes());
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// A request whose body has not come yet: it holds its permit.
    fn half(&self, path: &str, length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `there` holds, which it does within a minute.
fn wait(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "{what}: not within a minute"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn photo() -> Vec<u8> {
    std::fs::read(RUNS.path().join("photos/red/3.png")).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// What the command line says of the photo: classes with probabilities, best first.
fn predicted(run: &str) -> Vec<(String, f64)> {
    let at = RUNS.path();
    let folder = format!("runs/{run}");
    let text = ok(at, &["predict", &folder, "photos/red/3.png", "--json"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    let top = find(&value, "classes").unwrap_or_else(|| panic!("{text}"));
    let pair = |entry: &Value| {
        let label = entry["class"].as_str().or(entry["label"].as_str()).unwrap();
        (label.to_owned(), entry["probability"].as_f64().unwrap())
    };
    top.as_array().unwrap().iter().map(pair).collect()
}

/// The share of the class token's attention that `inspect attention` finds on the patches, in the last
/// block. A baseline has no prompt to look with: it looks as the model does.
fn share_of_patches(run: &str) -> f64 {
    let folder = format!("runs/{run}");
    let mut args = vec!["inspect", "attention", "photos/red/3.png", "--json"];
    if run != "head" {
        args.extend(["--prompt", &folder]);
    }
    let value: Value = serde_json::from_str(&ok(RUNS.path(), &args)).unwrap();
    value["images"][0]["patches"].as_f64().unwrap()
}

/// The first value under this key, anywhere.
fn find<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map
            .get(key)
            .or_else(|| map.values().find_map(|v| find(v, key))),
        Value::Array(list) => list.iter().find_map(|v| find(v, key)),
        _ => None,
    }
}

fn scores(answer: &Value) -> Vec<(String, f64)> {
    let pair = |entry: &Value| {
        let label = entry["label"].as_str().unwrap().to_owned();
        (label, entry["score"].as_f64().unwrap())
    };
    answer.as_array().unwrap().iter().map(pair).collect()
}

fn same(a: &[(String, f64)], b: &[(String, f64)]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-6)
}

const KINDS: [&str; 6] = ["text", "rows", "rows2", "low-rank", "each", "head"];

#[test]
fn many_prompts_answer_on_one_tower_as_the_command_line_does() {
    let folders = KINDS.map(|kind| format!("runs/{kind}"));
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let server = Server::start(&folders);
    let (status, listed) = server.get("/v1/prompts");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((status, listed.as_array().unwrap().len()), (200, 6));

    // all at once: one image in one batch, under tuned rows of two prompts in one pass
    let (status, all) = server.post("/v1/predict?attention=true", &[], &photo());
    let all: Value = serde_json::from_slice(&all).unwrap();
    assert_eq!(status, 200, "{all}");
    for kind in KINDS {
        let expected = predicted(kind);
        let together = scores(&all[kind]["predictions"]);
        assert!(
            same(&together, &expected),
            "{kind}: {together:?} {expected:?}"
        );
        assert!(all[kind]["none"].is_null(), "{kind} has no threshold");
        let attention = all[kind]["attention"].as_array().unwrap();
        assert_eq!(attention.len(), 64, "{kind}: a share for each patch");
        let sum: f64 = attention.iter().map(|share| share.as_f64().unwrap()).sum();
        let share = share_of_patches(kind);
        assert!((sum - share).abs() < 1e-5, "{kind}: {sum}, {share}");

        let (status, raw) = server.post(&format!("/models/{kind}"), &[], &photo());
        assert_eq!(status, 200);
        let raw = scores(&serde_json::from_slice(&raw).unwrap());
        assert!(same(&raw, &expected), "{kind}: {raw:?} {expected:?}");
        let body = json!({ "inputs": base64(&photo()), "parameters": { "top_k": 1 } });
        let (_, one) = server.post_json(&format!("/models/{kind}"), &body);
        assert!(same(&scores(&one), &expected[..1]));
    }
    let (_, counted) = server.get("/metrics");
    for line in [
        "vlpt_requests_total",
        "vlpt_batch_size_bucket",
        "vlpt_queue_duration_seconds_count",
    ] {
        assert!(counted.contains(line), "{line} in {counted}");
    }
}

#[test]
fn the_inference_protocol_takes_json_and_binary_tensors() {
    let server = Server::start(&["runs/text"]);
    assert_eq!(server.get("/v2/health/ready").0, 200);
    let (_, about) = server.get("/v2/models/text");
    let about: Value = serde_json::from_str(&about).unwrap();
    let version = about["versions"][0].as_str().unwrap();
    let expected = predicted("text");

    let input = json!({ "name": "image", "shape": [2], "datatype": "BYTES", "data": [base64(&photo()), base64(&photo())] });
    let path = format!("/v2/models/text/versions/{version}/infer");
    let (status, answer) = server.post_json(&path, &json!({ "id": "7", "inputs": [input] }));
    assert_eq!(
        (status, &answer["id"], &answer["model_version"]),
        (200, &json!("7"), &json!(version))
    );
    assert_eq!(
        answer["outputs"][0]["data"],
        json!([expected[0].0, expected[0].0])
    );
    assert_eq!(answer["outputs"][1]["shape"], json!([2, 2]));

    let file = [&(photo().len() as u32).to_le_bytes()[..], &photo()].concat();
    let head = json!({
        "inputs": [{ "name": "image", "shape": [1], "datatype": "BYTES", "parameters": { "binary_data_size": file.len() } }],
        "outputs": [{ "name": "probabilities", "parameters": { "binary_data": true } }],
    })
    .to_string();
    let length = head.len().to_string();
    let body = [head.as_bytes(), &file].concat();
    let headers = [("inference-header-content-length", length.as_str())];
    let (status, answer) = server.post("/v2/models/text/infer", &headers, &body);
    assert_eq!(status, 200);
    let floats: Vec<f32> = answer[answer.len() - 8..]
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect();
    let best = floats.iter().copied().fold(0.0, f32::max);
    assert!(
        (f64::from(best) - expected[0].1).abs() < 1e-6,
        "{floats:?} {expected:?}"
    );

    assert_eq!(server.get("/v2/models/text/versions/1").0, 404);
    let photos = [base64(&photo()), base64(&photo())];
    let wrong = json!({ "inputs": [{ "name": "image", "shape": [1, 2], "datatype": "BYTES", "data": photos }] });
    let (status, answer) = server.post_json("/v2/models/text/infer", &wrong);
    let said = answer["error"].as_str().unwrap_or_default();
    assert!(status == 400 && said.contains("expected [n]"), "{answer}");
    let wrong = json!({ "inputs": [{ "name": "pixel_values", "shape": [1, 3, 2, 2], "datatype": "FP32", "data": vec![0; 12] }] });
    let (status, answer) = server.post_json("/v2/models/text/infer", &wrong);
    assert_eq!(status, 400);
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("expected [n, 3, 64, 64]"),
        "{answer}"
    );
}

#[test]
fn a_request_may_bring_its_own_classes() {
    let server = Server::start(&["runs/text"]);
    let ask = |name: &str, parameters: Value| {
        let body = json!({ "inputs": base64(&photo()), "parameters": parameters });
        server.post_json(&format!("/models/{name}"), &body)
    };
    let labels = json!({ "candidate_labels": ["a cat", "a dog", "a bird"] });
    for name in ["text", "zero-shot"] {
        let (status, answer) = ask(name, labels.clone());
        assert_eq!(status, 200, "{answer}");
        let sum: f64 = scores(&answer).iter().map(|(_, score)| score).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{answer}");
        assert_eq!(ask(name, labels.clone()).1, answer, "remembered");
    }
    let own = json!({ "candidate_labels": ["a"], "hypothesis_template": "see {}" });
    assert_eq!(ask("zero-shot", own.clone()).0, 200);
    assert_eq!(ask("text", own).0, 400);
    assert_eq!(ask("zero-shot", json!({})).0, 400);
    assert_eq!(ask("text", json!({ "candidate_labels": [] })).0, 400);
    assert_eq!(ask("text", json!({ "top_k": 0 })).0, 400);
    let endless = format!("&{}", "amp;".repeat(10_000));
    for endless in [
        json!({ "candidate_labels": [endless.as_str()] }),
        json!({ "candidate_labels": ["a"], "hypothesis_template": endless.as_str() }),
    ] {
        let (status, answer) = ask("zero-shot", endless);
        let said = answer["error"].as_str().unwrap();
        assert!(
            status == 400 && said.len() < 200 && said.contains("40001 characters"),
            "{said}"
        );
    }
}

#[test]
fn what_cannot_be_answered_says_why() {
    let server = Server::start(&["runs/text", "--body-mb", "1", "--megapixels", "1"]);
    let error = |(status, body): (u16, Vec<u8>)| {
        let value: Value = serde_json::from_slice(&body).unwrap();
        (status, value["error"].as_str().unwrap().to_owned())
    };
    let told = |path: &str, body: &[u8]| error(server.post(path, &[], body));
    assert_eq!(told("/models/nobody", &photo()).0, 404);
    assert!(
        told("/models/nobody", &photo())
            .1
            .contains("there are text")
    );
    assert_eq!(told("/models/text", b"").0, 400);
    assert_eq!(told("/models/text", b"no image").0, 400);
    assert_eq!(told("/models/text", &vec![0; 2 << 20]).0, 413);
    let large = image::RgbImage::new(1100, 1000);
    let path = RUNS.path().join("large.png");
    large.save(&path).unwrap();
    assert_eq!(told("/models/text", &std::fs::read(&path).unwrap()).0, 413);
    let (status, answer) = server.post_json(
        "/models/text",
        &json!({ "inputs": "http://127.0.0.1:1/x.png" }),
    );
    assert_eq!(status, 400);
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("no URL is fetched")
    );
    for path in [
        "/",
        "/docs",
        "/page/index.js",
        "/page/style.css",
        "/openapi.json",
        "/health",
    ] {
        assert_eq!(server.get(path).0, 200, "{path}");
    }
    assert_eq!(server.get("/page/../main.rs").0, 404);
    let (_, api) = server.get("/openapi.json");
    for path in [
        "/v1/predict",
        "/models/{name}",
        "/v2/models/{name}/infer",
        "/metrics",
    ] {
        assert!(api.contains(&format!("\"{path}\"")), "{path}");
    }
}

#[test]
fn a_prompt_with_a_threshold_says_which_images_are_of_none_of_its_classes() {
    let folder = tempfile::tempdir_in(RUNS.path()).unwrap();
    let mut prompts = Vec::new();
    for (name, threshold) in [("open", 0.0), ("closed", 1.0)] {
        let out = folder.path().join(name);
        let args = ["train", "photos", "--method", "gda", "--shots", "2"];
        let out = out.to_str().unwrap();
        ok(RUNS.path(), &[&args[..], &["--out", out]].concat());
        let prompt = format!("{out}/prompt");
        let calibration = Calibration {
            temperature: 100.0,
            threshold: Some(threshold),
            reject_rate: 0.05,
        };
        let annotations = Annotations {
            calibration: Some(calibration),
            metrics: serde_json::Map::new(),
            readme: String::new(),
        };
        annotate_prompt(Path::new(&prompt), &annotations).unwrap();
        prompts.push(out.to_owned());
    }
    let mut args: Vec<&str> = prompts.iter().map(String::as_str).collect();
    // as many as a machine can count to are as many as it can have
    args.extend([
        "--batch",
        "4611686018427387904",
        "--queue",
        "18446744073709551615",
    ]);
    let server = Server::start(&args);
    let (status, said) = server.post("/v1/predict", &[], &photo());
    let said: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(status, 200, "{said}");
    assert_eq!(said["open"]["none"], false, "{said}");
    assert_eq!(said["closed"]["none"], true, "{said}");
    let (_, about) = server.get("/v1/prompts/closed");
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about["threshold"], 1.0);
}

#[test]
fn a_token_stands_before_everything_that_tells() {
    let server = Server::start(&["runs/text", "--token", "secret"]);
    assert_eq!(server.get("/health").0, 200);
    for path in ["/v1/prompts", "/metrics", "/v2/models/text"] {
        assert_eq!(server.get(path).0, 401, "{path}");
    }
    assert_eq!(server.post("/models/text", &[], &photo()).0, 401);
    let wrong = [("authorization", "Bearer wrong")];
    assert_eq!(server.post("/models/text", &wrong, &photo()).0, 401);
    let right = [("authorization", "Bearer secret")];
    assert_eq!(server.post("/models/text", &right, &photo()).0, 200);
    // and without one, nobody else's machine is listened to
    let output = common::run(
        RUNS.path(),
        &["serve", "runs/text", "--listen", "0.0.0.0:0"],
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_full_server_says_so_at_once_and_a_late_body_is_not_waited_for() {
    let server = Server::start(&["runs/text", "--queue", "1", "--timeout", "1"]);
    let busy = |body: &[u8]| {
        let url = format!("http://{}/models/text", server.address);
        let answer = Server::agent().post(url).send(body).unwrap();
        let after = answer.headers().get("retry-after").is_some();
        (answer.status().as_u16(), after)
    };
    // a body that takes several writes: who sends before reading is not cut off
    let large = vec![0; 5 << 20];
    // on a busy machine a look may come when the permit is given back already
    wait("429", || {
        let _first = server.half("/models/text", 100);
        std::thread::sleep(Duration::from_millis(50));
        busy(&large) == (429, true)
    });
    wait("504", || {
        let mut answer = String::new();
        let read = server.half("/models/text", 100).read_to_string(&mut answer);
        read.is_ok() && answer.starts_with("HTTP/1.1 504")
    });
    wait("200", || busy(&photo()) == (200, false));
}

#[test]
fn what_was_taken_is_answered_before_the_end() {
    let mut server = Server::start(&["runs/text"]);
    let body = photo();
    let mut taken = server.half("/models/text", body.len());
    taken.write_all(&body[..10]).unwrap();
    let at_work = |server: &Server| server.get("/metrics").1.contains("vlpt_requests_at_work 1");
    wait("taken", || at_work(&server));
    server.signal("TERM");
    wait("no new connection", || {
        TcpStream::connect(&server.address).is_err()
    });
    taken.write_all(&body[10..]).unwrap();
    let mut answer = String::new();
    taken.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let status = server.child.wait().unwrap();
    assert!(status.code() == Some(143) || status.success(), "{status}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for (name, bytes) in common::contents(from) {
        let to = to.join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
}

#[test]
fn a_watched_folder_is_followed() {
    let watched = tempfile::tempdir().unwrap();
    let at = watched.path();
    let text = at.to_string_lossy();
    let server = Server::start(&[
        "--watch",
        &text,
        "--watch-seconds",
        "0.05",
        "--model",
        "mini-clip",
    ]);
    assert_eq!(server.get("/ready").0, 503);
    let version = |name: &str| {
        let (status, text) = server.get(&format!("/v1/prompts/{name}"));
        let value: Value = serde_json::from_str(&text).unwrap();
        (status == 200).then(|| value["version"].as_str().unwrap().to_owned())
    };
    let prompt = |run: &str| RUNS.path().join("runs").join(run).join("prompt");
    copy(&prompt("rows"), &at.join("pets"));
    wait("a new one comes", || version("pets").is_some());
    let first = version("pets");
    assert_eq!(server.get("/ready").0, 200);
    // one that is not whole changes nothing
    std::fs::write(at.join("pets/class_names.txt"), "cut").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(version("pets"), first);
    copy(&prompt("rows2"), &at.join("pets"));
    wait("a changed one is replaced", || {
        version("pets") != first && version("pets").is_some()
    });
    std::fs::remove_dir_all(at.join("pets")).unwrap();
    wait("a removed one goes", || version("pets").is_none());
    // what a baseline learned is in its classifier alone, and the version tells it all the same
    copy(&prompt("head"), &at.join("head"));
    wait("a baseline comes", || version("head").is_some());
    let first = version("head");
    let file = at.join("head/classifier.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 4;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    std::fs::remove_file(at.join("head/checksums.sha256")).unwrap();
    wait("its version changes", || version("head") != first);
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let told = |args: &[&str]| {
        let output = common::run(
            RUNS.path(),
            &[&["serve", "--listen", "127.0.0.1:0"], args].concat(),
        );
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, said) = told(&[]);
    assert!(code == 2 && said.contains("--model"), "{said}");
    let (code, said) = told(&["a=runs/text", "a=runs/rows"]);
    assert!(code == 2 && said.contains("NAME=FOLDER"), "{said}");
    let (code, said) = told(&["a b=runs/text"]);
    assert!(code == 2 && said.contains("letters"), "{said}");
    let (code, said) = told(&["runs/nobody"]);
    assert!(code == 1 && said.contains("runs/nobody"), "{said}");
}
