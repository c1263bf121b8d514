//! Connection pools.
//! Rule: a connection is established on demand, and not tested at each checkout; whoever finds it closed takes another.

use diesel_async::{
    AsyncPgConnection,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, SetupCallback, deadpool::Pool},
};

use super::settings::DbSettings;
use crate::error::{Error, Result};

/// Creates a pool of at most `size` connections, each established by `setup`.
/// # Errors
/// Returns [`Error::Internal`] if the pool cannot be created.
pub(super) fn build_pool(
    url: &str,
    settings: &DbSettings,
    size: usize,
    setup: SetupCallback<AsyncPgConnection>,
) -> Result<Pool<AsyncPgConnection>> {
    let mut config = ManagerConfig::default();
    // The default, `Verified`, costs a round trip at each checkout.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = setup;
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(settings.connect_timeout))
        .create_timeout(Some(settings.connect_timeout))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| Error::Internal(format!("pool of {size} connections: {error}")))
}
