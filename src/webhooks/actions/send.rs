//! One HTTP request with a payload.
//! Rule: redirects are failures: the payload is signed for the URL that staff have set.

use reqwest::{Response, StatusCode, header};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    outbound::{self, Addresses, OutboundError},
    webhooks::model::delivery::{Attempt, EXCERPT_TIMEOUT, MAX_EXCERPT, RESPONSE_TIMEOUT},
};

/// Bytes of a response that are read.
const MAX_READ: usize = 4 * MAX_EXCERPT;

/// A payload to send.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where to send it.
    pub url: &'a str,
    /// The JSON.
    pub body: String,
    /// Headers besides those of every request.
    pub headers: Vec<(&'static str, String)>,
}

/// Sends a payload, and returns what came of it.
pub async fn send(request: Request<'_>, addresses: Addresses) -> Attempt {
    let started = Instant::now();
    let failed =
        |failure: String| Attempt { failure: Some(failure), duration: started.elapsed(), ..Attempt::default() };
    let response = match timeout(RESPONSE_TIMEOUT, exchange(request, addresses)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return failed(error.to_string()),
        Err(_) => return failed(format!("there was no response within {} s", RESPONSE_TIMEOUT.as_secs())),
    };
    let (duration, status) = (started.elapsed(), response.status());
    Attempt {
        failure: failure(status),
        response_status: Some(i32::from(status.as_u16())),
        response_excerpt: Some(excerpt(response).await),
        duration,
    }
}

/// Sends the request, and waits for the head of the response.
async fn exchange(request: Request<'_>, addresses: Addresses) -> Result<Response, OutboundError> {
    let Request { url, body, headers } = request;
    let url = outbound::parse(url, addresses)?;
    let client = outbound::client_for(&url, &|address| outbound::check_address(address, addresses)).await?;
    let mut post = client.post(url).header(header::CONTENT_TYPE, "application/json").body(body);
    for (name, value) in headers {
        post = post.header(name, value);
    }
    post.send().await.map_err(outbound::request_error)
}

fn failure(status: StatusCode) -> Option<String> {
    if status.is_success() {
        return None;
    }
    let code = status.as_u16();
    Some(match status.is_redirection() {
        true => format!("the receiver responded with the redirect {code}, which is not followed"),
        false => format!("the receiver responded with status {code}"),
    })
}

/// Returns the beginning of the response. What cannot be read is left out: the status says what came of the delivery.
async fn excerpt(mut response: Response) -> String {
    let mut bytes = Vec::new();
    let deadline = Instant::now() + EXCERPT_TIMEOUT;
    while bytes.len() < MAX_READ
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await
    {
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&bytes);
    text.chars().filter(|character| *character != '\0').take(MAX_EXCERPT).collect()
}
