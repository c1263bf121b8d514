//! The share of each client: who sends a request, what it is charged, and whether it may run now.
//! Rule: `/graphql` charges each operation by its cost. Other routes are charged a fixed amount, except the health checks,
//! which are free. A response that tells a client to slow down is delayed, so that rejecting a flood costs little.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use async_graphql::{ServerError, Value};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::{
    header_names::{RATE_LIMIT, RATE_LIMIT_POLICY, X_API_KEY},
    origin::origin,
    rejection::Rejection,
    unsent::{Unsent, UnsentBytes},
};
use crate::{
    auth::{AuthMethod, Permissions, RequestOrigin, Viewer, network},
    config::HttpSettings,
    db::recorder::StatementRecorder,
    error::ErrorCode,
    graphql::engine::{
        cost::{Cost, Meter, Usage, rounded},
        errors::{coded, rate_limited},
    },
    limits::{
        Allowance, BytesFull, Client, ClientClass, ClientKey, FairQueue, Place, QueueFull, QueueLimits, Quota,
        RateLimiter,
    },
    redis::Redis,
    telemetry::RequestId,
};

/// Points of a request that was rejected before its operation ran, in addition to the time that it took.
const REJECTION_POINTS: f64 = 1.0;
/// Points of a request to another route.
const REQUEST_POINTS: f64 = 0.2;
/// Operations that wait, as a multiple of those that run.
const WAITING: usize = 8;
/// Seconds after which a client may try again whose operations filled the queue.
const RETRY_AFTER_SECONDS: u64 = 1;
/// Responses to all clients that are delayed at the same time: half of the connections by default.
const MAX_DELAYED: usize = 2_048;
/// Responses to one network that are delayed at the same time: the connections of one address by default.
const MAX_DELAYED_PER_CLIENT: usize = 256;

/// The limits of all clients. Clones share them.
#[derive(Clone)]
pub struct ClientLimits {
    rates: RateLimiter,
    operations: FairQueue,
    /// Responses that are being delayed. Further ones are sent at once, so that no client holds all connections of a proxy.
    delays: FairQueue,
    unsent: Unsent,
    settings: Arc<HttpSettings>,
}

impl ClientLimits {
    /// Creates the limits. With Redis, what clients use over time is limited for all servers together.
    pub fn new(settings: &HttpSettings, redis: Option<Redis>) -> Self {
        let rates = &settings.rates;
        let (all, per_client) = (rates.max_concurrency.get(), rates.max_concurrency_per_client().get());
        let queue = QueueLimits {
            running: all,
            running_per_client: per_client,
            waiting: all.saturating_mul(WAITING),
            waiting_per_client: per_client.saturating_mul(WAITING),
        };
        let delayed = QueueLimits {
            running: MAX_DELAYED,
            running_per_client: MAX_DELAYED_PER_CLIENT,
            waiting: 0,
            waiting_per_client: 0,
        };
        Self {
            rates: match redis {
                None => RateLimiter::new(rates.quotas()),
                Some(redis) => RateLimiter::new(rates.quotas()).shared_by(redis),
            },
            operations: FairQueue::new(queue),
            delays: FairQueue::new(delayed),
            unsent: Unsent::default(),
            settings: Arc::new(settings.clone()),
        }
    }

    /// Returns the client of a request: the API key, else the user, else the network.
    pub fn client(&self, viewer: &Viewer, origin: &RequestOrigin) -> Client {
        let (key, class) = match viewer.identity() {
            None => (ClientKey::Network(origin.address.map(network)), ClientClass::Anonymous),
            Some(identity) => match identity.auth_method {
                AuthMethod::ApiKey(id) => (ClientKey::ApiKey(id), ClientClass::ApiKey),
                _ if viewer.permissions() == Permissions::default() => {
                    (ClientKey::User(identity.user), ClientClass::Customer)
                }
                _ => (ClientKey::User(identity.user), ClientClass::Staff),
            },
        };
        Client { key, class, is_exempt: origin.is_exempt }
    }

