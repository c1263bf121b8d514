//! The URL at which the client of a request reaches the server, for the absolute URLs in its response.
//! Rule: what proxies report is trusted only if there are own proxies; a host that is not one gives no URL.

use axum::http::{HeaderMap, header, request::Parts};

use crate::{config::HttpSettings, graphql::schema::context::PublicUrl};

/// Returns the configured URL, or the scheme and host of the request.
pub fn public_url(parts: &Parts, settings: &HttpSettings) -> PublicUrl {
    if let Some(url) = &settings.public_url {
        return PublicUrl(Some(url.as_str().into()));
    }
    let (headers, is_behind_proxy) = (&parts.headers, settings.trusted_proxies > 0);
    let forwarded = |name: &str| if is_behind_proxy { last_value(headers, name) } else { None };
    let host = forwarded("x-forwarded-host").or_else(|| headers.get(header::HOST)?.to_str().ok());
    // HTTP/2 has the host in the request's target.
    let host = host.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
    let scheme = match forwarded("x-forwarded-proto") {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    };
    PublicUrl(host.filter(|host| is_host(host)).map(|host| format!("{scheme}://{host}").into()))
}

/// Returns the last value of a header that proxies append to: the one that the own proxy next to the server wrote.
fn last_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim).filter(|value| !value.is_empty())
}

/// Returns whether a text is a host name or address, possibly with a port, and nothing else.
fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}
