//! Mutations of users: registering, accounts.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use souk_macros::object;

use crate::{
    access::{self, model::NewAccount},
    auth::Permission,
    error::Result,
    graphql::{
        engine::{
            guards::{LoginGuard, PermissionGuard},
            patch,
            payload::payload,
            scalars::optional_id,
        },
        schema::{
            context::{ContextExt, Services},
            users::{User, user},
        },
    },
    ids::{RowId, UserId, WebsiteId},
    users::{self, model::UserPatch},
};

/// A new account for yourself.
#[derive(InputObject)]
pub struct RegisterInput {
    /// Name for people, 1 to 255 characters of one line.
    name: String,
    /// E-mail address to log in with, unique; kept in lower case, its domain in ASCII.
    email: String,
    /// Password: 8 to 128 characters, and not easily guessed.
    password: String,
    /// Phone number with its country code, such as `+44 20 7946 0000`.
    phone: Option<String>,
    /// The website you come from.
    source_website_id: Option<ID>,
}

/// A new account for somebody else.
#[derive(InputObject)]
pub struct UserCreateInput {
    /// Name for people, 1 to 255 characters of one line.
    name: String,
    /// E-mail address to log in with, unique; kept in lower case, its domain in ASCII.
    email: String,
    /// Password: 8 to 128 characters, and not easily guessed; without one the account cannot log in.
    password: Option<String>,
    /// Phone number with its country code, such as `+44 20 7946 0000`.
    phone: Option<String>,
    /// The code of the role; `customer` where absent. Nobody gives a role that holds more than they hold.
    role: Option<String>,
    /// The website they come from.
    source_website_id: Option<ID>,
}

/// A change of a user: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct UserUpdateInput {
    /// Which user.
    id: ID,
    /// Name for people, 1 to 255 characters of one line.
    name: MaybeUndefined<String>,
    /// Phone number with its country code, such as `+44 20 7946 0000`.
    phone: MaybeUndefined<String>,
    /// E-mail address, kept in lower case; for staff only.
    email: MaybeUndefined<String>,
}

/// Which user to let in again.
#[derive(Debug, InputObject)]
pub struct UserReactivateInput {
    /// Which user.
    id: ID,
}

/// Which user to deactivate.
#[derive(Debug, InputObject)]
pub struct UserDeactivateInput {
    /// Which user.
    id: ID,
}

/// A website that knows a user.
#[derive(Debug, InputObject)]
pub struct UserIdentityAddInput {
    /// Which user.
    user_id: ID,
    /// The website; one that knows the user already has to be removed first.
    website_id: ID,
    /// What the website calls them, unique there, 1 to 255 characters.
    external_id: String,
}

/// A website that is to know a user no more.
#[derive(Debug, InputObject)]
pub struct UserIdentityRemoveInput {
    /// Which user.
    user_id: ID,
    /// The website.
    website_id: ID,
}

payload! {
    /// The answer of `register`.
    RegisterPayload {
        /// The new account; log in to see it through `me`. Null where the shop tells the rest by mail.
        user: User
    }
}
payload! {
    /// The answer of `userCreate`.
    UserCreatePayload {
        /// The new user.
        user: User
    }
}
payload! {
    /// The answer of `userUpdate`.
    UserUpdatePayload {
        /// The user as they are now.
        user: User
    }
}
payload! {
    /// The answer of `userReactivate`.
    UserReactivatePayload {
        /// The user, active again.
        user: User
    }
}
payload! {
    /// The answer of `userDeactivate`.
    UserDeactivatePayload {
        /// The user, not active any more.
        user: User
    }
}

payload! {
    /// The answer of `userIdentityAdd`.
    UserIdentityAddPayload {
        /// The user.
        user: User
    }
}
payload! {
    /// The answer of `userIdentityRemove`.
    UserIdentityRemovePayload {
        /// The user.
        user: User
    }
}

/// Mutations of users.
#[derive(Default)]
pub struct UserMutation;

