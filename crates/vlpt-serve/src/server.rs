//! A server from its start to its end.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Semaphore;
use vlpt_clip::Clip;

use crate::answer::{App, Parts};
use crate::engine::{Batching, Engine};
use crate::error::ServeError;
use crate::http;
use crate::metrics::Metrics;
use crate::options::ServeOptions;
use crate::prompts::{NamedFolder, Prompts, watch};

/// The most images of a batch, and requests at a time.
const MOST: usize = 1 << 20;
/// Between two looks at whether the server is to end.
const NAP: Duration = Duration::from_millis(50);

/// A server that listens already and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: App,
    tower: JoinHandle<()>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Takes the prompts in and listens.
    ///
    /// # Errors
    /// A prompt that is damaged or of another model, two of one name, none at all and no folder to
    /// watch, or an address that cannot be listened at.
    pub fn start(
        clip: Arc<Clip>,
        folders: &[NamedFolder],
        options: ServeOptions,
    ) -> Result<Self, ServeError> {
        if folders.is_empty() && options.watch.is_none() {
            return Err(ServeError::Nothing);
        }
        let prompts = Prompts::new(Arc::clone(&clip));
        prompts.put_all(folders)?;
        let address = options.listen;
        let listener = TcpListener::bind(address);
        let listener = listener.map_err(|source| ServeError::Listen { address, source })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let metrics = Metrics::new();
        let batching = Batching {
            most: options.batch.clamp(1, MOST),
            wait: options.wait,
        };
        let (engine, tower) = Engine::start(Arc::clone(&clip), batching, metrics.clone())?;
        let options = ServeOptions {
            queue: options.queue.clamp(1, MOST),
            ..options
        };
        let permits = Arc::new(Semaphore::new(options.queue));
        let app = App::new(Parts {
            clip,
            prompts,
            engine,
            metrics,
            options,
            permits,
            remembered: Mutex::new(VecDeque::new()),
        });
        Ok(Self {
            listener,
            address,
            app,
            tower,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All paths as a service: for a program that has an HTTP server of its own, and for tests without a socket.
    /// What it answers is what [`Server::run`] would answer; the watched folder is looked at by `run` alone.
    pub fn router(&self) -> axum::Router {
        http::router(self.app.clone())
    }

    /// Answers until `end` is set; then no connection is taken any more, and every request that was
    /// taken is answered before this returns.
    ///
    /// # Errors
    /// Threads that the system does not give.
    pub fn run(self, end: &Arc<AtomicBool>) -> Result<(), ServeError> {
        let over = Arc::new(AtomicBool::new(false));
        let watcher = match self.app.options.watch.clone() {
            None => None,
            Some(watched) => {
                let (prompts, over) = (self.app.prompts.clone(), Arc::clone(&over));
                let thread = std::thread::Builder::new().name("watch".to_owned());
                Some(thread.spawn(move || watch(&prompts, &watched, &over))?)
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores.min(4))
            .max_blocking_threads(2 * cores)
            .enable_all()
            .build()?;
        let router = self.router();
        let served = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            let end = Arc::clone(end);
            let asked_to_end = async move {
                while !end.load(Ordering::Relaxed) {
                    tokio::time::sleep(NAP).await;
                }
            };
            axum::serve(listener, router)
                .with_graceful_shutdown(asked_to_end)
                .await
        });
        over.store(true, Ordering::Relaxed);
        drop(runtime);
        // the last way to the tower's thread; it ends when all that waits is answered
        drop(self.app);
        let ended = [Some(self.tower), watcher].into_iter().flatten();
        for thread in ended {
            if thread.join().is_err() {
                return Err(std::io::Error::other("a thread failed").into());
            }
        }
        Ok(served?)
    }
}
