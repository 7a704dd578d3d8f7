//! Models by name: from a server that speaks the hub's API, then from the cache.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use support::golden;
use vlpt_clip::{Activation, Clip, ClipError, Hub, HubSettings, ModelFiles, Progress, Result};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server is to do wrong.
#[derive(Default)]
struct Faults {
    /// Every request is answered with this status.
    status: Option<u16>,
    /// The body of the first so many weight downloads is cut in the middle.
    cuts: AtomicUsize,
    /// The weight file's bytes are not those that its hash says.
    corrupt: bool,
    /// The hash that becomes a name in the cache.
    etag: Option<&'static str>,
}

/// A hub with the repository `org/tiny`. Large files are answered by a redirect, as on the hub.
struct Server {
    address: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(files: BTreeMap<String, Vec<u8>>, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let server = Self {
            address: address.clone(),
            log: Arc::clone(&log),
        };
        std::thread::spawn(move || {
            let shared = Arc::new((files, faults, address, log));
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let (files, faults, address, log) = &*shared;
                    let _ = answer(stream, files, faults, address, log);
                });
            }
        });
        server
    }

    fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

/// Answers the requests of one connection.
fn answer(
    stream: TcpStream,
    files: &BTreeMap<String, Vec<u8>>,
    faults: &Faults,
    address: &str,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
        let header = |name: &str| {
            head.iter().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        let token = header("authorization").unwrap_or_default();
        log.lock()
            .unwrap()
            .push(format!("{path} {token}").trim().to_owned());
        let plain = |stream: &mut TcpStream, status: u16, more: &str, body: &[u8]| {
            write!(
                stream,
                "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{more}\r\n",
                body.len()
            )?;
            stream.write_all(body)
        };
        if let Some(status) = faults.status {
            plain(&mut stream, status, "", b"no")?;
            continue;
        }
        if path.starts_with("/api/models/org/tiny/revision/") {
            let siblings: Vec<_> = files
                .keys()
                .map(|file| serde_json::json!({ "rfilename": file }))
                .collect();
            let body = serde_json::json!({ "sha": COMMIT, "siblings": siblings }).to_string();
            plain(
                &mut stream,
                200,
                "Content-Type: application/json\r\n",
                body.as_bytes(),
            )?;
            continue;
        }
        let (file, redirected) = match path.strip_prefix("/lfs/") {
            Some(file) => (file, true),
            None => (
                path.trim_start_matches(&format!("/org/tiny/resolve/{COMMIT}/")),
                false,
            ),
        };
        let Some(content) = files.get(file) else {
            plain(&mut stream, 404, "", b"no such file")?;
            continue;
        };
        let large = content.len() > 10_000;
        let etag = match faults.etag {
            Some(etag) => etag.to_owned(),
            None if large => hex(&Sha256::digest(content)),
            None => git_hash(content),
        };
        let names = format!("ETag: \"{etag}\"\r\nX-Repo-Commit: {COMMIT}\r\n");
        if large && !redirected {
            let more =
                format!("{names}X-Linked-Etag: \"{etag}\"\r\nLocation: {address}/lfs/{file}\r\n");
            plain(&mut stream, 302, &more, b"")?;
            continue;
        }
        let range = header("range").unwrap_or_default();
        let (from, to) = range
            .trim_start_matches("bytes=")
            .split_once('-')
            .unwrap_or(("0", ""));
        let from: usize = from.parse().unwrap_or(0);
        let to = to
            .parse()
            .map_or(content.len(), |to: usize| content.len().min(to + 1));
        let mut body = content[from.min(to)..to].to_vec();
        write!(
            stream,
            "HTTP/1.1 206 x\r\nContent-Length: {}\r\n{names}Content-Range: bytes {from}-{}/{}\r\n\r\n",
            body.len(),
            to.max(1) - 1,
            content.len()
        )?;
        if large && body.len() > 1 {
            if faults.corrupt {
                body[0] ^= 1;
            }
            let cut = |left: usize| left.checked_sub(1);
            if faults
                .cuts
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, cut)
                .is_ok()
            {
                stream.write_all(&body[..body.len() / 2])?;
                return stream.shutdown(std::net::Shutdown::Both);
            }
        }
        stream.write_all(&body)?;
    }
}

