//! A proxy in front of the tests' PostgreSQL that stops one COMMIT: for what happens between a commit and its response.
//! The transaction is recognized by the request id, which is in the text of its BEGIN.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_postgres::Config;

use super::proxy::{connect, proxied_url};

/// Where the connection stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// The COMMIT does not arrive, and the connection is cut.
    LoseCommit,
    /// The COMMIT is done, and the connection is cut before its answer.
    LoseResponse,
    /// The COMMIT is done, and its answer never comes.
    HoldResponse,
}

/// The proxy.
pub struct CommitProxy {
    /// How to connect through it.
    pub url: String,
    wanted: watch::Sender<Option<(String, CommitFault)>>,
    task: JoinHandle<()>,
}

impl CommitProxy {
    /// A proxy in front of this database.
    pub async fn start(url: &str) -> Self {
        let config: Config = url.parse().expect("a connection string");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = proxied_url(listener.local_addr().expect("an address"), &config);
        let wanted = watch::Sender::new(None);
        let task = tokio::spawn(serve(listener, config, wanted.clone()));
        Self { url, wanted, task }
    }

    /// Stops the transaction of the request with this id, once.
    pub fn stop(&self, request_id: &str, stop: CommitFault) {
        self.wanted.send_replace(Some((request_id.to_owned(), stop)));
    }

    /// Waits until that has happened.
    pub async fn stopped(&self) {
        let mut wanted = self.wanted.subscribe();
        let stopped = tokio::time::timeout(Duration::from_secs(60), wanted.wait_for(Option::is_none)).await;
        stopped.expect("its COMMIT comes").expect("the proxy runs");
    }
}

impl Drop for CommitProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, config: Config, wanted: watch::Sender<Option<(String, CommitFault)>>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(forward(client, config.clone(), wanted.clone()));
    }
}

/// Hands on what both sides say, until one of them ends or the COMMIT comes that is waited for.
async fn forward(mut client: TcpStream, config: Config, wanted: watch::Sender<Option<(String, CommitFault)>>) {
    let Some(mut server) = connect(&config).await else { return };
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut begun = false;
    loop {
        tokio::select! {
            sent = client.read(&mut up) => {
                let sent = match sent { Ok(0) | Err(_) => return, Ok(length) => &up[..length] };
                let stop = wanted.borrow().clone();
                begun |= stop.as_ref().is_some_and(|(id, _)| contains(sent, id.as_bytes()));
                let stop = stop.filter(|_| begun && contains(sent, b"COMMIT\0")).map(|(_, stop)| stop);
                if stop != Some(CommitFault::LoseCommit) && server.write_all(sent).await.is_err() {
                    return;
                }
                let Some(stop) = stop else { continue };
                if stop != CommitFault::LoseCommit {
                    // What was answered before may still be under way: the answer to the COMMIT says that it is done.
                    while let Ok(length @ 1..) = server.read(&mut down).await {
                        if contains(&down[..length], b"COMMIT\0") {
                            break;
                        }
                    }
                }
                wanted.send_replace(None);
                if stop == CommitFault::HoldResponse {
                    let _ = client.read(&mut up).await;
                }
                return;
            }
            said = server.read(&mut down) => {
                let said = match said { Ok(0) | Err(_) => return, Ok(length) => &down[..length] };
                if client.write_all(said).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
