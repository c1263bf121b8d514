//! Downloads images from URLs given by users.
//! Rule: each redirect is checked as the URL is; see [`outbound`](crate::outbound).

use std::time::Duration;

use reqwest::{Response, StatusCode, Url, header};

use crate::outbound::{
    AddressCheck, Addresses, OutboundError, check_address, client_for, parse, parse_parts, permanent, request_error,
};

/// Maximum number of redirects.
const MAX_REDIRECTS: usize = 5;
/// Timeout per image, including redirects.
const MAX_TIME: Duration = Duration::from_secs(20);

/// Limits of downloads.
#[derive(Debug, Clone, Copy)]
pub struct FetchPolicy {
    /// Maximum size in bytes.
    pub max_bytes: u64,
    /// Where files may be downloaded from.
    pub addresses: Addresses,
}

/// Downloads the file at a URL.
/// # Errors
/// The reason why it failed.
pub async fn fetch(url: &str, policy: FetchPolicy) -> Result<Vec<u8>, OutboundError> {
    let url = parse(url, policy.addresses)?;
    follow(url, policy.max_bytes, MAX_TIME, &|address| check_address(address, policy.addresses)).await
}

async fn follow(
    url: Url,
    max_bytes: u64,
    max_time: Duration,
    check: AddressCheck<'_>,
) -> Result<Vec<u8>, OutboundError> {
    let late = |_| OutboundError::Transient(format!("the download took longer than {} s", max_time.as_secs()));
    tokio::time::timeout(max_time, follow_redirects(url, max_bytes, check)).await.map_err(late)?
}

async fn follow_redirects(mut url: Url, max_bytes: u64, check: AddressCheck<'_>) -> Result<Vec<u8>, OutboundError> {
    for _ in 0..=MAX_REDIRECTS {
        let response = get(&url, check).await?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = target.ok_or_else(|| permanent("the redirect has no location"))?;
            let target = url.join(target).map_err(|_| permanent("the redirect location is not a URL"))?;
            url = parse_parts(target.as_str())?;
            continue;
        }
        return match status {
            StatusCode::OK => body(response, max_bytes).await,
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(OutboundError::Transient(format!("the server responded with status {}", status.as_u16())))
            }
            status => Err(permanent(format!("the server responded with status {}", status.as_u16()))),
        };
    }
    Err(permanent(format!("more than {MAX_REDIRECTS} redirects")))
}

/// Sends one request to a checked address.
async fn get(url: &Url, check: AddressCheck<'_>) -> Result<Response, OutboundError> {
    let client = client_for(url, check).await?;
    let request =
        client.get(url.clone()).header(header::ACCEPT, "image/webp,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1");
    request.send().await.map_err(request_error)
}

async fn body(mut response: Response, max_bytes: u64) -> Result<Vec<u8>, OutboundError> {
    let too_long = || permanent(format!("the file is larger than {max_bytes} bytes"));
    if response.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    loop {
        let broken = |error: reqwest::Error| {
            OutboundError::Transient(format!("the response was interrupted: {}", error.without_url()))
        };
        let Some(chunk) = response.chunk().await.map_err(broken)? else { return Ok(bytes) };
        if bytes.len() as u64 + chunk.len() as u64 > max_bytes {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
}

#[cfg(test)]
mod tests;