/// `git hash-object`.
fn git_hash(content: &[u8]) -> String {
    let header = format!("blob {}\0", content.len());
    hex(&sha1::Sha1::digest([header.as_bytes(), content].concat()))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The files of golden models, as a repository has them.
fn repository(formats: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([("README.md".to_owned(), b"hello".to_vec())]);
    for format in formats.iter().chain(&["tokenizer"]) {
        for entry in fs_err::read_dir(golden(format)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            files.insert(name, fs_err::read(entry.path()).unwrap());
        }
    }
    files
}

fn hub(server: &Server, cache: &Path) -> Hub {
    Hub::new(HubSettings {
        cache: Some(cache.to_owned()),
        endpoint: server.address.clone(),
        token: Some("secret".to_owned()),
        offline: false,
    })
}

fn offline(server: &Server, cache: &Path) -> Hub {
    let endpoint = server.address.clone();
    Hub::new(HubSettings {
        cache: Some(cache.to_owned()),
        endpoint,
        token: None,
        offline: true,
    })
}

fn resolve(hub: &Hub, name: &str) -> Result<ModelFiles> {
    hub.resolve(&name.parse()?, &())
}

fn message(result: Result<ModelFiles>) -> String {
    let error = result.unwrap_err();
    format!("{error}\nhint: {}", error.hint().unwrap_or_default())
}

/// Adds up what it is told.
#[derive(Default)]
struct Sum {
    files: Mutex<Vec<String>>,
    total: AtomicU64,
    done: AtomicU64,
    finished: AtomicUsize,
}

impl Progress for Sum {
    fn start(&self, what: &str, total: u64) {
        self.files.lock().unwrap().push(what.to_owned());
        self.total.fetch_add(total, Ordering::SeqCst);
    }
    fn advance(&self, by: u64) {
        self.done.fetch_add(by, Ordering::SeqCst);
    }
    fn finish(&self) {
        self.finished.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_model_is_downloaded_once_and_then_served_from_the_cache() {
    let files = repository(&["hf"]);
    let server = Server::start(files.clone(), Faults::default());
    let cache = tempfile::tempdir().unwrap();
    let progress = Sum::default();
    let found = hub(&server, cache.path())
        .resolve(&"org/tiny".parse().unwrap(), &progress)
        .unwrap();
    let expected = Clip::load(&found).unwrap().fingerprint;
    assert_eq!(found.revision.as_deref(), Some(COMMIT));
    assert!(
        !found.has("README.md"),
        "only what loading needs is fetched"
    );

    // the progress covers every byte, once
    let fetched = [
        "config.json",
        "preprocessor_config.json",
        "vocab.json",
        "merges.txt",
        "model.safetensors",
    ];
    assert_eq!(*progress.files.lock().unwrap(), fetched);
    let bytes: u64 = fetched.iter().map(|file| files[*file].len() as u64).sum();
    assert_eq!(progress.total.load(Ordering::SeqCst), bytes);
    assert_eq!(progress.done.load(Ordering::SeqCst), bytes);
    assert_eq!(progress.finished.load(Ordering::SeqCst), fetched.len());

    // every request carried the token
    let requests = server.requests();
    assert!(
        requests.iter().all(|line| line.ends_with(" Bearer secret")),
        "{requests:#?}"
    );

    // from now on nobody is asked: by branch, by commit, offline
    for name in [
        "org/tiny",
        &format!("org/tiny@{COMMIT}"),
        "hf-hub:org/tiny@main",
    ] {
        for hub in [hub(&server, cache.path()), offline(&server, cache.path())] {
            let again = resolve(&hub, name).unwrap();
            assert_eq!(Clip::load(&again).unwrap().fingerprint, expected, "{name}");
        }
    }
    assert_eq!(server.requests().len(), requests.len());

    // the cache is laid out as other programs expect it
    let folder = cache.path().join("models--org--tiny");
    assert_eq!(
        fs_err::read_to_string(folder.join("refs/main")).unwrap(),
        COMMIT
    );
    assert!(
        folder
            .join("snapshots")
            .join(COMMIT)
            .join("model.safetensors")
            .exists()
    );
    let refs = fs_err::read_dir(folder.join("refs")).unwrap().count();
    assert_eq!(refs, 1, "no reference but the one asked for");
}

#[test]
fn shards_and_safetensors_are_preferred_as_in_a_folder() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(repository(&["hf-sharded", "hf-bin"]), Faults::default());
    let files = resolve(&hub(&server, cache.path()), "org/tiny").unwrap();
    assert!(files.has("model-00002-of-00002.safetensors") && !files.has("pytorch_model.bin"));
    assert!(Clip::load(&files).is_ok());

    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(repository(&["open-clip-bin"]), Faults::default());
    let files = resolve(&hub(&server, cache.path()), "org/tiny").unwrap();
    assert_eq!(
        Clip::load(&files).unwrap().config.text.activation,
        Activation::Gelu
    );
}

#[test]
fn a_snapshot_that_another_program_fetched_in_part_is_completed() {
    let files = repository(&["hf"]);
    let server = Server::start(files.clone(), Faults::default());
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("models--org--tiny");
    let snapshot = folder.join("snapshots").join(COMMIT);
    fs_err::create_dir_all(&snapshot).unwrap();
    fs_err::create_dir_all(folder.join("refs")).unwrap();
    fs_err::write(folder.join("refs/main"), COMMIT).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs_err::write(snapshot.join(file), &files[file]).unwrap();
    }
    let found = resolve(&hub(&server, cache.path()), "org/tiny").unwrap();
    assert!(found.has("vocab.json"));
    assert!(
        server
            .requests()
            .iter()
            .all(|line| !line.contains("model.safetensors"))
    );
}

#[test]
fn without_a_connection_a_usable_snapshot_is_taken_and_told() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(
        BTreeMap::new(),
        Faults {
            status: Some(503),
            ..Faults::default()
        },
    );
    let folder = cache
        .path()
        .join("models--org--tiny/snapshots")
        .join(COMMIT);
    fs_err::create_dir_all(&folder).unwrap();
    for (file, content) in repository(&["hf"]) {
        fs_err::write(folder.join(file), content).unwrap();
    }
    let files = resolve(&hub(&server, cache.path()), &format!("org/tiny@{COMMIT}")).unwrap();
    let notes = Clip::load(&files).unwrap().report.notes;
    assert!(
        notes[0].ends_with("the hub answers 503; the files in the cache are used"),
        "{notes:?}"
    );
}

