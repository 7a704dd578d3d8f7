//! Whatever a hub does, or a proxy before it: an end in bounded time, no byte that its hash does not
//! vouch for, the token for the endpoint alone, and a cache that heals.

#![allow(clippy::unwrap_used)]

mod server;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use server::COMMIT;
use vlpt_base::hash::sha256;
use vlpt_clip::{Clip, Hub, HubSettings, HubWaits, ModelFiles, Result};

const FILES: [&str; 5] = [
    "config.json",
    "merges.txt",
    "model.safetensors",
    "preprocessor_config.json",
    "vocab.json",
];

/// Waits for a hub that answers, however busy the machine.
const PATIENT: HubWaits = HubWaits {
    answer: Duration::from_secs(30),
    progress: Duration::from_secs(30),
    attempts: 4,
    pause: Duration::from_millis(10),
};
/// Waits that a test can sit through, for a hub that does not.
const SHORT: HubWaits = HubWaits {
    answer: Duration::from_millis(1500),
    progress: Duration::from_millis(1500),
    ..PATIENT
};

fn files() -> BTreeMap<&'static str, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mini-clip");
    FILES
        .into_iter()
        .map(|file| (file, fs_err::read(folder.join(file)).unwrap()))
        .collect()
}

fn client(hub: &server::Hub, cache: &Path) -> Hub {
    Hub::new(HubSettings {
        cache: Some(cache.to_owned()),
        endpoint: hub.address.clone(),
        token: Some("hf_SECRET".to_owned()),
        offline: false,
    })
    .with_waits(PATIENT)
}

fn resolve(hub: &Hub) -> Result<ModelFiles> {
    hub.resolve(&"org/tiny".parse()?, &())
}

