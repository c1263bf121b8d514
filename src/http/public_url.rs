//! The URL at which the client of a request reaches the server, for the absolute URLs in its response.
//! Rule: what proxies report is trusted only if there are own proxies; a host that is not one gives no URL.

use axum::http::{HeaderMap, header, request::Parts};

use crate::{config::HttpSettings, graphql::schema::context::PublicUrl};

/// Returns the configured URL, or the scheme and host of the request.
pub fn public_url(parts: &Parts, settings: &HttpSettings) -> PublicUrl {
    if let Some(url) = &settings.public_url {
        return PublicUrl(Some(url.as_str().into()));
    }
    let forwarded = |name: &str| forwarded_value(&parts.headers, name, settings.trusted_proxies);
    let host = forwarded("x-forwarded-host").or_else(|| parts.headers.get(header::HOST)?.to_str().ok());
    // HTTP/2 has the host in the request's target.
    let host = host.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
    let scheme = match forwarded("x-forwarded-proto") {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    };
    PublicUrl(host.filter(|host| is_host(host)).map(|host| format!("{scheme}://{host}").into()))
}

/// Returns what the outermost of the own proxies reported in a header. Each proxy appends a value or replaces those
/// before, so the last `trusted_proxies` values, or all if there are fewer, are theirs.
fn forwarded_value<'a>(headers: &'a HeaderMap, name: &str, trusted_proxies: usize) -> Option<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let values: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let reliable = values.get(values.len().saturating_sub(trusted_proxies)..)?;
    reliable.first().copied().filter(|value| !value.is_empty())
}

/// Returns whether a text is a host name or address, possibly with a port, and nothing else.
fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn forwarded_values_are_those_of_the_own_proxies() {
        for (value, trusted_proxies, expected) in [
            ("a.example", 0, None),
            ("a.example", 1, Some("a.example")),
            ("forged.example, a.example", 1, Some("a.example")),
            ("a.example, b.example", 2, Some("a.example")),
            ("a.example", 2, Some("a.example")),
            ("", 1, None),
        ] {
            let (parts, ()) = Request::builder().header("x-forwarded-host", value).body(()).unwrap().into_parts();
            let found = forwarded_value(&parts.headers, "x-forwarded-host", trusted_proxies);
            assert_eq!(found, expected, "{value} {trusted_proxies}");
        }
    }

    #[test]
    fn only_host_names_and_addresses_are_hosts() {
        for host in ["shop.example", "shop.example:8443", "127.0.0.1:8000", "[::1]:8000", "xn--mnchen-3ya.example"] {
            assert!(is_host(host), "{host}");
        }
        for text in ["", "shop.example/x", "a@shop.example", "shop.example?", "a b", "\"x", "münchen.example"] {
            assert!(!is_host(text), "{text}");
        }
    }
}
