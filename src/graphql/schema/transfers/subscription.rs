//! Subscriptions to imports and exports.

use async_graphql::{Context, ID};
use souk_macros::object;

use super::{Transfer, transfer};
use crate::{
    error::Result,
    events::model::Topic,
    graphql::{
        engine::guards::PermissionGuard,
        schema::{
            context::ContextExt,
            subscriptions::{Completion, Phase, event, event_object, missing},
        },
    },
    ids::{RowId, TransferId},
    transfers::runs::model::{Status, TRANSFER_PERMISSIONS},
};

event_object! {
    /// Progress of an import or export.
    TransferProgress {
        /// The import or export, as it is when the event is sent.
        transfer: Transfer,
    }
}

/// Subscription root for imports and exports.
#[derive(Default)]
pub struct TransferSubscription;

#[object]
impl TransferSubscription {
    /// Sends an event whenever an import or export makes progress, and completes when it has ended. `NOT_FOUND` if it is not visible to the
    /// viewer. Requires `MANAGE_PRODUCTS`, `MANAGE_CATALOGUE`, `MANAGE_USERS`, `MANAGE_ORDERS`, `MANAGE_STOCK`,
    /// `MANAGE_REVIEWS` or `MANAGE_WEBSITES`.
    #[graphql(guard = "PermissionGuard(TRANSFER_PERMISSIONS)")]
    async fn transfer_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the import or export.")] id: ID,
        #[graphql(desc = "Send the events after this cursor first.")] after: Option<String>,
    ) -> Result<Option<TransferProgress>> {
        let id = TransferId::parse("id", &id)?;
        let row = ctx.loaders().row(id).await?.ok_or_else(|| missing("import or export"))?;
        let is_up_to_date = after.is_none() || matches!(ctx.data_unchecked::<Phase>(), Phase::Event(_));
        if is_up_to_date && matches!(row.status, Status::Done | Status::Failed) {
            ctx.data_unchecked::<Completion>().complete();
        }
        let Some(event) = event(ctx, [Topic::Transfer(id)], TRANSFER_PERMISSIONS, after)? else { return Ok(None) };
        Ok(Some(TransferProgress { event, transfer: transfer(row) }))
    }
}