/// What one mode must come to: a model, or an error that says so.
enum Ends {
    Well,
    Saying(&'static str),
}
use Ends::{Saying, Well};

const MODES: [(&str, Ends); 61] = [
    ("ok", Well),
    ("once-500", Well),
    ("cut-once", Well),
    ("stall-once", Well),
    ("no-ranges", Well),
    ("linked-size", Well),
    ("etag-sha1", Well),
    ("etag-no-hash", Well),
    ("siblings-1M", Well),
    ("sib-traversal", Well),
    (
        "stall-connect",
        Saying("the repository: the hub does not answer"),
    ),
    (
        "stall-headers",
        Saying("the repository: the hub does not answer"),
    ),
    (
        "drip-headers",
        Saying("the repository: the hub does not answer"),
    ),
    (
        "stall-api-body",
        Saying("the repository: the hub has stopped sending"),
    ),
    (
        "stall-body",
        Saying("model.safetensors: the hub has stopped sending"),
    ),
    ("drip", Saying("model.safetensors: only ")),
    (
        "cut",
        Saying("model.safetensors: the connection was closed"),
    ),
    (
        "cut-shifted",
        Saying("model.safetensors: the hub sends bytes from "),
    ),
    (
        "cut-norange",
        Saying("model.safetensors: the connection was closed"),
    ),
    ("close", Saying("the repository: the connection was closed")),
    ("garbage", Saying("the repository: the answer is no HTTP")),
    ("status-400", Saying("the hub answers 400")),
    ("status-401", Saying("refused (401)")),
    ("status-403", Saying("refused (403)")),
    ("status-404", Saying("not found (404)")),
    ("status-408", Saying("the hub answers 408")),
    ("status-416", Saying("the hub answers 416")),
    ("status-418", Saying("the hub answers 418")),
    ("status-429", Saying("too many requests (429)")),
    ("status-500", Saying("the hub answers 500")),
    ("status-503", Saying("the hub answers 503")),
    ("status-304", Saying("the hub answers 304")),
    ("redir-loop-rel", Saying("more than 10 redirects")),
    ("redir-loop-abs", Saying("more than 10 redirects")),
    ("redir-noloc", Saying("without saying where to")),
    ("redir-file", Saying("no web address")),
    ("redir-badloc", Saying("no web address")),
    ("redir-emptyloc", Saying("no web address")),
    (
        "lfs-noloc",
        Saying("model.safetensors: the hub redirects without saying where to"),
    ),
    ("api-html", Saying("not JSON")),
    ("api-deep", Saying("not JSON")),
    ("api-infinite", Saying("longer than announced")),
    (
        "file-html",
        Saying("config.json: the hub answers etag \"\""),
    ),
    ("sha-traversal", Saying("the hub answers the commit")),
    ("sha-dot", Saying("the hub answers the commit")),
    ("sha-empty", Saying("the hub answers the commit")),
    ("index-traversal", Saying("no plain file name")),
    (
        "etag-traversal",
        Saying("the hub answers etag \"../../../../../../blob\""),
    ),
    ("etag-missing", Saying("the hub answers etag \"\"")),
    ("commit-missing", Saying("of commit \"\"")),
    ("commit-mismatch", Saying("of commit \"ffff")),
    ("corrupt", Saying("model.safetensors: SHA-256 ")),
    ("corrupt-small", Saying("config.json: SHA-1 ")),
    (
        "size-bigger",
        Saying("model.safetensors: the answer ended early"),
    ),
    (
        "size-smaller",
        Saying("model.safetensors: the hub announces "),
    ),
    (
        "size-2^63",
        Saying("model.safetensors: the answer ended early"),
    ),
    (
        "size-2^64",
        Saying("model.safetensors: the hub answers the range"),
    ),
    (
        "size-neg",
        Saying("model.safetensors: the hub answers the range"),
    ),
    (
        "short-body",
        Saying("model.safetensors: the answer ended early"),
    ),
    (
        "infinite-body",
        Saying("model.safetensors: the answer is longer than announced"),
    ),
    (
        "encoded",
        Saying("model.safetensors: the answer is encoded as \"gzip\""),
    ),
];

fn try_mode(mode: &'static str, ends: &Ends) -> Result<(), String> {
    let hub = server::Hub::start(files());
    hub.set(mode);
    let place = tempfile::tempdir().unwrap();
    // deep enough that a path with .. would stay inside and be seen
    let cache = place.path().join("1/2/3/4/cache");
    let begun = Instant::now();
    let waits = match mode {
        _ if mode.starts_with("stall") || mode.starts_with("drip") => SHORT,
        _ => PATIENT,
    };
    let outcome = resolve(&client(&hub, &cache).with_waits(waits));
    let took = begun.elapsed();
    match (ends, outcome) {
        (Well, Ok(files)) => drop(Clip::load(&files).map_err(|error| error.to_string())?),
        (Saying(text), Err(error)) if error.to_string().contains(text) => {
            let config = matches!(error, vlpt_clip::ClipError::Config { .. });
            if error.hint().is_none() && !config {
                return Err(format!("no hint with: {error}"));
            }
        }
        (Saying(text), Err(error)) => return Err(format!("{error}, expected {text:?}")),
        (Well, Err(error)) => return Err(error.to_string()),
        (Saying(text), Ok(_)) => return Err(format!("went well, expected {text:?}")),
    }
    // four attempts, each of two short waits at most, and a machine that is busy
    if took > Duration::from_secs(30) {
        return Err(format!("took {took:?}"));
    }
    let outside: Vec<_> = walk(place.path())
        .into_iter()
        .filter(|path| path.contains("pwn") || !path.contains("1/2/3/4/cache"))
        .collect();
    if !outside.is_empty() {
        return Err(format!("wrote {outside:?}"));
    }
    hub.set("ok");
    let healed = resolve(&client(&hub, &cache)).map_err(|error| format!("healthy: {error}"))?;
    let loaded = Clip::load(&healed).map_err(|error| format!("healthy: {error}"))?;
    let left: Vec<_> = walk(&cache)
        .into_iter()
        .filter(|p| p.ends_with(".incomplete"))
        .collect();
    if !left.is_empty() {
        return Err(format!("left {left:?}"));
    }
    let mini = Clip::load(&ModelFiles::mini()).unwrap();
    (loaded.fingerprint == mini.fingerprint)
        .then_some(())
        .ok_or_else(|| "another model".to_owned())
}

/// Paths of all files below a folder.
fn walk(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            all.extend(walk(&path));
        } else {
            all.push(path.display().to_string());
        }
    }
    all
}

