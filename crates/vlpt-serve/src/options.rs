//! What a server is told at its start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a server is told at its start.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where it listens; port 0: any free one.
    pub listen: SocketAddr,
    /// A folder of prompt folders that is looked at again and again.
    pub watch: Option<Watched>,
    /// The most images that go through the tower at once.
    pub batch: usize,
    /// How long the first image of a batch waits for others. Images that wait already are taken
    /// along without it.
    pub wait: Duration,
    /// The most requests at work or waiting; more are answered with 429 at once.
    pub queue: usize,
    /// The most bytes of a request's body.
    pub body: usize,
    /// The most pixels of an image.
    pub pixels: u64,
    /// How long a request may take, its body's arrival included.
    pub timeout: Duration,
    /// What `Authorization: Bearer` must say; none: nobody is asked.
    pub token: Option<String>,
}

/// A folder of prompt folders.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The folder.
    pub folder: PathBuf,
    /// Time between two looks.
    pub every: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            watch: None,
            batch: 32,
            wait: Duration::from_millis(2),
            queue: 64,
            body: 20 << 20,
            pixels: 64 << 20,
            timeout: Duration::from_secs(30),
            token: None,
        }
    }
}