    /// Checks before an anonymous request is read that its network has points left.
    /// # Errors
    /// 429 if it has none.
    pub fn check_unread(&self, headers: &HeaderMap, origin: &RequestOrigin) -> Result<(), Rejection> {
        if headers.contains_key(header::AUTHORIZATION) || headers.contains_key(X_API_KEY) {
            return Ok(());
        }
        self.check(self.network(origin))
    }

    /// Checks that a client has points left.
    /// # Errors
    /// 429 if it has none.
    pub fn check(&self, client: Client) -> Result<(), Rejection> {
        self.charge(client, 0.0)
    }

    /// Charges a client for a request that was rejected. Points that it does not have become a debt, because the work is done:
    /// further requests are rejected before they are read.
    pub fn charge_rejection(&self, client: Client, server_ms: f64) {
        self.rates.allowance(client).correct(0.0, REJECTION_POINTS + server_ms);
    }

    /// Returns the client of a request whose sender is not known.
    pub fn network(&self, origin: &RequestOrigin) -> Client {
        self.client(&Viewer::anonymous(), origin)
    }

    fn charge(&self, client: Client, points: f64) -> Result<(), Rejection> {
        let allowance = self.rates.allowance(client);
        allowance.charge(points).map_err(|exceeded| {
            let headers = quota_headers(client, allowance.quota(), allowance.correct(0.0, 0.0));
            Rejection::rate_limited(exceeded.retry_after).with_headers(headers)
        })
    }

    /// Waits until the client's operation may run.
    /// # Errors
    /// RATE_LIMITED if too many operations of the client wait, UNAVAILABLE if those of all clients do.
    pub async fn enter(&self, client: Client) -> Result<Place, ServerError> {
        self.operations.enter(client).await.map_err(|full| match full {
            QueueFull::Client => rate_limited("too many operations of this client are waiting", RETRY_AFTER_SECONDS),
            QueueFull::All => coded(ErrorCode::Unavailable, "the server is busy; try again in a moment"),
        })
    }

    /// Bounds the large responses that clients have not received yet.
    /// # Errors
    /// 429 if there are too many to this network, 503 if there are too many to all clients.
    pub async fn count_unsent(&self, response: Response, origin: &RequestOrigin) -> Result<Response, Rejection> {
        let network = self.network(origin);
        self.unsent.count(network, response).await.map_err(Self::unsent_error)
    }

    /// Bounds the large messages of subscriptions that clients have not received yet.
    /// # Errors
    /// RATE_LIMITED if there are too many to this network, UNAVAILABLE if there are too many to all clients.
    pub fn count_message(&self, bytes: usize, origin: &RequestOrigin) -> Result<Option<UnsentBytes>, ServerError> {
        let counted = self.unsent.count_bytes(self.network(origin), bytes);
        counted.map_err(|full| Self::unsent_error(full).into_error())
    }

    fn unsent_error(full: BytesFull) -> Rejection {
        match full {
            BytesFull::Client => Rejection::rate_limited(RETRY_AFTER_SECONDS),
            BytesFull::All => {
                let message = "the server is sending too many large responses; try again in a moment";
                Rejection::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
            }
        }
    }

    /// Delays a response with the status 429 to a client that is not exempt. The client could not succeed earlier anyway,
    /// because `Retry-After` is at least a second.
    pub async fn slow_down(&self, response: Response, origin: &RequestOrigin) -> Response {
        if response.status() == StatusCode::TOO_MANY_REQUESTS && !self.settings.rates.rejection_delay.is_zero() {
            let network = self.network(origin);
            if let (false, Ok(_place)) = (network.is_exempt, self.delays.enter(network).await) {
                tokio::time::sleep(self.settings.rates.rejection_delay).await;
            }
        }
        response
    }

    /// Returns what a client may use.
    pub fn allowance(&self, client: Client) -> Allowance {
        self.rates.allowance(client)
    }
}

