//! The viewer of a request, their permissions, and the rows they may see.

use std::{fmt, sync::Arc};

use super::secret;
use crate::{
    error::{Error, ErrorCode, Result},
    ids::{ApiKeyId, SessionId, UserId, WebsiteId},
};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:literal => $code:literal;)*) => {
        /// Permissions that the API checks. A user has the permissions of their role.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
        pub enum Permission {$($(#[$doc])* $name,)*}

        impl Permission {
            /// Every permission.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the code used in the database, in tokens and in the GraphQL schema.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// Parses a code; returns `None` if it is unknown.
            pub fn parse(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            fn bit(self) -> u32 {
                match self { $(Self::$name => 1 << $bit),* }
            }
        }
    };
}

permissions! {
    /// Create and update websites.
    ManageWebsites = 0 => "MANAGE_WEBSITES";
    /// View, create, update and deactivate all users.
    ManageUsers = 1 => "MANAGE_USERS";
    /// Create, update and delete categories, brands and suppliers.
    ManageCatalogue = 2 => "MANAGE_CATALOGUE";
    /// Create, update and delete all products.
    ManageProducts = 3 => "MANAGE_PRODUCTS";
    /// Create, update and delete own products, adjust their stock, and view and fulfill the order lines with them.
    SellProducts = 4 => "SELL_PRODUCTS";
    /// Adjust the stock of all products and view the stock ledger.
    ManageStock = 5 => "MANAGE_STOCK";
    /// View and update all orders.
    ManageOrders = 6 => "MANAGE_ORDERS";
    /// Create, update and delete roles, and assign them to users.
    ManageRoles = 7 => "MANAGE_ROLES";
    /// View the audit log.
    ViewAuditLog = 8 => "VIEW_AUDIT_LOG";
    /// Capture, void and refund payments.
    ManagePayments = 9 => "MANAGE_PAYMENTS";
    /// View background jobs, and retry or delete dead ones.
    ManageJobs = 10 => "MANAGE_JOBS";
    /// Approve, reject and delete reviews.
    ManageReviews = 11 => "MANAGE_REVIEWS";
    /// View search analytics.
    ViewAnalytics = 12 => "VIEW_ANALYTICS";
    /// View, create, update and delete webhook subscriptions, and view their deliveries.
    ManageWebhooks = 13 => "MANAGE_WEBHOOKS";
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// Returns whether the set contains the permission.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Returns the permissions that are in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns whether the set contains all permissions of the other set.
    pub fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the permissions in their fixed order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |p| self.contains(*p))
    }

    /// Parses codes; unknown ones (of a newer server) are ignored.
    pub fn from_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        codes.into_iter().filter_map(Permission::parse).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |bits, p| bits | p.bit()))
    }
}

/// How a user is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// An access token of this session.
    Session(SessionId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// The server itself: a command or a job.
    System,
}

/// An authenticated user and their current permissions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The user (`sub`).
    pub user: UserId,
    /// Authentication method; the session is the `sid` of the token.
    pub auth_method: AuthMethod,
    /// Code of the role.
    pub role: String,
    /// Permissions of the user.
    pub permissions: Permissions,
    /// Websites to which the permissions are limited; none for all websites.
    pub websites: Option<Arc<[WebsiteId]>>,
}

/// A guest: the SHA-256 of their cart token. Whoever has the token is the guest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct GuestKey([u8; 32]);

impl GuestKey {
    /// Returns the guest with this token.
    pub fn from_token(token: &str) -> Self {
        Self(secret::hash(token).try_into().unwrap_or_default())
    }

    /// Returns the guest with this hash, as stored in the database; none if it has another length.
    pub fn from_hash(hash: &[u8]) -> Option<Self> {
        hash.try_into().ok().map(Self)
    }

    /// Returns the hash as stored in the database.
    pub fn hash(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for GuestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuestKey(..)")
    }
}

