//! What resolvers find: the services of the process, and the viewer and loaders of the request.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use async_graphql::{Context, Data};

use crate::{
    access::actions::{keys, live::catch_up, login::Door},
    analytics::recorder::SearchRecorder,
    auth::{Identity, JwtKeys, PermissionCache, RequestOrigin, Passwords, Permission, TokenError, Viewer},
    config::{AccountSettings, ReviewSettings, CartSettings},
    db::Db,
    error::{Error, ErrorCode, Result},
    graphql::{
        engine::batching::Steps,
        schema::{access::cookie::Cookies, loaders::Loaders},
    },
    ids::WebsiteId,
    media::actions::Studio,
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
    pub live: Arc<PermissionCache>,
    /// How long a session lasts after its last use.
    pub session_life: chrono::Duration,
    /// How people get accounts, and who may log in.
    pub accounts: AccountSettings,
    /// How carts become orders.
    pub selling: CartSettings,
    /// Who writes reviews.
    pub reviews: ReviewSettings,
    /// The currency of each website.
    pub currencies: Currencies,
    /// Who moves money.
    pub providers: Arc<Providers>,
    /// Where files are kept.
    pub storage: Storage,
    /// Makes pictures.
    pub studio: Studio,
    /// Takes what people search.
    pub recorder: SearchRecorder,
}

impl Services {
    /// What logging in and out needs.
    pub fn door(&self) -> Door<'_> {
        let Self { db, passwords, jwt, live, session_life, accounts, .. } = self;
        Door { db, passwords, jwt, live, session_life: *session_life, accounts: *accounts }
    }

    /// Who sends this access token.
    /// # Errors
    /// UNAUTHENTICATED where it is not good, any more; those of the database where the register has to be filled.
    pub async fn viewer(&self, token: &str) -> Result<Viewer> {
        self.admit(self.jwt.verify(token).map_err(refused)?).await
    }

    /// Who sends this API key.
    /// # Errors
    /// As [`Services::viewer`].
    pub async fn viewer_of_key(&self, key: &str) -> Result<Viewer> {
        let unknown = || Error::Coded(ErrorCode::Unauthenticated, "the API key is unknown, revoked or expired".into());
        self.admit(keys::find(&self.db, &self.live, key).await?.ok_or_else(unknown)?).await
    }

    async fn admit(&self, identity: Identity) -> Result<Viewer> {
        if self.live.changes_since().is_none() || !self.live.has_role(&identity.role) {
            catch_up(&self.db, &self.live).await?;
        }
        self.live.authorize(identity).map_err(refused)
    }
}

fn refused(error: TokenError) -> Error {
    Error::Coded(ErrorCode::Unauthenticated, error.to_string().into())
}

/// The currency of each website, kept for good: it never changes.
#[derive(Default)]
pub struct Currencies(RwLock<HashMap<WebsiteId, Currency>>);

impl Currencies {
    /// Keeps the currencies of all websites there are, at most 10,000.
    /// # Errors
    /// Those of the database.
    pub async fn fill(&self, db: &Db) -> Result<()> {
        for row in db.read(websites::store::all).await? {
            self.keep(row.id, row.currency());
        }
        Ok(())
    }

    fn get(&self, id: WebsiteId) -> Option<Currency> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    fn keep(&self, id: WebsiteId, currency: Currency) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, currency);
    }
}

/// The data of one request, which [`Steps::run`] has to run.
pub fn request_data(viewer: Viewer, origin: RequestOrigin, cookies: Cookies, steps: &Steps) -> Data {
    let mut data = Data::default();
    data.insert(LazyLoaders { loaders: OnceLock::new(), steps: steps.clone() });
    data.insert(viewer);
    data.insert(origin);
    data.insert(cookies);
    data
}

/// The request's loaders, made when the first one is asked: many operations need none.
struct LazyLoaders {
    loaders: OnceLock<Loaders>,
    steps: Steps,
}

/// Who sees suppliers.
pub const STAFF: &[Permission] = &[Permission::ManageCatalogue, Permission::ManageProducts, Permission::SellProducts];

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
    /// Whether the viewer is one of [`STAFF`].
    fn is_staff(&self) -> bool {
        STAFF.iter().any(|permission| self.viewer().can(*permission))
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
        let LazyLoaders { loaders, steps } = self.data_unchecked();
        loaders.get_or_init(|| Loaders::new(steps, self.db().clone(), self.viewer()))
    }

    async fn currency(&self, website: WebsiteId) -> Result<Currency> {
        let kept = &self.services().currencies;
        if let Some(currency) = kept.get(website) {
            return Ok(currency);
        }
        let row = self.loaders().row(website).await?;
        let currency = row.ok_or_else(|| Error::Internal("a row without its website".into()))?.currency();
        kept.keep(website, currency);
        Ok(currency)
    }
}
