//! Throttling of repeated attempts (login, registration, email requests, lookups of orders).
//! Rule: an attempt is counted in the database before it is made, so that concurrent attempts, in one document or on
//! several servers, all count. Successful and aborted attempts are undone.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    access::{
        model::throttle::{AttemptKind, Counter, KNOWN_NETWORK_PERIOD, ThrottleScope, counter_key, single_address},
        store::{sessions, throttle as store},
    },
    auth::RequestOrigin,
    config::AttemptSettings,
    db::{Conn, Db},
    error::{Error, Result},
    ids::{RowId, UserId},
};

/// An attempt that was counted and allowed.
#[derive(Debug)]
pub struct Attempt(Vec<Counter>);

/// Counts an attempt. `subject` is what it is made on, in normalized form: the email address of an account, or an order
/// number. It is counted whether or not it exists, so that the response reveals nothing.
/// # Errors
/// [`Error::TooManyAttempts`] while a counter is blocked; nothing is counted then.
pub async fn count_attempt(
    db: &Db,
    settings: &AttemptSettings,
    kind: AttemptKind,
    origin: &RequestOrigin,
    subject: Option<&str>,
) -> Result<Attempt> {
    let counters = counters(db, settings, kind, origin, subject).await?;
    if counters.is_empty() {
        return Ok(Attempt(counters));
    }
    let keys = keys(&counters);
    // Blocked attempts are rejected after a read, so that a flood of them takes no transactions from the pool.
    let (until, now) = db.read(async |conn| store::blocked_until(conn, &keys).await).await?;
    check_not_blocked(until, now)?;
    db.transaction(async |conn| {
        let counted = store::increment(conn, &keys, kind.reset_after(settings)).await?;
        for one in &counted {
            // Blocked by a concurrent attempt since the read; the error rolls back all counts.
            check_not_blocked(one.blocked_until, one.now)?;
        }
        let mut blocks = Vec::new();
        for one in &counted {
            let counter = counters.iter().find(|counter| counter.key == one.key);
            if let Some(pause) = counter.and_then(|counter| counter.rule.pause(one.attempts)) {
                blocks.push((one.key.as_str(), one.now + pause));
            }
        }
        if blocks.is_empty() { Ok(()) } else { store::block(conn, &blocks).await }
    })
    .await?;
    Ok(Attempt(counters))
}

/// Returns the counters of an attempt, ordered by key.
async fn counters(
    db: &Db,
    settings: &AttemptSettings,
    kind: AttemptKind,
    origin: &RequestOrigin,
    subject: Option<&str>,
) -> Result<Vec<Counter>> {
    let client_network = origin.address.map(single_address);
    let is_known = match (kind, subject, origin.address) {
        (AttemptKind::Login, Some(account), Some(address)) => is_known(db, account, address).await?,
        _ => false,
    };
    let rules = kind.rules(settings).into_iter();
    // On a known network, attempts on this account from elsewhere do not count.
    let rules = rules.filter(|rule| !(is_known && rule.scope == ThrottleScope::Subject));
    // The attempts of many clients are not counted together.
    let rules = rules.filter(|rule| !(origin.is_exempt && rule.scope == ThrottleScope::Network));
    let mut counters: Vec<_> = rules.filter_map(|rule| rule.counter(client_network.as_deref(), subject)).collect();
    counters.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(counters)
}

/// Returns whether there was a login to this account from this network before.
async fn is_known(db: &Db, account: &str, address: IpAddr) -> Result<bool> {
    let since = Utc::now() - KNOWN_NETWORK_PERIOD;
    let addresses = db.read(async |conn| sessions::addresses_by_email(conn, account, since).await).await?;
    let client_network = single_address(address);
    Ok(addresses.iter().filter_map(|text| text.parse().ok()).any(|known| single_address(known) == client_network))
}

fn check_not_blocked(until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<()> {
    match until.map(|until| until - now).filter(|left| *left > TimeDelta::zero()) {
        // Rounded up to whole seconds, so that the client does not retry too early.
        Some(left) => Err(Error::TooManyAttempts { retry_after: left.num_seconds().unsigned_abs() + 1 }),
        None => Ok(()),
    }
}

fn keys(counters: &[Counter]) -> Vec<&str> {
    counters.iter().map(|counter| counter.key.as_str()).collect()
}

/// Undoes the count of an aborted attempt, within the caller's transaction.
/// # Errors
/// Database errors.
pub async fn undo_attempt(conn: &Conn, attempt: &Attempt) -> Result<()> {
    undo_counts(conn, attempt, &[]).await
}

/// Undoes the count of a successful attempt, within the caller's transaction. Clears the counter of this account on
/// this network; the other counters lose only this attempt, so that a login to one's own account does not clear
/// attempts on other accounts.
/// # Errors
/// Database errors.
pub async fn record_success(conn: &Conn, attempt: &Attempt) -> Result<()> {
    let of_both = attempt.0.iter().filter(|counter| counter.rule.scope == ThrottleScope::Both);
    undo_counts(conn, attempt, &of_both.map(|counter| counter.key.as_str()).collect::<Vec<_>>()).await
}

async fn undo_counts(conn: &Conn, attempt: &Attempt, clear: &[&str]) -> Result<()> {
    let keys = keys(&attempt.0);
    if keys.is_empty() {
        return Ok(());
    }
    store::lock(conn, &keys).await?;
    store::decrement(conn, &keys, clear).await
}

/// Clears the counters of failed logins and password checks of an account, within the caller's transaction; for users
/// who have just reset their password.
/// # Errors
/// Database errors.
pub async fn clear_account(conn: &Conn, origin: &RequestOrigin, user: UserId, email: Option<&str>) -> Result<()> {
    let (client_network, me) = (origin.address.map(single_address), user.to_global_id());
    let counters = [
        counter_key(AttemptKind::Login, ThrottleScope::Both, client_network.as_deref(), email),
        counter_key(AttemptKind::Login, ThrottleScope::Subject, None, email),
        counter_key(AttemptKind::PasswordCheck, ThrottleScope::Subject, None, Some(&me)),
    ];
    store::delete(conn, &counters.iter().flatten().map(String::as_str).collect::<Vec<_>>()).await
}