/// The owner of carts: a user, a guest, or both if a guest has just logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: Option<UserId>,
    /// The guest.
    pub guest: Option<GuestKey>,
}

/// The client that sends a request: anonymous, a guest with a cart token, or a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Viewer {
    identity: Option<Identity>,
    guest: Option<GuestKey>,
}

/// The rows that a viewer may see and change. Each store defines what a scope means for its table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Public rows only.
    Public,
    /// The public rows and the user's own.
    Own(UserId),
    /// The public rows and those created with this cart token.
    Guest(GuestKey),
    /// As `Own`, and the rows related to the seller's products. `own` is 0 for an API key, which has no rows of its
    /// own.
    Seller {
        /// The seller.
        seller: UserId,
        /// The user whose own rows are included.
        own: UserId,
    },
    /// As `Own`, and all rows of these websites. The user is 0 for an API key, which has no rows of its own.
    Websites(UserId, Arc<[WebsiteId]>),
    /// All rows.
    All,
}

impl Viewer {
    /// Returns the anonymous viewer.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Returns the viewer for a logged-in user.
    pub fn user(identity: Identity) -> Self {
        Self { identity: Some(identity), guest: None }
    }

    /// Returns the viewer with the cart token of the request.
    #[must_use]
    pub fn with_guest(self, guest: Option<GuestKey>) -> Self {
        Self { guest, ..self }
    }

    /// Returns the owner of the viewer's carts; API keys have none.
    pub fn holder(&self) -> Holder {
        Holder { user: self.account(), guest: self.guest.filter(|_| !self.is_api_key()) }
    }

    /// Returns the owner of the viewer's carts.
    /// # Errors
    /// FORBIDDEN for API keys.
    pub fn require_holder(&self) -> Result<Holder> {
        if self.is_api_key() { Err(forbidden_for_api_keys()) } else { Ok(self.holder()) }
    }

    /// Returns the viewer as a guest; none if the viewer is logged in.
    pub fn guest(&self) -> Option<GuestKey> {
        self.guest.filter(|_| self.identity.is_none())
    }

    /// Returns the viewer for the server itself, which has every permission.
    pub fn system() -> Self {
        Self::user(Identity {
            user: UserId(0),
            auth_method: AuthMethod::System,
            role: "admin".into(),
            permissions: Permission::ALL.iter().copied().collect(),
            websites: None,
        })
    }

    /// Returns the logged-in user, if any.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Returns the id of the logged-in user or of the API key's owner, who is recorded as the author of what the viewer
    /// writes. What the viewer may do and see for themselves depends on [`Viewer::account`].
    pub fn user_id(&self) -> Option<UserId> {
        self.identity.as_ref().map(|identity| identity.user)
    }

    /// Returns the user who acts for themselves: without a permission they order, have carts, addresses, wishlists and
    /// reviews, and see what is theirs. None for API keys, which have their permissions and nothing else of their
    /// owner.
    pub fn account(&self) -> Option<UserId> {
        self.user_id().filter(|_| !self.is_api_key())
    }

    /// Returns the user as the seller of products; none for API keys without [`Permission::SellProducts`].
    pub fn seller_id(&self) -> Option<UserId> {
        self.user_id().filter(|_| !self.is_api_key() || self.can(Permission::SellProducts))
    }

