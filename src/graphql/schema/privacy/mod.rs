//! A person's rights in the graph: everything that is held on them, and erasing it.

use async_graphql::{Context, ID, InputObject, Json};
use souk_macros::object;

use crate::{
    error::Result,
    graphql::{
        engine::{guards::LoginGuard, payload::payload},
        schema::{
            context::ContextExt,
            users::{User, user},
        },
    },
    ids::{RowId, UserId},
    privacy::actions,
};

/// Whom to erase.
#[derive(InputObject)]
pub struct UserEraseInput {
    /// Whom: yourself, or with MANAGE_USERS somebody who holds no more than you.
    id: ID,
    /// Your password, where it is your own account.
    password: Option<String>,
}

payload! {
    /// The answer of `userErase`.
    UserErasePayload {
        /// What is left: an account without a person.
        user: User
    }
}

/// Queries of a person's rights.
#[derive(Default)]
pub struct PrivacyQuery;

#[object]
impl PrivacyQuery {
    /// Everything that is held on a user, for them to take along: account, addresses, sessions, keys, orders with their
    /// lines. Yourself, by an access token; with MANAGE_USERS anybody whom you see; null otherwise. Requires being logged in.
    #[graphql(complexity = 1000, guard = "LoginGuard")]
    async fn user_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose; yours where absent.")] id: Option<ID>,
    ) -> Result<Option<Json<serde_json::Value>>> {
        let id = match id {
            Some(id) => UserId::parse("id", &id)?,
            None => ctx.viewer().require_user()?,
        };
        Ok(actions::export(ctx.db(), ctx.viewer(), id).await?.map(Json))
    }
}

/// Mutations of a person's rights.
#[derive(Default)]
pub struct PrivacyMutation;

#[object]
impl PrivacyMutation {
    /// Takes a person out of their account, for good: name, contacts, addresses, logins and keys go; their orders stay,
    /// without a name, and are counted. Not while an order is under way. Requires being logged in, by an access token.
    #[graphql(guard = "LoginGuard")]
    async fn user_erase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: UserEraseInput,
    ) -> Result<UserErasePayload> {
        let services = ctx.services();
        let erased = async {
            let id = UserId::parse("id", &input.id)?;
            let viewer = ctx.viewer();
            actions::erase(&services.db, &services.passwords, &services.permission_cache, viewer, id, input.password)
                .await
        };
        UserErasePayload::of(erased.await.map(user))
    }
}
