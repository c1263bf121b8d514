//! What an access token or an API key does not tell: that its session has ended, and what its role gives now.
//! Rule: a register in memory, so that no request asks the database for it; whoever changes such a thing makes their own
//! server catch up at once, and the others do every second.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Duration, Utc};

use super::{Identity, KnownKeys, Permissions, TokenError, Via, Viewer};
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
pub struct News {
    /// The database's clock.
    pub at: DateTime<Utc>,
    /// Sessions that ended, and when.
    pub ended: Vec<(SessionId, DateTime<Utc>)>,
    /// Users who got another role: its code, and when.
    pub moved: Vec<(UserId, String, DateTime<Utc>)>,
    /// All roles by their codes.
    pub roles: HashMap<String, Grant>,
}

/// The register.
pub struct Live {
    /// As long as an access token lives, what ended before does not matter any more.
    token_life: Duration,
    state: RwLock<State>,
    /// The API keys seen of late.
    pub keys: KnownKeys,
}

#[derive(Default)]
struct State {
    seen: Option<DateTime<Utc>>,
    ended: HashMap<SessionId, DateTime<Utc>>,
    moved: HashMap<UserId, (String, DateTime<Utc>)>,
    roles: HashMap<String, Grant>,
}

impl Live {
    /// An empty register, for access tokens of this life.
    pub fn new(token_life: Duration) -> Self {
        Self { token_life, state: RwLock::default(), keys: KnownKeys::default() }
    }

    /// How far back news matter, before the database's clock.
    pub fn horizon(&self) -> Duration {
        self.token_life + OVERLAP
    }

    /// From when on news are wanted; none where all within the [horizon](Self::horizon) are.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.read(|state| state.seen.map(|seen| seen - OVERLAP))
    }

    /// Takes news in.
    pub fn take(&self, news: News) {
        let oldest = news.at - self.horizon();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.seen = state.seen.max(Some(news.at));
        state.ended.retain(|_, at| *at > oldest);
        state.ended.extend(news.ended);
        state.moved.retain(|_, (_, at)| *at > oldest);
        for (user, role, at) in news.moved {
            // Two readers may come in the wrong order: the later change counts.
            if state.moved.get(&user).is_none_or(|(_, known)| *known <= at) {
                state.moved.insert(user, (role, at));
            }
        }
        state.roles = news.roles;
        drop(state);
        self.keys.forget();
    }

    /// Whether the register knows this role: a token may be newer than the register.
    pub fn knows(&self, role: &str) -> bool {
        self.read(|state| state.roles.contains_key(role))
    }

    /// What a role gives now.
    pub fn grant(&self, role: &str) -> Option<Grant> {
        self.read(|state| state.roles.get(role).cloned())
    }

    /// The bearer of a token or a key as they are now: never more than it says, and never more than the role gives.
    /// # Errors
    /// [`TokenError::Ended`] where the session has ended.
    pub fn admit(&self, mut identity: Identity) -> Result<Viewer, TokenError> {
        self.read(|state| {
            if let Via::Session(session) = identity.via
                && state.ended.contains_key(&session)
            {
                return Err(TokenError::Ended);
            }
            if let Some((role, _)) = state.moved.get(&identity.user) {
                identity.role.clone_from(role);
            }
            match state.roles.get(&identity.role) {
                Some(grant) => {
                    identity.permissions = identity.permissions.and(grant.permissions);
                    identity.websites = both(identity.websites, grant.websites.clone());
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
fn both(one: Option<Arc<[WebsiteId]>>, other: Option<Arc<[WebsiteId]>>) -> Option<Arc<[WebsiteId]>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.iter().copied().filter(|website| other.contains(website)).collect()),
        (one, other) => one.or(other),
    }
}
