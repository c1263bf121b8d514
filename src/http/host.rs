//! The `Host` header, which names the server that the client means.
//! Rule: a request has exactly one, as RFC 9112 requires; proxies and servers that each choose another of several would
//! disagree on the host of a request.

use axum::{
    extract::Request,
    http::{HeaderMap, Uri, Version, header},
};

use super::{public_url::is_host, rejection::Rejection};

/// Rejects a request without a valid host.
/// # Errors
/// 400 with the reason.
pub fn require_host(request: &Request) -> Result<(), Rejection> {
    check(request.version(), request.uri(), request.headers()).map_err(Rejection::bad_request)
}

fn check(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().filter(|host| is_host(host)).ok_or("the Host header is invalid")?,
        // HTTP/1.0 has no such header.
        (None, _) if version < Version::HTTP_11 => return Ok(()),
        (None, _) => return Err("the Host header is missing"),
        (Some(_), Some(_)) => return Err("there must be only one Host header"),
    };
    match uri.authority() {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(host) => {
            Err("the Host header must be equal to the host of the request's target")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn request_has_one_valid_host() {
        let check = |version, target: &str, hosts: &[&str]| {
            let request = hosts.iter().fold(Request::get(target), |request, host| request.header(header::HOST, *host));
            let (parts, ()) = request.version(version).body(()).unwrap().into_parts();
            check(parts.version, &parts.uri, &parts.headers).is_ok()
        };
        let (http10, http11) = (Version::HTTP_10, Version::HTTP_11);
        for (version, target, hosts, expected) in [
            (http11, "/", &["shop.example"] as &[_], true),
            (http11, "/", &["[::1]:8000"], true),
            (http11, "http://shop.example/", &["SHOP.example"], true),
            (http11, "/", &[], false),
            (http10, "/", &[], true),
            (http11, "/", &["shop.example", "shop.example"], false),
            (http10, "/", &["shop.example", "other.example"], false),
            (http11, "/", &[""], false),
            (http11, "/", &["shop.example, other.example"], false),
            (http11, "/", &["shop.example/path"], false),
            (http11, "/", &["user@shop.example"], false),
            (http11, "http://other.example/", &["shop.example"], false),
        ] {
            assert_eq!(check(version, target, hosts), expected, "{version:?} {target} {hosts:?}");
        }
    }
}
