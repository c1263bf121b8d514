//! Context of resolvers: the services of the process, and the viewer and loaders of the request.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use async_graphql::{Context, Data};

use crate::{
    access::actions::{cache::refresh_cache, keys, login::LoginContext},
    analytics::recorder::SearchRecorder,
    auth::{Identity, JwtKeys, Passwords, Permission, PermissionCache, RequestOrigin, TokenError, Viewer},
    cache::{Dependencies, Effect, EntityCache, Tag},
    carts::model::Shopper,
    config::{AccountSettings, AttemptSettings, CartSettings, OrderSettings, ReviewSettings},
    db::{Db, recorder::tagged},
    error::{Error, ErrorCode, Result},
    events::actions::feed::EventFeed,
    graphql::{
        engine::{WeakEngine, batching::Dispatcher, response_cache::ResponseCache, shared_loads::SharedLoads},
        schema::{access::cookie::Cookies, entities::Entities, loaders::Loaders},
    },
    ids::WebsiteId,
    media::actions::ImageProcessor,
    money::Currency,
    paging::CursorSeal,
    payments::providers::Providers,
    redis::Redis,
    search::word_cache::WordCache,
    storage::Storage,
    trusted_documents::lookup::TrustedDocuments,
    websites,
};

/// Services shared by all requests of the process.
pub struct Services {
    /// Database.
    pub db: Db,
    /// Password hashing.
    pub passwords: Passwords,
    /// Signing and verification of access tokens.
    pub jwt: JwtKeys,
    /// Current roles, permissions and revocations, which access tokens do not contain.
    pub permission_cache: Arc<PermissionCache>,
    /// Lifetime of a session after its last use.
    pub session_lifetime: chrono::Duration,
    /// Registration and login settings.
    pub accounts: AccountSettings,
    /// Limits of attempts.
    pub attempts: AttemptSettings,
    /// Cart and checkout settings.
    pub selling: CartSettings,
    /// Settings of unpaid orders, and of what a client may hold.
    pub orders: OrderSettings,
    /// Review settings.
    pub reviews: ReviewSettings,
    /// Currency of each website.
    pub currency_cache: CurrencyCache,
    /// Payment providers.
    pub providers: Arc<Providers>,
    /// File storage.
    pub storage: Storage,
    /// Creates the renditions of images.
    pub image_processor: ImageProcessor,
    /// Records searches for analytics.
    pub search_recorder: SearchRecorder,
    /// Words of search queries, taken apart.
    pub word_cache: WordCache,
    /// Seals the cursors of lists whose order depends on what clients may not read.
    pub cursor_seal: CursorSeal,
    /// Loads of concurrent operations.
    pub shared_loads: Arc<SharedLoads<Viewer>>,
    /// Responses that are the same for everyone.
    pub responses: ResponseCache,
    /// Rows that many operations read; none if the cache is turned off.
    pub entities: Option<Arc<EntityCache>>,
    /// Events, for subscriptions.
    pub events: EventFeed,
    /// The documents of the shop's clients.
    pub trusted_documents: TrustedDocuments,
    /// Executes the queries of webhooks; set once it has been created.
    pub engine: OnceLock<WeakEngine>,
    /// What joins several servers; none if it is not set.
    pub redis: Option<Redis>,
}

impl Services {
    /// Returns the services that login and logout need.
    pub fn login_context(&self) -> LoginContext<'_> {
        let Self { db, passwords, jwt, permission_cache, session_lifetime, accounts, attempts, .. } = self;
        LoginContext {
            db,
            passwords,
            jwt,
            cache: permission_cache,
            session_lifetime: *session_lifetime,
            accounts: *accounts,
            attempts,
        }
    }

    /// Returns the viewer of an access token.
    /// # Errors
    /// UNAUTHENTICATED if the token is invalid, expired or revoked; database errors if the permission cache has to be
    /// filled.
    pub async fn viewer_by_token(&self, token: &str) -> Result<Viewer> {
        self.resolve_viewer(self.jwt.verify(token).map_err(unauthenticated)?).await
    }

    /// Returns the viewer of an API key.
    /// # Errors
    /// Same as [`Services::viewer_by_token`].
    pub async fn viewer_by_api_key(&self, key: &str) -> Result<Viewer> {
        let unknown = || Error::Coded(ErrorCode::Unauthenticated, "the API key is unknown, revoked or expired".into());
        self.resolve_viewer(keys::find(&self.db, &self.permission_cache, key).await?.ok_or_else(unknown)?).await
    }

    /// Returns the viewer with an identity, limited to what the role grants now.
    /// # Errors
    /// Same as [`Services::viewer_by_token`].
    pub async fn resolve_viewer(&self, identity: Identity) -> Result<Viewer> {
        if self.permission_cache.changes_since().is_none() || !self.permission_cache.has_role(&identity.role) {
            refresh_cache(&self.db, &self.permission_cache).await?;
        }
        self.permission_cache.authorize(identity).map_err(unauthenticated)
    }
}

fn unauthenticated(error: TokenError) -> Error {
    Error::Coded(ErrorCode::Unauthenticated, error.to_string().into())
}

/// Cache of the currency of each website. Entries never expire, because a website's currency never changes.
#[derive(Default)]
pub struct CurrencyCache(RwLock<HashMap<WebsiteId, Currency>>);

