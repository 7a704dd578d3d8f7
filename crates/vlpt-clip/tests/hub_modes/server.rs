//! A hub that does one thing wrong at a time.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use vlpt_base::hash::hex;

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// Longer than any wait of these tests.
const EVER: std::time::Duration = std::time::Duration::from_mins(1);

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) range: Option<String>,
}

/// The state that a test and the threads of a server share.
pub(crate) struct Hub {
    pub(crate) address: String,
    pub(crate) mode: Mutex<&'static str>,
    pub(crate) log: Mutex<Vec<Seen>>,
    /// Where large files are redirected to.
    pub(crate) elsewhere: Mutex<String>,
    files: BTreeMap<&'static str, Vec<u8>>,
    /// What happens once has happened.
    done: Mutex<bool>,
}

impl Hub {
    pub(crate) fn start(files: BTreeMap<&'static str, Vec<u8>>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let hub = Arc::new(Self {
            elsewhere: Mutex::new(address.clone()),
            address,
            mode: Mutex::new("ok"),
            log: Mutex::default(),
            files,
            done: Mutex::default(),
        });
        let shared = Arc::clone(&hub);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hub = Arc::clone(&shared);
                // a client that hangs up is no failure of the server
                std::thread::spawn(move || hub.connection(stream).ok());
            }
        });
        hub
    }

    pub(crate) fn set(&self, mode: &'static str) {
        *self.mode.lock().unwrap() = mode;
        *self.done.lock().unwrap() = false;
        self.log.lock().unwrap().clear();
    }

    fn once(&self) -> bool {
        !std::mem::replace(&mut *self.done.lock().unwrap(), true)
    }

    fn connection(&self, stream: TcpStream) -> Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        loop {
            let mode = *self.mode.lock().unwrap();
            if mode == "stall-connect" {
                std::thread::sleep(EVER);
            }
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                match line.trim() {
                    "" => break,
                    line => head.push(line.to_owned()),
                }
            }
            let header = |name: &str| {
                head.iter().find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    key.eq_ignore_ascii_case(name)
                        .then(|| value.trim().to_owned())
                })
            };
            let seen = Seen {
                path: head[0].split(' ').nth(1).unwrap_or_default().to_owned(),
                token: header("authorization"),
                range: header("range"),
            };
            self.log.lock().unwrap().push(seen.clone());
            if !self.answer(&mut stream, mode, &seen)? {
                return Ok(());
            }
        }
    }

    /// Answers one request; false to end the connection.
    fn answer(&self, stream: &mut TcpStream, mode: &str, seen: &Seen) -> Result<bool> {
        let path = seen.path.as_str();
        let location = |place: &str| format!("Location: {place}\r\n");
        let redirect = match mode {
            "redir-loop-rel" => Some(location(path)),
            "redir-loop-abs" => Some(location(&format!("{}{path}", self.address))),
            "redir-noloc" => Some(String::new()),
            "redir-file" => Some(location("file:///etc/passwd")),
            "redir-badloc" => Some(location("ht!tp://%%%")),
            "redir-emptyloc" => Some(location("")),
            _ => None,
        };
        if let Some(headers) = redirect {
            return send(stream, 302, &headers, b"");
        }
        match mode {
            "stall-headers" => std::thread::sleep(EVER),
            "drip-headers" => {
                for byte in b"HTTP/1.1 200 x\r\n".iter().cycle() {
                    stream.write_all(&[*byte])?;
                    std::thread::sleep(EVER / 600);
                }
            }
            "once-500" if self.once() => return send(stream, 500, "", b"no"),
            "garbage" => {
                stream.write_all(b"\x00\xff garbage\r\n\r\n")?;
                return Ok(false);
            }
            "close" => return Ok(false),
            _ => {}
        }
        if let Some(status) = mode.strip_prefix("status-") {
            return send(stream, status.parse().unwrap(), "", b"no");
        }
        if path.starts_with("/api/models/org/tiny/revision/main") {
            return self.list(stream, mode);
        }
        self.file(stream, mode, seen)
    }

    fn list(&self, stream: &mut TcpStream, mode: &str) -> Result<bool> {
        match mode {
            "stall-api-body" => {
                stream.write_all(b"HTTP/1.1 200 x\r\nContent-Length: 500\r\n\r\n{")?;
                std::thread::sleep(EVER);
            }
            "api-html" => return send(stream, 200, "", b"<html>login</html>"),
            "api-deep" => return send(stream, 200, "", &vec![b'['; 1_000_000]),
            "api-infinite" => {
                stream.write_all(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                loop {
                    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
                    stream.write_all(&chunk)?;
                }
            }
            _ => {}
        }
        let mut names: Vec<String> = self.files.keys().map(|&name| name.to_owned()).collect();
        match mode {
            "sib-traversal" => names.push("../../../../pwn.json".to_owned()),
            "index-traversal" => {
                names.retain(|name| name != "model.safetensors");
                names.push("model.safetensors.index.json".to_owned());
                names.push("../../../../../pwn.safetensors".to_owned());
            }
            "siblings-1M" => names.extend((0..1_000_000).map(|i| format!("f{i}"))),
            _ => {}
        }
        let siblings: Vec<_> = names
            .iter()
            .map(|name| serde_json::json!({ "rfilename": name }))
            .collect();
        let sha = match mode {
            "sha-traversal" => "../../../../../../pwned",
            "sha-dot" => "..",
            "sha-empty" => "",
            _ => COMMIT,
        };
        let body = serde_json::json!({ "sha": sha, "siblings": siblings }).to_string();
        send(stream, 200, "", body.as_bytes())
    }

    fn file(&self, stream: &mut TcpStream, mode: &str, seen: &Seen) -> Result<bool> {
        let (name, redirected) = match seen.path.strip_prefix("/lfs/") {
            Some(name) => (name, true),
            None => (seen.path.rsplit('/').next().unwrap_or_default(), false),
        };
        let index = br#"{"weight_map": {"a": "../../../../../pwn.safetensors"}}"#.to_vec();
        let content = match self.files.get(name) {
            _ if name == "model.safetensors.index.json" => &index,
            Some(content) => content,
            None => return send(stream, 404, "", b"no such file"),
        };
        if mode == "file-html" {
            return send(stream, 200, "", b"<html>captive portal</html>");
        }
        let large = name == "model.safetensors";
        let etag = match mode {
            "etag-traversal" if large => "../../../../../../blob".to_owned(),
            "etag-no-hash" => format!("{:x}-{name}", content.len()),
            "etag-sha1" if !large => hex(&sha1::Sha1::digest(content)),
            _ if large => hex(&Sha256::digest(content)),
            _ => git_hash(content),
        };
        let commit = match mode {
            "commit-mismatch" => "f".repeat(40),
            _ => COMMIT.to_owned(),
        };
        let mut names = String::new();
        if mode != "commit-missing" {
            names += &format!("X-Repo-Commit: {commit}\r\n");
        }
        if mode != "etag-missing" {
            names += &format!("ETag: \"{etag}\"\r\n");
        }
        if large && !redirected {
            names += &format!("X-Linked-Etag: \"{etag}\"\r\n");
            if mode == "linked-size" {
                names += &format!("X-Linked-Size: {}\r\n", content.len());
            }
            if mode != "lfs-noloc" {
                names += &format!(
                    "Location: {}/lfs/{name}\r\n",
                    self.elsewhere.lock().unwrap()
                );
            }
            return send(stream, 302, &names, b"");
        }
        self.bytes(stream, mode, seen, name, content, &names)
    }

    fn bytes(
        &self,
        stream: &mut TcpStream,
        mode: &str,
        seen: &Seen,
        name: &str,
        content: &[u8],
        names: &str,
    ) -> Result<bool> {
        let large = name == "model.safetensors";
        let len = content.len();
        let range = seen.range.as_deref().unwrap_or("bytes=0-");
        let (from, to) = range.trim_start_matches("bytes=").split_once('-').unwrap();
        let from: usize = from.parse().unwrap_or(0);
        let to = to.parse().map_or(len, |last: usize| len.min(last + 1));
        let mut body = content[from.min(to)..to].to_vec();
        let whole = body.len() > 1;
        let mut total = len.to_string();
        let (mut range, mut status) = (true, 206);
        match mode {
            "corrupt" if large && whole => body[0] ^= 1,
            "corrupt-small" if name == "config.json" && whole => {
                let end = body.len() - 2;
                body[end] = b' ';
            }
            "size-bigger" if large => total = (len + 1000).to_string(),
            "size-smaller" if large => total = (len - 1000).to_string(),
            "size-2^63" if large => total = (1_u64 << 63).to_string(),
            "size-2^64" if large => total = (1_u128 << 64).to_string(),
            "size-neg" if large => "-5".clone_into(&mut total),
            "short-body" if large && whole => body.truncate(body.len() / 2),
            "zero-body" if large && whole => body.clear(),
            "no-range-header" if large => range = false,
            "no-ranges" | "cut-norange" if large => {
                body = content.to_vec();
                (range, status) = (false, 200);
            }
            "infinite-body" if large && whole => {
                write!(
                    stream,
                    "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n{names}\r\n"
                )?;
                loop {
                    let chunk = [b"100000\r\n".as_slice(), &vec![b'z'; 1 << 20], b"\r\n"].concat();
                    stream.write_all(&chunk)?;
                }
            }
            "encoded" if large && whole => {
                return send(
                    stream,
                    200,
                    &format!("{names}Content-Encoding: gzip\r\n"),
                    &body,
                );
            }
            _ => {}
        }
        let mut headers = names.to_owned();
        if range {
            let last = to.max(1) - 1;
            // a part that nobody asked for
            let shifted = mode == "cut-shifted" && large && from > 0;
            let from = from + usize::from(shifted);
            headers += &format!("Content-Range: bytes {from}-{last}/{total}\r\n");
        }
        let stops = match mode {
            "cut" | "cut-shifted" | "cut-norange" | "stall-body" | "drip" => large && whole,
            "cut-once" | "stall-once" => large && whole && self.once(),
            _ => false,
        };
        if !stops {
            return send(stream, status, &headers, &body);
        }
        let part = body.len() * 7 / 10;
        write!(
            stream,
            "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        )?;
        stream.write_all(&body[..part])?;
        if mode.starts_with("stall") {
            std::thread::sleep(EVER);
        }
        for byte in body[part..].iter().filter(|_| mode == "drip") {
            std::thread::sleep(EVER / 600);
            stream.write_all(&[*byte])?;
        }
        Ok(false)
    }
}

fn send(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> Result<bool> {
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    Ok(true)
}

/// `git hash-object`.
fn git_hash(content: &[u8]) -> String {
    let header = format!("blob {}\0", content.len());
    hex(&sha1::Sha1::digest([header.as_bytes(), content].concat()))
}
