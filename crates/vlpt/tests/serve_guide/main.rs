//! The examples of docs/guides/serve.md: the servers it starts, the requests it shows, the interfaces it lists.
#![cfg(all(unix, feature = "serve"))]
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod page;
mod server;

use std::process::Command;

use serde_json::{Value, json};

use page::{GUIDE, commands, interfaces, lines, words};
use server::{PLACE, Server};

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
