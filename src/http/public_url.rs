//! The URL at which the client of a request reaches the server, for the absolute URLs in its response, and whether it uses
//! TLS.
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
    let scheme = if is_https(&parts.headers, settings) { "https" } else { "http" };
    PublicUrl(host.filter(|host| is_host(host)).map(|host| format!("{scheme}://{host}").into()))
}

/// Returns whether the client reached the server by TLS: as the own proxies report it, or by the configured URL if they do
/// not.
pub fn is_https(headers: &HeaderMap, settings: &HttpSettings) -> bool {
    match forwarded_value(headers, "x-forwarded-proto", settings.trusted_proxies) {
        Some(scheme) => scheme.eq_ignore_ascii_case("https"),
        None => settings.public_url.as_deref().is_some_and(|url| url.starts_with("https://")),
    }
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
pub fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::config::RateSettings;

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
    fn scheme_is_that_of_the_own_proxies_or_of_the_configured_url() {
        let settings = |trusted_proxies, public_url: Option<&str>| HttpSettings {
            trusted_proxies,
            public_url: public_url.map(ToOwned::to_owned),
            body_limit: 0,
            max_batch: 1,
            timeout: std::time::Duration::ZERO,
            ide: None,
            introspection: None,
            cors_origins: Vec::new(),
            cache_max_age: 0,
            rates: RateSettings::unlimited(),
            uploads: crate::config::UploadSettings::default(),
            subscriptions: crate::config::SubscriptionSettings::default(),
        };
        for (sent, trusted_proxies, public_url, expected) in [
            (Some("https"), 1, None, true),
            (Some("HTTPS"), 1, None, true),
            (Some("http"), 1, Some("https://api.shop.example"), false),
            // Without own proxies, clients could send anything.
            (Some("https"), 0, None, false),
            (Some("http"), 0, Some("https://api.shop.example"), true),
            (None, 1, Some("https://api.shop.example"), true),
            (None, 1, Some("http://127.0.0.1:8000"), false),
            (None, 1, None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(sent) = sent {
                headers.insert("x-forwarded-proto", sent.parse().unwrap());
            }
            let found = is_https(&headers, &settings(trusted_proxies, public_url));
            assert_eq!(found, expected, "{sent:?} {trusted_proxies} {public_url:?}");
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
