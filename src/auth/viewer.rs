//! The viewer of a request, the permissions they hold, and the rows they may see.

use std::{fmt, sync::Arc};

use super::secret;
use crate::{
    error::{Error, ErrorCode, Result},
    ids::{ApiKeyId, SessionId, UserId, WebsiteId},
};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:literal => $code:literal;)*) => {
        /// What the code checks. Roles give permissions to users.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
        pub enum Permission {$($(#[$doc])* $name,)*}

        impl Permission {
            /// Every permission.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code in the database, in tokens and in the graph.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// Reads a code; `None` where it is unknown.
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
    /// Create and change websites.
    ManageWebsites = 0 => "MANAGE_WEBSITES";
    /// See, create, change and deactivate every user.
    ManageUsers = 1 => "MANAGE_USERS";
    /// Create, change and delete categories, brands and suppliers.
    ManageCatalogue = 2 => "MANAGE_CATALOGUE";
    /// Create, change and delete every product.
    ManageProducts = 3 => "MANAGE_PRODUCTS";
    /// Create, change and delete own products, adjust their stock, and see the orders that hold them.
    SellProducts = 4 => "SELL_PRODUCTS";
    /// Adjust the stock of every product and see its ledger.
    ManageStock = 5 => "MANAGE_STOCK";
    /// See and change every order.
    ManageOrders = 6 => "MANAGE_ORDERS";
    /// Create, change and delete roles, and give them to users.
    ManageRoles = 7 => "MANAGE_ROLES";
    /// Read who changed what.
    ViewAuditLog = 8 => "VIEW_AUDIT_LOG";
    /// Capture, void and refund payments.
    ManagePayments = 9 => "MANAGE_PAYMENTS";
    /// See background jobs, run dead ones again, and delete them.
    ManageJobs = 10 => "MANAGE_JOBS";
    /// Approve, reject and delete reviews.
    ManageReviews = 11 => "MANAGE_REVIEWS";
    /// Read what people search and find.
    ViewAnalytics = 12 => "VIEW_ANALYTICS";
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// Whether the set holds this one.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// What both sets hold.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set holds all of the other.
    pub fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The permissions in their fixed order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |p| self.contains(*p))
    }

    /// Reads codes; unknown ones (of a newer server) grant nothing.
    pub fn from_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        codes.into_iter().filter_map(Permission::parse).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |bits, p| bits | p.bit()))
    }
}

/// By what somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// An access token of this session.
    Session(SessionId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// The program itself: a command, a job.
    System,
}

/// A known user and what they may do at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user (`sub`).
    pub user: UserId,
    /// By what they are known (`sid` of a token).
    pub auth_method: AuthMethod,
    /// The role's code.
    pub role: String,
    /// What they may do.
    pub permissions: Permissions,
    /// Where they may do it; everywhere without.
    pub websites: Option<Arc<[WebsiteId]>>,
}

/// A guest: the SHA-256 of the cart token that they send. Whoever has the token is the guest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct GuestKey([u8; 32]);

impl GuestKey {
    /// The guest with this token.
    pub fn from_token(token: &str) -> Self {
        Self(secret::hash(token).try_into().unwrap_or_default())
    }

    /// As the table keeps it.
    pub fn hash(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for GuestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuestKey(..)")
    }
}

/// Whose carts these are: a user's, a guest's, or both of one person who has just logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: Option<UserId>,
    /// The guest.
    pub guest: Option<GuestKey>,
}

/// Who asks: nobody known, a guest with a cart token, or a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    identity: Option<Identity>,
    guest: Option<GuestKey>,
}

/// Which rows a viewer may see and change. Each store says what it means for its table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// What everybody may see.
    Public,
    /// The public rows and the user's own.
    Own(UserId),
    /// The public rows and what was made with this cart token.
    Guest(GuestKey),
    /// As `Own`, and the rows that a seller's products bring with them.
    Seller(UserId),
    /// As `Own`, and every row of these websites.
    Websites(UserId, Arc<[WebsiteId]>),
    /// Every row.
    All,
}

impl Viewer {
    /// Nobody known.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// A logged-in user.
    pub fn user(identity: Identity) -> Self {
        Self { identity: Some(identity), guest: None }
    }