#[test]
fn offline_and_not_in_the_cache_is_an_error_that_asks_nobody() {
    let server = Server::start(repository(&["hf"]), Faults::default());
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(
        message(resolve(&offline(&server, cache.path()), "org/tiny@v2")),
        "org/tiny@v2: not whole in the cache, and the hub may not be asked (offline)\n\
         hint: unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE once to download it, \
         or give the model's folder"
    );
    assert!(server.requests().is_empty());
}

#[test]
fn the_hubs_refusals_are_told_with_the_way_out() {
    let told = |status: u16, token: Option<&str>| {
        let faults = Faults {
            status: Some(status),
            ..Faults::default()
        };
        let server = Server::start(BTreeMap::new(), faults);
        let cache = tempfile::tempdir().unwrap();
        let settings = HubSettings {
            cache: Some(cache.path().to_owned()),
            endpoint: server.address.clone(),
            token: token.map(str::to_owned),
            offline: false,
        };
        message(resolve(&Hub::new(settings), "org/tiny")).replace(&server.address, "HUB")
    };
    assert_eq!(
        told(404, None),
        "org/tiny@main: the repository: not found (404)\nhint: check the name and the revision"
    );
    assert_eq!(
        told(401, None),
        "org/tiny@main: the repository: refused (401): no such repository, or it is private or gated\n\
         hint: check the name; for a gated model accept its conditions at HUB/org/tiny and set HF_TOKEN"
    );
    assert_eq!(
        told(403, Some("t")),
        "org/tiny@main: the repository: refused (403)\n\
         hint: the token has no access; a gated model's conditions are accepted at HUB/org/tiny"
    );
    assert!(told(429, None).contains("too many requests (429)"));
    assert!(told(503, None).contains("the hub answers 503"));
}

