//! The current state behind access tokens and API keys: sessions that have ended, and the permissions of each role.
//! Rule: the state is kept in memory, so that no request queries the database for it. A change takes effect at once on
//! the server that makes it, and within a second on the others.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Duration, Utc};

use super::{ApiKeyCache, AuthMethod, Identity, Permissions, TokenError, Viewer};
use crate::ids::{SessionId, UserId, WebsiteId};

/// A change can become visible this much later than its timestamp says: the duration of the longest transaction.
const OVERLAP: Duration = Duration::minutes(2);

/// The permissions of a role and the websites it is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Permissions of the role.
    pub permissions: Permissions,
    /// Websites the role is limited to; none for no limit.
    pub websites: Option<Arc<[WebsiteId]>>,
}

/// The changes since an earlier time, as read from the database.
#[derive(Debug)]
pub struct PermissionChanges {
    /// Current time of the database.
    pub at: DateTime<Utc>,
    /// Sessions that have ended, and when.
    pub ended_sessions: Vec<(SessionId, DateTime<Utc>)>,
    /// Users whose role changed, with the code of the new role and the time of the change.
    pub role_changes: Vec<(UserId, String, DateTime<Utc>)>,
    /// All roles by code.
    pub roles: HashMap<String, Grant>,
}

/// An in-memory cache of ended sessions, role changes and role permissions.
pub struct PermissionCache {
    /// Lifetime of an access token; older events no longer matter.
    token_ttl: Duration,
    state: RwLock<State>,
    /// Recently used API keys.
    pub api_keys: ApiKeyCache,
}

#[derive(Default)]
struct State {
    updated_at: Option<DateTime<Utc>>,
    ended_sessions: HashMap<SessionId, DateTime<Utc>>,
    role_changes: HashMap<UserId, (String, DateTime<Utc>)>,
    roles: HashMap<String, Grant>,
}

impl PermissionCache {
    /// Creates an empty cache for access tokens with this lifetime.
    pub fn new(token_ttl: Duration) -> Self {
        Self { token_ttl, state: RwLock::default(), api_keys: ApiKeyCache::default() }
    }

    /// Returns how far back changes matter, relative to the database's clock.
    pub fn lookback(&self) -> Duration {
        self.token_ttl + OVERLAP
    }

    /// Returns the time since which changes have to be read; none means all changes within
    /// [`lookback`](Self::lookback).
    pub fn changes_since(&self) -> Option<DateTime<Utc>> {
        self.read(|state| state.updated_at.map(|updated_at| updated_at - OVERLAP))
    }

    /// Applies changes.
    pub fn apply(&self, changes: PermissionChanges) {
        let oldest = changes.at - self.lookback();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.updated_at = state.updated_at.max(Some(changes.at));
        state.ended_sessions.retain(|_, at| *at > oldest);
        state.ended_sessions.extend(changes.ended_sessions);
        state.role_changes.retain(|_, (_, at)| *at > oldest);
        for (user, role, at) in changes.role_changes {
            // Two readers may deliver their changes out of order; the later change wins.
            if state.role_changes.get(&user).is_none_or(|(_, known)| *known <= at) {
                state.role_changes.insert(user, (role, at));
            }
        }
        state.roles = changes.roles;
        drop(state);
        self.api_keys.clear();
    }

    /// Returns whether the cache knows this role; a token may be newer than the cache.
    pub fn has_role(&self, role: &str) -> bool {
        self.read(|state| state.roles.contains_key(role))
    }

    /// Returns the current permissions of a role.
    pub fn role_grant(&self, role: &str) -> Option<Grant> {
        self.read(|state| state.roles.get(role).cloned())
    }

    /// Returns the viewer for a token or key. The viewer's permissions are those of the token or key that the role
    /// still grants.
    /// # Errors
    /// Returns [`TokenError::SessionEnded`] if the session has ended.
    pub fn authorize(&self, mut identity: Identity) -> Result<Viewer, TokenError> {
        self.read(|state| {
            if let AuthMethod::Session(session) = identity.auth_method
                && state.ended_sessions.contains_key(&session)
            {
                return Err(TokenError::SessionEnded);
            }
            if let Some((role, _)) = state.role_changes.get(&identity.user) {
                identity.role.clone_from(role);
            }
            match state.roles.get(&identity.role) {
                Some(grant) => {
                    identity.permissions = identity.permissions.intersection(grant.permissions);
                    identity.websites = intersect(identity.websites, grant.websites.clone());
                }
                None => identity.permissions = Permissions::default(),
            }
            Ok(Viewer::user(identity))
        })
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the websites that both limits include; none means no limit.
fn intersect(one: Option<Arc<[WebsiteId]>>, other: Option<Arc<[WebsiteId]>>) -> Option<Arc<[WebsiteId]>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.iter().copied().filter(|website| other.contains(website)).collect()),
        (one, other) => one.or(other),
    }
}
