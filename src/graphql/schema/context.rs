//! What resolvers find: the services of the process, and the viewer and loaders of the request.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use async_graphql::{Context, Data};

use crate::{
    access::actions::{cache::refresh_cache, keys, login::LoginContext},
    analytics::recorder::SearchRecorder,
    auth::{Identity, JwtKeys, Passwords, Permission, PermissionCache, RequestOrigin, TokenError, Viewer},
    config::{AccountSettings, CartSettings, ReviewSettings},
    db::Db,
    error::{Error, ErrorCode, Result},
    graphql::{
        engine::batching::Dispatcher,
        schema::{access::cookie::Cookies, loaders::Loaders},
    },
    ids::WebsiteId,
    media::actions::ImageProcessor,
    money::Currency,
    payments::providers::Providers,
    storage::Storage,
    websites,
};

/// What lives as long as the process.
pub struct Services {
    /// The database.
    pub db: Db,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Signs and checks access tokens.
    pub jwt: JwtKeys,
    /// What access tokens do not tell.
    pub permission_cache: Arc<PermissionCache>,
    /// How long a session lasts after its last use.
    pub session_lifetime: chrono::Duration,
    /// How people get accounts, and who may log in.
    pub accounts: AccountSettings,
    /// How carts become orders.
    pub selling: CartSettings,
    /// Who writes reviews.
    pub reviews: ReviewSettings,
    /// The currency of each website.
    pub currency_cache: CurrencyCache,
    /// Who moves money.
    pub providers: Arc<Providers>,
    /// Where files are kept.
    pub storage: Storage,
    /// Makes pictures.
    pub image_processor: ImageProcessor,
    /// Takes what people search.
    pub search_recorder: SearchRecorder,
}

impl Services {
    /// What logging in and out needs.
    pub fn login_context(&self) -> LoginContext<'_> {
        let Self { db, passwords, jwt, permission_cache, session_lifetime, accounts, .. } = self;
        LoginContext {
            db,
            passwords,
            jwt,
            cache: permission_cache,
            session_lifetime: *session_lifetime,
            accounts: *accounts,
        }
    }

    /// Who sends this access token.
    /// # Errors
    /// UNAUTHENTICATED where it is not good, any more; those of the database where the register has to be filled.
    pub async fn viewer_by_token(&self, token: &str) -> Result<Viewer> {
        self.resolve_viewer(self.jwt.verify(token).map_err(unauthenticated)?).await
    }

    /// Who sends this API key.
    /// # Errors
    /// As [`Services::viewer_by_token`].
    pub async fn viewer_by_api_key(&self, key: &str) -> Result<Viewer> {
        let unknown = || Error::Coded(ErrorCode::Unauthenticated, "the API key is unknown, revoked or expired".into());
        self.resolve_viewer(keys::find(&self.db, &self.permission_cache, key).await?.ok_or_else(unknown)?).await
    }

    async fn resolve_viewer(&self, identity: Identity) -> Result<Viewer> {
        if self.permission_cache.changes_since().is_none() || !self.permission_cache.has_role(&identity.role) {
            refresh_cache(&self.db, &self.permission_cache).await?;
        }
        self.permission_cache.authorize(identity).map_err(unauthenticated)
    }
}

fn unauthenticated(error: TokenError) -> Error {
    Error::Coded(ErrorCode::Unauthenticated, error.to_string().into())
}

/// The currency of each website, kept for good: it never changes.
#[derive(Default)]
pub struct CurrencyCache(RwLock<HashMap<WebsiteId, Currency>>);

impl CurrencyCache {
    /// Keeps the currencies of all websites there are, at most 10,000.
    /// # Errors
    /// Those of the database.
    pub async fn preload(&self, db: &Db) -> Result<()> {
        for row in db.read(websites::store::all).await? {
            self.insert(row.id, row.currency());
        }
        Ok(())
    }

    fn get(&self, id: WebsiteId) -> Option<Currency> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    fn insert(&self, id: WebsiteId, currency: Currency) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, currency);
    }
}

/// The data of one request, which [`Dispatcher::run`] has to run.
pub fn request_data(viewer: Viewer, origin: RequestOrigin, cookies: Cookies, dispatcher: &Dispatcher) -> Data {
    let mut data = Data::default();
    data.insert(LazyLoaders { loaders: OnceLock::new(), dispatcher: dispatcher.clone() });
    data.insert(viewer);
    data.insert(origin);
    data.insert(cookies);
    data
}

/// The request's loaders, made when the first one is asked: many operations need none.
struct LazyLoaders {
    loaders: OnceLock<Loaders>,
    dispatcher: Dispatcher,
}

/// Who sees suppliers.
pub const STAFF_PERMISSIONS: &[Permission] =
    &[Permission::ManageCatalogue, Permission::ManageProducts, Permission::SellProducts];

/// Short ways to the above.
pub trait ContextExt {
    /// The services of the process.
    fn services(&self) -> &Services;
    /// Who asks.
    fn viewer(&self) -> &Viewer;
    /// Where the request came from.
    fn origin(&self) -> &RequestOrigin;
    /// The request's loaders.
    fn loaders(&self) -> &Loaders;
    /// The database.
    fn db(&self) -> &Db {
        &self.services().db
    }
    /// Whether the viewer is one of [`STAFF_PERMISSIONS`].
    fn is_staff(&self) -> bool {
        STAFF_PERMISSIONS.iter().any(|permission| self.viewer().can(*permission))
    }
    /// The currency of a website.
    fn currency(&self, website: WebsiteId) -> impl Future<Output = Result<Currency>> + Send;
}

impl ContextExt for Context<'_> {
    fn services(&self) -> &Services {
        self.data_unchecked::<Arc<Services>>()
    }

    fn viewer(&self) -> &Viewer {
        self.data_unchecked::<Viewer>()
    }

    fn origin(&self) -> &RequestOrigin {
        self.data_unchecked::<RequestOrigin>()
    }

    fn loaders(&self) -> &Loaders {
        let LazyLoaders { loaders, dispatcher } = self.data_unchecked();
        loaders.get_or_init(|| Loaders::new(dispatcher, self.db().clone(), self.viewer()))
    }

    async fn currency(&self, website: WebsiteId) -> Result<Currency> {
        let cache = &self.services().currency_cache;
        if let Some(currency) = cache.get(website) {
            return Ok(currency);
        }
        let row = self.loaders().row(website).await?;
        let currency = row.ok_or_else(|| Error::Internal("a row without its website".into()))?.currency();
        cache.insert(website, currency);
        Ok(currency)
    }
}