#[test]
fn no_connection_is_told() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let cache = tempfile::tempdir().unwrap();
    let settings = |endpoint: String| HubSettings {
        cache: Some(cache.path().to_owned()),
        endpoint,
        token: None,
        offline: false,
    };
    let text = message(resolve(
        &Hub::new(settings(format!("http://127.0.0.1:{port}"))),
        "org/tiny",
    ));
    assert!(
        text.contains("hint: check the connection; without one, give the model's folder"),
        "{text}"
    );
    let text = message(resolve(&Hub::new(settings("hub".to_owned())), "org/tiny"));
    assert!(
        text.contains("the endpoint \"hub\" is no http address"),
        "{text}"
    );
    let nowhere = HubSettings {
        cache: None,
        ..settings(String::new())
    };
    assert!(message(resolve(&Hub::new(nowhere), "org/tiny")).contains("set HF_HOME"));
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let server = Server::start(repository(&["hf"]), Faults::default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs_err::write(&file, "not a folder").unwrap();
    let text = message(resolve(&hub(&server, &file), "org/tiny"));
    assert!(text.contains(&file.display().to_string()), "{text}");

    // the blobs cannot be written
    let cache = tempfile::tempdir().unwrap();
    let repository = cache.path().join("models--org--tiny");
    fs_err::create_dir_all(&repository).unwrap();
    fs_err::write(repository.join("blobs"), "not a folder").unwrap();
    let text = message(resolve(&hub(&server, cache.path()), "org/tiny"));
    assert!(
        text.contains(&format!("{}", cache.path().display())),
        "{text}"
    );
}

#[test]
fn a_broken_transfer_is_taken_up_where_it_broke() {
    let faults = Faults {
        cuts: AtomicUsize::new(2),
        ..Faults::default()
    };
    let server = Server::start(repository(&["hf"]), faults);
    let cache = tempfile::tempdir().unwrap();
    let progress = Sum::default();
    let files = hub(&server, cache.path())
        .resolve(&"org/tiny".parse().unwrap(), &progress)
        .unwrap();
    assert!(Clip::load(&files).is_ok());
    let (total, done) = (&progress.total, &progress.done);
    assert_eq!(done.load(Ordering::SeqCst), total.load(Ordering::SeqCst));
}

#[test]
fn a_file_that_is_not_what_the_hub_says_is_removed() {
    let faults = Faults {
        corrupt: true,
        ..Faults::default()
    };
    let server = Server::start(repository(&["hf"]), faults);
    let cache = tempfile::tempdir().unwrap();
    let text = message(resolve(&hub(&server, cache.path()), "org/tiny"));
    assert!(text.contains("model.safetensors: SHA-256 "), "{text}");
    let folder = cache.path().join("models--org--tiny");
    assert!(
        !folder
            .join("snapshots")
            .join(COMMIT)
            .join("model.safetensors")
            .exists()
    );
    assert!(!folder.join("refs/main").exists());
}

#[test]
fn a_server_cannot_choose_where_files_are_written() {
    for etag in ["../../../../evil", "/evil", ".."] {
        let faults = Faults {
            etag: Some(etag),
            ..Faults::default()
        };
        let server = Server::start(repository(&["hf"]), faults);
        let cache = tempfile::tempdir().unwrap();
        let text = message(resolve(&hub(&server, cache.path()), "org/tiny"));
        assert!(
            text.contains(&format!("the hub answers etag {etag:?}")),
            "{text}"
        );
    }
}

#[test]
fn folders_and_weight_files_need_no_hub() {
    let cache = tempfile::tempdir().unwrap();
    let nobody = Server {
        address: "http://127.0.0.1:9".to_owned(),
        log: Arc::default(),
    };
    let hub = hub(&nobody, cache.path());
    let folder = support::Folder::golden("openai-64");
    let path = folder.path().display();
    for name in [
        format!("{path}"),
        format!("local-dir:{path}"),
        format!("{path}/model.pt"),
    ] {
        let clip = Clip::load(&resolve(&hub, &name).unwrap()).unwrap();
        assert_eq!((clip.name, clip.config.embed_dim), (name, 6));
    }
    let mini = resolve(&hub, "mini-clip").unwrap();
    assert!(mini.has("model.safetensors"));
    let error = resolve(&hub, "local-dir:/no/such/folder").unwrap_err();
    assert!(matches!(error, ClipError::MissingFile { .. }), "{error}");
}

#[test]
fn a_name_may_say_the_activation() {
    let hub = Hub::new(HubSettings {
        cache: None,
        endpoint: String::new(),
        token: None,
        offline: true,
    });
    let name: vlpt_clip::ModelName = "mini-clip?activation=gelu".parse().unwrap();
    assert_eq!(name.to_string(), "mini-clip?activation=gelu");
    let files = hub.resolve(&name, &()).unwrap();
    assert_eq!(files.activation, Some(vlpt_clip::Activation::Gelu));
    let error = "mini-clip?activation=relu"
        .parse::<vlpt_clip::ModelName>()
        .unwrap_err();
    assert!(
        error.to_string().contains("expected quick_gelu or gelu"),
        "{error}"
    );
}