    /// The same, with the cart token that came along.
    #[must_use]
    pub fn with_guest(self, guest: Option<GuestKey>) -> Self {
        Self { guest, ..self }
    }

    /// Whose carts the viewer's are.
    pub fn holder(&self) -> Holder {
        Holder { user: self.user_id(), guest: self.guest }
    }

    /// The viewer as a guest: not where they are logged in.
    pub fn guest(&self) -> Option<GuestKey> {
        self.guest.filter(|_| self.identity.is_none())
    }

    /// The program itself, which may do everything.
    pub fn system() -> Self {
        Self::user(Identity {
            user: UserId(0),
            auth_method: AuthMethod::System,
            role: "admin".into(),
            permissions: Permission::ALL.iter().copied().collect(),
            websites: None,
        })
    }

    /// The logged-in user, if any.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The logged-in user's id, if any.
    pub fn user_id(&self) -> Option<UserId> {
        self.identity.as_ref().map(|identity| identity.user)
    }

    /// The permissions held; none for the anonymous.
    pub fn permissions(&self) -> Permissions {
        self.identity.as_ref().map(|identity| identity.permissions).unwrap_or_default()
    }

    /// Whether the viewer holds the permission.
    pub fn can(&self, permission: Permission) -> bool {
        self.permissions().contains(permission)
    }

    /// Whether what the viewer may do, they may do at this website: a role can be limited to some.
    pub fn can_access_website(&self, website: WebsiteId) -> bool {
        let limit = self.identity.as_ref().and_then(|identity| identity.websites.as_ref());
        limit.is_none_or(|websites| websites.contains(&website))
    }

    /// Whether the viewer holds the permission at this website.
    pub fn can_at(&self, permission: Permission, website: WebsiteId) -> bool {
        self.can(permission) && self.can_access_website(website)
    }

    /// The user's id and session.
    /// # Errors
    /// UNAUTHENTICATED for the anonymous, FORBIDDEN for an API key: what concerns the account itself is for people.
    pub fn require_session(&self) -> Result<(UserId, SessionId)> {
        let identity = self.identity.as_ref().ok_or_else(unauthenticated)?;
        match identity.auth_method {
            AuthMethod::Session(session) => Ok((identity.user, session)),
            AuthMethod::ApiKey(_) | AuthMethod::System => Err(Error::Coded(
                ErrorCode::Forbidden,
                "an API key cannot do this: log in and send an access token".into(),
            )),
        }
    }

    /// The user's id.
    /// # Errors
    /// UNAUTHENTICATED for the anonymous.
    pub fn require_user(&self) -> Result<UserId> {
        self.user_id().ok_or_else(unauthenticated)
    }

    /// # Errors
    /// UNAUTHENTICATED for the anonymous, FORBIDDEN where none of the permissions is held.
    pub fn require_any(&self, permissions: &[Permission]) -> Result<()> {
        if self.identity.is_none() {
            return Err(unauthenticated());
        }
        if permissions.iter().any(|p| self.can(*p)) {
            return Ok(());
        }
        let names: Vec<_> = permissions.iter().map(|p| p.as_str()).collect();
        Err(Error::Coded(ErrorCode::Forbidden, format!("this needs the permission {}", names.join(" or ")).into()))
    }

    /// The rows this viewer may see where `all` is the permission for every row.
    pub fn scope(&self, all: Permission) -> Scope {
        let Some(Identity { user, permissions, websites, .. }) = &self.identity else {
            return self.guest.map_or(Scope::Public, Scope::Guest);
        };
        match websites {
            None if permissions.contains(all) => Scope::All,
            Some(websites) if permissions.contains(all) => Scope::Websites(*user, Arc::clone(websites)),
            _ if permissions.contains(Permission::SellProducts) => Scope::Seller(*user),
            _ => Scope::Own(*user),
        }
    }
}

fn unauthenticated() -> Error {
    Error::Coded(
        ErrorCode::Unauthenticated,
        "log in first: send `Authorization: Bearer <accessToken>`, or an API key as `X-API-Key`".into(),
    )
}
