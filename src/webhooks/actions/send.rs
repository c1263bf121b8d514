//! One HTTP request with a payload.
//! Rule: redirects are failures: the payload is signed for the URL that staff have set.

use std::time::Instant;

use reqwest::{Response, StatusCode, header};
use tokio::time::timeout;

use crate::{
    outbound::{self, Addresses, OutboundError},
    webhooks::model::delivery::{Attempt, MAX_EXCERPT, RESPONSE_TIMEOUT},
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
    let mut attempt = match timeout(RESPONSE_TIMEOUT, exchange(request, addresses)).await {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(error)) => Attempt { failure: Some(error.to_string()), ..Attempt::default() },
        Err(_) => {
            let failure = format!("there was no response within {} s", RESPONSE_TIMEOUT.as_secs());
            Attempt { failure: Some(failure), ..Attempt::default() }
        }
    };
    attempt.duration = started.elapsed();
    attempt
}

async fn exchange(request: Request<'_>, addresses: Addresses) -> Result<Attempt, OutboundError> {
    let Request { url, body, headers } = request;
    let url = outbound::parse(url, addresses)?;
    let client = outbound::connect(&url, &|address| outbound::check_address(address, addresses)).await?;
    let mut post = client.post(url).header(header::CONTENT_TYPE, "application/json").body(body);
    for (name, value) in headers {
        post = post.header(name, value);
    }
    let response = post.send().await.map_err(outbound::request_error)?;
    let status = response.status();
    Ok(Attempt {
        failure: failure(status),
        response_status: Some(i32::from(status.as_u16())),
        response_excerpt: Some(excerpt(response).await),
        ..Attempt::default()
    })
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
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= MAX_READ {
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    text.chars().filter(|character| *character != '\0').take(MAX_EXCERPT).collect()
}
