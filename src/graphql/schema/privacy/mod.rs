//! Data export and erasure of users (GDPR).

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    error::Result,
    graphql::{
        engine::{guards::LoginGuard, payload::payload, scalars::Json},
        schema::{
            context::{ContextExt, Services},
            users::{User, user},
        },
    },
    ids::{RowId, UserId},
    privacy::actions,
};

/// Input for `userErase`.
#[derive(InputObject)]
pub struct UserEraseInput {
    /// ID of the user to erase: the viewer's own account or, with `MANAGE_USERS`, a user who holds no permission that
    /// the viewer lacks.
    id: ID,
    /// Current password of the viewer. Required to erase the viewer's own account if it has a password.
    password: Option<String>,
}

payload! {
    /// Result of `userErase`.
    UserErasePayload {
        /// The erased user: an account without personal data.
        user: User
    }
}

/// Query root for data export.
#[derive(Default)]
pub struct PrivacyQuery;

#[object]
impl PrivacyQuery {
    /// Exports the data stored about a user as JSON: among others account, addresses, sessions, API keys, orders with
    /// their lines, payments and reviews. Users export all of their own data. `MANAGE_USERS` allows other users visible to
    /// the viewer, with what the viewer may see elsewhere: orders with `MANAGE_ORDERS`, the audit log with
    /// `VIEW_AUDIT_LOG`, and so on, at the websites of the viewer's role. Other sections are null, always the sessions, API
    /// keys and searches. Null if the user is not visible. API keys cannot export their owner's data. Requires login.
    #[graphql(complexity = 1000, guard = "LoginGuard")]
    async fn user_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User to export; defaults to the viewer.")] id: Option<ID>,
    ) -> Result<Option<Json>> {
        let id = match id {
            Some(id) => UserId::parse("id", &id)?,
            None => ctx.viewer().require_user()?,
        };
        Ok(actions::export(ctx.db(), ctx.viewer(), id).await?.map(Json))
    }
}

/// Mutation root for data erasure.
#[derive(Default)]
pub struct PrivacyMutation;

#[object]
impl PrivacyMutation {
    /// Permanently erases a user's personal data: name, contact data, addresses, sessions and API keys. The user's
    /// orders are kept without personal data and still count in reports. Fails while the user has open orders. API keys
    /// cannot be used. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn user_erase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User to erase, and the password for the viewer's own account.")] input: UserEraseInput,
    ) -> Result<UserErasePayload> {
        let Services { db, attempts, passwords, permission_cache, .. } = ctx.services();
        let erased = async {
            let id = UserId::parse("id", &input.id)?;
            actions::erase(db, attempts, passwords, permission_cache, ctx.viewer(), id, input.password).await
        };
        UserErasePayload::of(erased.await.map(user))
    }
}
