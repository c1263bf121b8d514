//! A proxy in front of the tests' PostgreSQL that can be closed, to simulate a database outage.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_postgres::{Config, config::Host};

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A proxy; open at first.
pub struct Proxy {
    /// Connection string of the proxy.
    pub url: String,
    open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of this database.
    pub async fn start(url: &str) -> Self {
        let config: Config = url.parse().expect("a connection string");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = proxied_url(listener.local_addr().expect("an address"), &config);
        let open = watch::Sender::new(true);
        let task = tokio::spawn(serve(listener, config, open.subscribe()));
        Self { url, open, task }
    }

    /// Cuts every connection and accepts no new ones.
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// Accepts connections again.
    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns the connection string of a database behind this address.
pub(super) fn proxied_url(address: SocketAddr, config: &Config) -> String {
    let user = config.get_user().unwrap_or("postgres");
    let password = String::from_utf8_lossy(config.get_password().unwrap_or_default());
    let database = config.get_dbname().expect("the URL names a database");
    format!("postgres://{user}:{password}@{address}/{database}")
}

async fn serve(listener: TcpListener, config: Config, open: watch::Receiver<bool>) {
    while let Ok((mut client, _)) = listener.accept().await {
        if !*open.borrow() {
            continue;
        }
        let (config, mut open) = (config.clone(), open.clone());
        tokio::spawn(async move {
            let Some(mut server) = connect(&config).await else { return };
            tokio::select! {
                _ = open.wait_for(|open| !open) => {}
                _ = copy_bidirectional(&mut client, &mut server) => {}
            }
        });
    }
}

/// Connects to the database itself; `None` while it is down.
pub(super) async fn connect(config: &Config) -> Option<Box<dyn Stream>> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    Some(match config.get_hosts().first().expect("the URL names a host") {
        Host::Tcp(host) => Box::new(TcpStream::connect((host.as_str(), port)).await.ok()?),
        Host::Unix(dir) => {
            let socket = dir.join(format!(".s.PGSQL.{port}"));
            Box::new(UnixStream::connect(socket).await.ok()?)
        }
    })
}
