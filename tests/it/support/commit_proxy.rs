//! A proxy in front of the tests' PostgreSQL that interrupts one COMMIT, to test what happens between a commit and its
//! response.
//! The transaction is recognized by the request id in the text of its BEGIN.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_postgres::Config;

use super::proxy::{connect, proxied_url};

/// Where the connection is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// The COMMIT does not arrive, and the connection is cut.
    LoseCommit,
    /// The COMMIT is executed, and the connection is cut before its response.
    LoseResponse,
    /// The COMMIT is executed, and its response never arrives.
    HoldResponse,
}

/// A proxy that can interrupt a COMMIT.
pub struct CommitProxy {
    /// Connection string of the proxy.
    pub url: String,
    wanted: watch::Sender<Option<(String, CommitFault)>>,
    task: JoinHandle<()>,
}

impl CommitProxy {
    /// Starts a proxy in front of this database.
    pub async fn start(url: &str) -> Self {
        let config: Config = url.parse().expect("a connection string");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = proxied_url(listener.local_addr().expect("an address"), &config);
        let wanted = watch::Sender::new(None);
        let task = tokio::spawn(serve(listener, config, wanted.clone()));
        Self { url, wanted, task }
    }

    /// Interrupts the transaction of the request with this id, once.
    pub fn stop(&self, request_id: &str, stop: CommitFault) {
        self.wanted.send_replace(Some((request_id.to_owned(), stop)));
    }

    /// Waits until the COMMIT was interrupted.
    pub async fn stopped(&self) {
        let mut wanted = self.wanted.subscribe();
        let stopped = tokio::time::timeout(Duration::from_secs(60), wanted.wait_for(Option::is_none)).await;
        stopped.expect("the COMMIT arrives").expect("the proxy runs");
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

/// Forwards both directions until one side closes or the expected COMMIT arrives.
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
                    // Earlier responses may still be in transit; only the response to the COMMIT proves that it was
                    // executed.
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