/// Runs a request of a route other than `/graphql`, and charges it; `/graphql` charges its operations itself.
pub async fn charge_request(limits: &ClientLimits, id: &RequestId, request: Request, next: Next) -> Response {
    if matches!(request.uri().path(), "/graphql" | "/livez" | "/readyz") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let origin = origin(&parts, &limits.settings);
    let response = match limits.charge(limits.network(&origin), REQUEST_POINTS) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(rejection) => rejection.into_json(id),
    };
    limits.slow_down(response, &origin).await
}

/// Measures the time of the server that futures take: the time that they are being polled.
#[derive(Default)]
pub struct Stopwatch(AtomicU64);

impl Stopwatch {
    /// Runs a future and measures it.
    pub async fn measure<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(|context| {
            let started = Instant::now();
            let polled = future.as_mut().poll(context);
            let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.0.fetch_add(nanos, Ordering::Relaxed);
            polled
        })
        .await
    }

    /// Returns the milliseconds that were measured since the last call.
    pub fn take_ms(&self) -> f64 {
        self.0.swap(0, Ordering::Relaxed) as f64 / 1e6
    }
}

/// Measures an operation and settles its cost, also if the operation is dropped because its client is gone.
pub struct Measurement {
    meter: Meter,
    recorder: StatementRecorder,
    /// Time that was taken before the operation ran, in milliseconds.
    ms_before: f64,
    stopwatch: Stopwatch,
    is_settled: bool,
}

impl Measurement {
    /// Starts to measure an operation, whose request took this time so far.
    pub fn new(meter: Meter, recorder: StatementRecorder, ms_before: f64) -> Self {
        Self { meter, recorder, ms_before, stopwatch: Stopwatch::default(), is_settled: false }
    }

    /// Runs the operation and measures it.
    pub async fn measure<F: Future>(&self, operation: F) -> F::Output {
        self.stopwatch.measure(operation).await
    }

    /// Settles the cost of the operation, which ended.
    pub fn settle(mut self) -> Cost {
        self.is_settled = true;
        self.meter.settle(self.usage())
    }

    fn usage(&self) -> Usage {
        Usage {
            server_ms: self.ms_before + self.stopwatch.take_ms(),
            measured_ms: self.recorder.measured_ms(),
            statements: self.recorder.statements(),
        }
    }
}

impl Drop for Measurement {
    fn drop(&mut self) {
        if !self.is_settled {
            self.meter.settle(self.usage());
        }
    }
}

/// Returns the headers with the client's quota and what is left of it, as the IETF draft `RateLimit header fields for HTTP`
/// defines them; the quota unit is points.
pub fn headers(client: Client, cost: &Cost) -> [(HeaderName, HeaderValue); 2] {
    quota_headers(client, cost.quota, cost.remaining)
}

fn quota_headers(client: Client, quota: Quota, remaining: f64) -> [(HeaderName, HeaderValue); 2] {
    let class = client.class;
    let policy = format!("\"{class}\";q={};w={};qu=\"points\"", quota.limit, quota.window_seconds());
    let missing = f64::from(quota.limit) - remaining;
    let reset = (missing / f64::from(quota.restore_rate)).ceil();
    let left = format!("\"{class}\";r={:.0};t={reset:.0}", remaining.floor());
    let value = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    [(RATE_LIMIT_POLICY, value(policy)), (RATE_LIMIT, value(left))]
}

/// Returns the value of `extensions.cost`. Without limits, only what the operation cost.
pub fn extension(client: Client, cost: &Cost) -> Value {
    let mut value = serde_json::json!({ "requested": rounded(cost.requested), "actual": rounded(cost.actual) });
    if !client.is_exempt {
        value["remaining"] = rounded(cost.remaining).into();
        value["limit"] = cost.quota.limit.into();
        value["restoreRate"] = cost.quota.restore_rate.into();
    }
    Value::from_json(value).unwrap_or_default()
}
