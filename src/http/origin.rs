//! Where a request came from.
//! Rule: a header says what its sender likes; only what the proxies of the shop itself wrote is believed.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, header, request::Parts},
};

use super::header_names::X_VISITOR_ID;
use crate::auth::RequestOrigin;

/// The origin of a request behind so many proxies of the shop's own.
pub fn origin(parts: &Parts, trusted_proxies: usize) -> RequestOrigin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let address = forwarded_address(&parts.headers, trusted_proxies).or(peer);
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let visitor = parts.headers.get(X_VISITOR_ID).and_then(|value| value.to_str().ok());
    RequestOrigin::new(address, user_agent).with_visitor(visitor)
}

/// Each proxy adds whom it heard from at the end of `X-Forwarded-For`: what stands before the entries of our own proxies
/// was written by anybody.
fn forwarded_address(headers: &HeaderMap, trusted_proxies: usize) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let entry = chain.len().checked_sub(trusted_proxies).filter(|_| trusted_proxies > 0)?;
    let text = chain.get(entry)?;
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}