    fn is_api_key(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| matches!(identity.auth_method, AuthMethod::ApiKey(_)))
    }

    /// Returns the viewer's permissions; none for anonymous viewers.
    pub fn permissions(&self) -> Permissions {
        self.identity.as_ref().map(|identity| identity.permissions).unwrap_or_default()
    }

    /// Returns whether the viewer has the permission.
    pub fn can(&self, permission: Permission) -> bool {
        self.permissions().contains(permission)
    }

    /// Returns whether the viewer's permissions include this website; a role can be limited to some websites.
    pub fn can_access_website(&self, website: WebsiteId) -> bool {
        let limit = self.identity.as_ref().and_then(|identity| identity.websites.as_ref());
        limit.is_none_or(|websites| websites.contains(&website))
    }

    /// Returns whether the viewer has the permission for this website.
    pub fn can_at(&self, permission: Permission, website: WebsiteId) -> bool {
        self.can(permission) && self.can_access_website(website)
    }

    /// Returns the ids of the user and the session.
    /// # Errors
    /// Returns UNAUTHENTICATED for anonymous viewers, and FORBIDDEN for API keys, which cannot change the account
    /// itself.
    pub fn require_session(&self) -> Result<(UserId, SessionId)> {
        let identity = self.identity.as_ref().ok_or_else(unauthenticated)?;
        match identity.auth_method {
            AuthMethod::Session(session) => Ok((identity.user, session)),
            AuthMethod::ApiKey(_) | AuthMethod::System => Err(forbidden_for_api_keys()),
        }
    }

    /// Returns the user who acts for themselves; see [`Viewer::account`].
    /// # Errors
    /// Returns UNAUTHENTICATED for anonymous viewers, and FORBIDDEN for API keys.
    pub fn require_account(&self) -> Result<UserId> {
        self.require_user()?;
        self.account().ok_or_else(forbidden_for_api_keys)
    }

    /// Checks that the viewer acts for themselves, or has the permission to do the same for others.
    /// # Errors
    /// Returns UNAUTHENTICATED for anonymous viewers, and FORBIDDEN for API keys without the permission.
    pub fn require_account_or(&self, permission: Permission) -> Result<()> {
        if self.can(permission) { Ok(()) } else { self.require_account().map(|_| ()) }
    }

    /// Returns the id of the logged-in user or of the API key's owner; see [`Viewer::user_id`].
    /// # Errors
    /// Returns UNAUTHENTICATED for anonymous viewers.
    pub fn require_user(&self) -> Result<UserId> {
        self.user_id().ok_or_else(unauthenticated)
    }

    /// Checks that the viewer has at least one of the permissions.
    /// # Errors
    /// Returns UNAUTHENTICATED for anonymous viewers, and FORBIDDEN if the viewer has none of the permissions.
    pub fn require_any(&self, permissions: &[Permission]) -> Result<()> {
        if self.identity.is_none() {
            return Err(unauthenticated());
        }
        if permissions.iter().any(|p| self.can(*p)) {
            return Ok(());
        }
        let names: Vec<_> = permissions.iter().map(|p| p.as_str()).collect();
        Err(Error::Coded(ErrorCode::Forbidden, format!("requires the permission {}", names.join(" or ")).into()))
    }

    /// Returns the rows that the viewer may see, where `all` is the permission for all rows.
    pub fn scope(&self, all: Permission) -> Scope {
        let Some(Identity { user, permissions, websites, .. }) = &self.identity else {
            return self.guest.map_or(Scope::Public, Scope::Guest);
        };
        let own = self.account();
        match websites {
            None if permissions.contains(all) => Scope::All,
            Some(websites) if permissions.contains(all) => Scope::Websites(own.unwrap_or(NOBODY), Arc::clone(websites)),
            _ if permissions.contains(Permission::SellProducts) => {
                Scope::Seller { seller: *user, own: own.unwrap_or(NOBODY) }
            }
            _ => own.map_or(Scope::Public, Scope::Own),
        }
    }
}

/// The id of no user: the ids in the database start at 1.
const NOBODY: UserId = UserId(0);

fn forbidden_for_api_keys() -> Error {
    let rule = "an API key can do only what its permissions allow; log in and send an access token for this operation";
    Error::Coded(ErrorCode::Forbidden, rule.into())
}

fn unauthenticated() -> Error {
    Error::Coded(
        ErrorCode::Unauthenticated,
        "authentication required: send `Authorization: Bearer <accessToken>`, or an API key as `X-API-Key`".into(),
    )
}