#[object]
impl UserMutation {
    /// Makes an account for yourself, with the role `customer`. A mail asks you to confirm the address (`emailVerify`). Where
    /// the shop keeps to itself who has an account (SOUK_REGISTRATION=private), every registration answers the same.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account to be.")] input: RegisterInput,
    ) -> Result<RegisterPayload> {
        let registered = async {
            let new = NewAccount {
                name: input.name,
                email: input.email,
                phone: input.phone,
                password: Some(input.password),
                source_website: optional_id("sourceWebsiteId", input.source_website_id)?,
            };
            let Services { db, passwords, accounts, .. } = ctx.services();
            access::actions::registration::register(db, passwords, accounts.registration, ctx.origin(), new).await
        };
        RegisterPayload::of(registered.await.map(|registered| registered.map(user)))
    }

    /// Makes an account for somebody else. They get a mail: to choose a password, or to confirm the address where you gave
    /// one. Requires MANAGE_USERS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account to be.")] input: UserCreateInput,
    ) -> Result<UserCreatePayload> {
        let created = async {
            let new = NewAccount {
                name: input.name,
                email: input.email,
                phone: input.phone,
                password: input.password,
                source_website: optional_id("sourceWebsiteId", input.source_website_id)?,
            };
            access::actions::accounts::create_user(ctx.db(), &ctx.services().passwords, ctx.viewer(), new, input.role)
                .await
        };
        UserCreatePayload::of(created.await.map(user))
    }

    /// Changes a user: yourself, or with MANAGE_USERS somebody who holds no more than you. A new e-mail address has to be
    /// confirmed again, and the old one is told. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn user_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UserUpdateInput,
    ) -> Result<UserUpdatePayload> {
        let updated = async {
            let id = UserId::parse("id", &input.id)?;
            let patch = UserPatch {
                name: patch::required("name", input.name)?,
                phone: input.phone.into(),
                email: patch::required("email", input.email)?,
                is_active: None,
            };
            access::actions::accounts::update_user(ctx.db(), ctx.viewer(), id, patch).await
        };
        UserUpdatePayload::of(updated.await.map(user))
    }

    /// Deactivates a user: yourself, or with MANAGE_USERS somebody who holds no more than you. They are logged
    /// out everywhere and cannot log in any more; their orders stay. The last admin stays. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn user_deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user.")] input: UserDeactivateInput,
    ) -> Result<UserDeactivatePayload> {
        let deactivated = async {
            let id = UserId::parse("id", &input.id)?;
            access::actions::accounts::deactivate_user(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id)
                .await
        };
        UserDeactivatePayload::of(deactivated.await.map(user))
    }

    /// Lets a deactivated user in again, who holds no more than you. Requires MANAGE_USERS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_reactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user.")] input: UserReactivateInput,
    ) -> Result<UserReactivatePayload> {
        let reactivated = async {
            let id = UserId::parse("id", &input.id)?;
            access::actions::accounts::reactivate_user(ctx.db(), ctx.viewer(), id).await
        };
        UserReactivatePayload::of(reactivated.await.map(user))
    }

    /// Says that a website knows a user, and what it calls them: imports from there find them by it. Requires MANAGE_USERS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_identity_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is known where, and as what.")] input: UserIdentityAddInput,
    ) -> Result<UserIdentityAddPayload> {
        let added = async {
            let id = UserId::parse("userId", &input.user_id)?;
            let website = WebsiteId::parse("websiteId", &input.website_id)?;
            users::actions::add_identity(ctx.db(), ctx.viewer(), id, website, input.external_id).await
        };
        UserIdentityAddPayload::of(added.await.map(user))
    }

    /// Forgets what a website calls a user. Requires MANAGE_USERS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_identity_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and where.")] input: UserIdentityRemoveInput,
    ) -> Result<UserIdentityRemovePayload> {
        let removed = async {
            let id = UserId::parse("userId", &input.user_id)?;
            let website = WebsiteId::parse("websiteId", &input.website_id)?;
            users::actions::remove_identity(ctx.db(), ctx.viewer(), id, website).await
        };
        UserIdentityRemovePayload::of(removed.await.map(user))
    }
}
