//! The server of HTTP connections: accepts them within limits, passes their requests to the router, and closes those whose
//! client is too slow.
//! Rule: every wait for a client has a time limit, so that no client can take the connections of others for long.

mod body;
mod link;
mod pace;
mod phase;
mod slots;
mod stream;

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tower::ServiceExt;

pub use self::{body::TooSlow, link::ConnectionLink};
use self::{
    body::{RequestBody, ResponseBody},
    pace::Pace,
    phase::Phase,
    slots::Slots,
    stream::TimedStream,
};
use crate::config::ConnectionSettings;

/// Time that the server waits for a client once it is shutting down.
const SHUTDOWN_STALL_TIMEOUT: Duration = Duration::from_secs(2);

/// Pause after a connection could not be accepted, for example because the process has too many open files.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves the router's routes until the shutdown, then waits for the requests in progress. `trusted_proxies` is the number
/// of the shop's own proxies in front of the server.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: ConnectionSettings,
    trusted_proxies: usize,
    shutdown: impl Future<Output = ()>,
) {
    let mut shutdown = pin!(shutdown);
    let mut slots = Slots::new(&settings, trusted_proxies);
    // Each connection holds a receiver, so the channel is closed when the last connection is.
    let (is_stopping, stop) = watch::channel(false);
    loop {
        let accepted = tokio::select! {
            accepted = async { (slots.next().await, listener.accept().await) } => accepted,
            () = &mut shutdown => break,
        };
        let (permit, (stream, peer)) = match accepted {
            (permit, Ok(accepted)) => (permit, accepted),
            (_, Err(error)) => {
                tracing::warn!(%error, "connection could not be accepted");
                sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        let Some(slot) = slots.take(peer.ip(), permit) else { continue };
        let (router, stop) = (router.clone(), stop.clone());
        let link = ConnectionLink::new(stop.clone(), Arc::new(slot));
        tokio::spawn(serve_connection(stream, peer, router, settings, link, stop));
    }
    drop((listener, stop));
    is_stopping.send_replace(true);
    is_stopping.closed().await;
}

/// Serves a connection until it ends, or until its current request ends once the server is stopping.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    settings: ConnectionSettings,
    link: ConnectionLink,
    mut stop: watch::Receiver<bool>,
) {
    // Small responses must not wait for the next packet.
    let _ = stream.set_nodelay(true);
    let phase = Phase::new(settings);
    let pace = move || Pace::new(settings.stall_timeout);
    let stream = TokioIo::new(TimedStream::new(stream, phase.clone(), pace()));
    let requests = phase.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let in_progress = requests.begin_request();
        let body = |body| Body::new(RequestBody::new(body, pace(), requests.clone()));
        let mut request: Request = request.map(body);
        request.extensions_mut().insert(ConnectInfo(peer));
        // Subscriptions keep it as long as they are open: a WebSocket outlives the HTTP connection.
        request.extensions_mut().insert(link.clone());
        let response = router.clone().oneshot(request);
        async move {
            let response: Response = response.await?;
            Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, in_progress)))
        }
    });
    // The phase has the time limit of headers.
    let connection = http1::Builder::new().header_read_timeout(None).serve_connection(stream, service);
    let mut connection = pin!(connection.with_upgrades());
    // The outcome is ignored: a client may close its connection at any time.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = phase_is_over(&phase, settings) => return,
        _ = stop.wait_for(|is_stopping| *is_stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = client_is_slow_for(&phase, SHUTDOWN_STALL_TIMEOUT) => {}
    }
}

/// Waits until the client has not sent a request, or the rest of its headers, in time. A deadline that begins meanwhile is
/// noticed late, by at most the shorter of the time limits, so that requests need not wake this task.
async fn phase_is_over(phase: &Phase, settings: ConnectionSettings) {
    let interval = settings.header_timeout.min(settings.idle_timeout);
    loop {
        let (now, deadline) = (Instant::now(), phase.deadline());
        if deadline.is_some_and(|deadline| deadline <= now) {
            return;
        }
        let next = now + interval;
        sleep_until(deadline.map_or(next, |deadline| deadline.min(next))).await;
    }
}

/// Waits until the server has waited for the client for this time.
async fn client_is_slow_for(phase: &Phase, limit: Duration) {
    loop {
        let waited = phase.client_is_slow_since().map_or(Duration::ZERO, |since| since.elapsed());
        if waited >= limit {
            return;
        }
        sleep(limit - waited).await;
    }
}