impl CurrencyCache {
    /// Loads the currencies of all existing websites, at most 10,000.
    /// # Errors
    /// Database errors.
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

/// Returns the context data of one request, which has to be executed by [`Dispatcher::run`].
pub fn request_data(viewer: Viewer, origin: RequestOrigin, cookies: Cookies, dispatcher: &Dispatcher) -> Data {
    let mut data = Data::default();
    data.insert(LazyLoaders { loaders: OnceLock::new(), dispatcher: dispatcher.clone() });
    data.insert(viewer);
    data.insert(origin);
    data.insert(cookies);
    data
}

/// The URL at which clients reach the server: the setting, or the scheme and host of the request; none if neither is
/// known.
#[derive(Debug, Clone, Default)]
pub struct PublicUrl(pub Option<Arc<str>>);

/// Loaders of the request, created on first use: many operations need none.
struct LazyLoaders {
    loaders: OnceLock<Loaders>,
    dispatcher: Dispatcher,
}

/// Permissions whose holders see suppliers.
pub const STAFF_PERMISSIONS: &[Permission] =
    &[Permission::ManageCatalogue, Permission::ManageProducts, Permission::SellProducts];

/// Typed access to the context data.
pub trait ContextExt {
    /// Returns the services of the process.
    fn services(&self) -> &Services;
    /// Returns the viewer.
    fn viewer(&self) -> &Viewer;
    /// Returns the origin of the request.
    fn origin(&self) -> &RequestOrigin;
    /// Returns the client that reserves units and places orders.
    fn shopper(&self) -> Shopper;
    /// Returns the request's loaders.
    fn loaders(&self) -> &Loaders;
    /// Returns the database.
    fn db(&self) -> &Db {
        &self.services().db
    }
    /// Runs a read whose result depends on these tags. The response to an operation with another read is not cached.
    fn read_tagged<T>(
        &self,
        tags: impl IntoIterator<Item = Tag>,
        read: impl Future<Output = T>,
    ) -> impl Future<Output = T>;
    /// Notes that the response depends on these tags.
    fn depend_on(&self, tags: impl IntoIterator<Item = Tag>);
    /// Adds what has to happen again, for another request, when the response is taken from a cache. Without a result, the response
    /// is not cached.
    fn repeat_effect(&self, effect: impl FnOnce() -> Option<Effect>);
    /// Notes that the response depends on something without a tag, so that it must not be cached.
    fn depend_on_unknown(&self);
    /// Returns the absolute URL of a path on this server. An absolute URL is returned as it is, and so is a path if the URL
    /// of the server is unknown.
    fn absolute_url(&self, url: String) -> String;
    /// Checks whether the viewer has one of [`STAFF_PERMISSIONS`].
    fn is_staff(&self) -> bool {
        STAFF_PERMISSIONS.iter().any(|permission| self.viewer().can(*permission))
    }
    /// Returns the currency of a website, if it is cached.
    fn cached_currency(&self, website: WebsiteId) -> Option<Currency> {
        self.services().currency_cache.get(website)
    }
    /// Returns the currency of a website.
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

    fn shopper(&self) -> Shopper {
        Shopper::new(self.viewer(), self.origin(), self.services().orders)
    }

    fn loaders(&self) -> &Loaders {
        let LazyLoaders { loaders, dispatcher } = self.data_unchecked();
        loaders.get_or_init(|| {
            let Services { db, shared_loads, .. } = self.services();
            let dependencies = self.data_opt::<Dependencies>().cloned();
            let entities = self.data_opt::<Entities>().cloned();
            let loaders = Loaders::new(dispatcher, db.clone(), Arc::clone(shared_loads), self.viewer());
            loaders.collecting(dependencies).using(entities)
        })
    }

    fn read_tagged<T>(
        &self,
        tags: impl IntoIterator<Item = Tag>,
        read: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        self.depend_on(tags);
        tagged(read)
    }

    fn depend_on(&self, tags: impl IntoIterator<Item = Tag>) {
        if let Some(dependencies) = self.data_opt::<Dependencies>() {
            dependencies.add(tags);
        }
    }

    fn repeat_effect(&self, effect: impl FnOnce() -> Option<Effect>) {
        if let Some(dependencies) = self.data_opt::<Dependencies>() {
            match effect() {
                Some(effect) => dependencies.add_effect(effect),
                None => dependencies.add_unknown(),
            }
        }
    }

    fn depend_on_unknown(&self) {
        if let Some(dependencies) = self.data_opt::<Dependencies>() {
            dependencies.add_unknown();
        }
    }

    fn absolute_url(&self, url: String) -> String {
        let base = self.data_opt::<PublicUrl>().and_then(|PublicUrl(base)| base.as_deref());
        match base {
            Some(base) if url.starts_with('/') => format!("{base}{url}"),
            _ => url,
        }
    }

    async fn currency(&self, website: WebsiteId) -> Result<Currency> {
        if let Some(currency) = self.cached_currency(website) {
            return Ok(currency);
        }
        let row = self.loaders().row(website).await?;
        let currency = row.ok_or_else(|| Error::Internal("row references a missing website".into()))?.currency();
        self.services().currency_cache.insert(website, currency);
        Ok(currency)
    }
}
