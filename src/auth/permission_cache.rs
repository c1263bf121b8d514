//! What an access token or an API key does not tell: that its session has ended, and what its role gives now.
//! Rule: a register in memory, so that no request asks the database for it; whoever changes such a thing makes their own
//! server catch up at once, and the others do every second.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Duration, Utc};

use super::{ApiKeyCache, AuthMethod, Identity, Permissions, TokenError, Viewer};
use crate::ids::{SessionId, UserId, WebsiteId};

/// News may become visible this much later than they are dated: the longest transaction.
const OVERLAP: Duration = Duration::minutes(2);

/// What a role gives, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What it gives.
    pub permissions: Permissions,
    /// Where; everywhere without.
    pub websites: Option<Arc<[WebsiteId]>>,
}

/// What has changed, as the database tells.
#[derive(Debug)]
pub struct PermissionChanges {
    /// The database's clock.
    pub at: DateTime<Utc>,
    /// Sessions that ended, and when.
    pub ended_sessions: Vec<(SessionId, DateTime<Utc>)>,
    /// Users who got another role: its code, and when.
    pub role_changes: Vec<(UserId, String, DateTime<Utc>)>,
    /// All roles by their codes.
    pub roles: HashMap<String, Grant>,
}

/// The register.
pub struct PermissionCache {
    /// As long as an access token lives, what ended before does not matter any more.
    token_ttl: Duration,
    state: RwLock<State>,
    /// The API keys seen of late.
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
    /// An empty register, for access tokens of this life.
    pub fn new(token_ttl: Duration) -> Self {
        Self { token_ttl, state: RwLock::default(), api_keys: ApiKeyCache::default() }
    }

    /// How far back news matter, before the database's clock.
    pub fn lookback(&self) -> Duration {
        self.token_ttl + OVERLAP
    }

    /// From when on news are wanted; none where all within the [horizon](Self::lookback) are.
    pub fn changes_since(&self) -> Option<DateTime<Utc>> {
        self.read(|state| state.updated_at.map(|updated_at| updated_at - OVERLAP))
    }

    /// Takes news in.
    pub fn apply(&self, changes: PermissionChanges) {
        let oldest = changes.at - self.lookback();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.updated_at = state.updated_at.max(Some(changes.at));
        state.ended_sessions.retain(|_, at| *at > oldest);
        state.ended_sessions.extend(changes.ended_sessions);
        state.role_changes.retain(|_, (_, at)| *at > oldest);
        for (user, role, at) in changes.role_changes {
            // Two readers may come in the wrong order: the later change counts.
            if state.role_changes.get(&user).is_none_or(|(_, known)| *known <= at) {
                state.role_changes.insert(user, (role, at));
            }
        }
        state.roles = changes.roles;
        drop(state);
        self.api_keys.clear();
    }

    /// Whether the register knows this role: a token may be newer than the register.
    pub fn has_role(&self, role: &str) -> bool {
        self.read(|state| state.roles.contains_key(role))
    }

    /// What a role gives now.
    pub fn role_grant(&self, role: &str) -> Option<Grant> {
        self.read(|state| state.roles.get(role).cloned())
    }

    /// The bearer of a token or a key as they are now: never more than it says, and never more than the role gives.
    /// # Errors
    /// [`TokenError::SessionEnded`] where the session has ended.
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

/// The websites that are in both limits; none is no limit.
fn intersect(one: Option<Arc<[WebsiteId]>>, other: Option<Arc<[WebsiteId]>>) -> Option<Arc<[WebsiteId]>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.iter().copied().filter(|website| other.contains(website)).collect()),
        (one, other) => one.or(other),
    }
}