#[test]
fn every_mode_ends_as_it_should_and_a_healthy_hub_heals_it() {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((mode, ends)) = MODES.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(said) = try_mode(mode, ends) {
                        wrong.lock().unwrap().push(format!("{mode}: {said}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_token_is_for_the_endpoint_alone() {
    let hub = server::Hub::start(files());
    let other = server::Hub::start(files());
    hub.elsewhere.lock().unwrap().clone_from(&other.address);
    let cache = tempfile::tempdir().unwrap();
    assert!(resolve(&client(&hub, cache.path())).is_ok());
    let seen = |hub: &Arc<server::Hub>| hub.log.lock().unwrap().clone();
    assert!(seen(&hub).iter().all(|request| request.token.is_some()));
    let elsewhere = seen(&other);
    assert!(
        elsewhere
            .iter()
            .any(|request| request.path == "/lfs/model.safetensors")
    );
    assert!(
        elsewhere.iter().all(|request| request.token.is_none()),
        "{elsewhere:?}"
    );
}

#[test]
fn what_is_bad_in_the_cache_is_fetched_anew() {
    let hub = server::Hub::start(files());
    let cache = tempfile::tempdir().unwrap();
    let snapshot = cache
        .path()
        .join("models--org--tiny/snapshots")
        .join(COMMIT);
    let thorough = client(&hub, cache.path()).thorough();
    resolve(&thorough).unwrap();
    for (file, length) in [
        ("config.json", None),
        ("merges.txt", Some(100)),
        ("model.safetensors", None),
        ("model.safetensors", Some(1000)),
        ("vocab.json", Some(0)),
    ] {
        let blob = fs_err::canonicalize(snapshot.join(file)).unwrap();
        let good = fs_err::read(&blob).unwrap();
        let mut bad = good.clone();
        bad[0] ^= 1;
        bad.truncate(length.unwrap_or(good.len()));
        fs_err::write(&blob, bad).unwrap();
        let offline = Hub::new(HubSettings {
            cache: Some(cache.path().to_owned()),
            endpoint: hub.address.clone(),
            token: None,
            offline: true,
        });
        let error = resolve(&offline.thorough()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("damaged in the cache ({file}: SHA-")),
            "{error}"
        );
        resolve(&thorough).unwrap();
        assert_eq!(fs_err::read(snapshot.join(file)).unwrap(), good, "{file}");
    }
    // nothing else was asked for than what was bad
    let asked = hub
        .log
        .lock()
        .unwrap()
        .iter()
        .filter(|r| r.path.contains("vocab"))
        .count();
    assert_eq!(asked, 4, "two requests each time");
}

#[test]
fn a_partial_file_is_taken_up_or_thrown_away() {
    let hub = server::Hub::start(files());
    let weights = files()["model.safetensors"].clone();
    for (begun, kept) in [
        (weights[..5000].to_vec(), true),
        (weights.clone(), true),
        (vec![0; 5000], false),
        (vec![0; weights.len()], false),
        ([weights.as_slice(), b"more"].concat(), false),
        (vec![1; 2 * weights.len()], false),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let blobs = cache.path().join("models--org--tiny/blobs");
        fs_err::create_dir_all(&blobs).unwrap();
        let name = sha256(&weights);
        fs_err::write(blobs.join(format!("{name}.incomplete")), &begun).unwrap();
        // of an earlier version, or another client: never in the way
        fs_err::write(
            blobs.join(format!("{name}.part")),
            vec![9; 2 * weights.len()],
        )
        .unwrap();
        hub.set("ok");
        let files = resolve(&client(&hub, cache.path())).unwrap();
        assert!(Clip::load(&files).is_ok());
        assert_eq!(fs_err::read(blobs.join(&name)).unwrap(), weights);
        let log = hub.log.lock().unwrap().clone();
        let whole = log
            .iter()
            .any(|request| request.path.starts_with("/lfs/") && request.range.is_none());
        assert_eq!(whole, !kept, "{} bytes begun: {log:?}", begun.len());
    }
}

#[test]
fn two_programs_fetch_a_file_once() {
    let hub = server::Hub::start(files());
    let cache = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let one = client(&hub, cache.path());
            scope.spawn(move || assert!(Clip::load(&resolve(&one).unwrap()).is_ok()));
        }
    });
    let log = hub.log.lock().unwrap();
    let whole = log
        .iter()
        .filter(|r| r.path.starts_with("/lfs/") && r.range.is_none())
        .count();
    assert_eq!(whole, 1);
}
