//! Mutations of users: registration, accounts and identities at websites.

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

/// Input for `register`.
#[derive(InputObject)]
pub struct RegisterInput {
    /// Full name, 1 to 255 characters, on one line.
    name: String,
    /// Unique email address to log in with; stored in lower case, its domain in ASCII.
    email: String,
    /// Password, 8 to 128 characters, not easily guessed.
    password: String,
    /// Phone number with country code, such as `+44 20 7946 0000`.
    phone: Option<String>,
    /// ID of the website where the user registers.
    source_website_id: Option<ID>,
}

/// Input for `userCreate`.
#[derive(InputObject)]
pub struct UserCreateInput {
    /// Full name, 1 to 255 characters, on one line.
    name: String,
    /// Unique email address to log in with; stored in lower case, its domain in ASCII.
    email: String,
    /// Password, 8 to 128 characters, not easily guessed. If omitted, the user cannot log in until a password is set.
    password: Option<String>,
    /// Phone number with country code, such as `+44 20 7946 0000`.
    phone: Option<String>,
    /// Code of the role. Default: `customer`. The role must not hold permissions that the viewer lacks.
    role: Option<String>,
    /// ID of the website where the user originates.
    source_website_id: Option<ID>,
}

/// Input for `userUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct UserUpdateInput {
    /// ID of the user.
    id: ID,
    /// Full name, 1 to 255 characters, on one line.
    name: MaybeUndefined<String>,
    /// Phone number with country code, such as `+44 20 7946 0000`.
    phone: MaybeUndefined<String>,
    /// Email address, stored in lower case. Can be changed with `MANAGE_USERS` only; users change their own with
    /// `emailChange`.
    email: MaybeUndefined<String>,
}

/// Input for `userReactivate`.
#[derive(Debug, InputObject)]
pub struct UserReactivateInput {
    /// ID of the user.
    id: ID,
}

/// Input for `userDeactivate`.
#[derive(Debug, InputObject)]
pub struct UserDeactivateInput {
    /// ID of the user.
    id: ID,
}

/// Input for `userIdentityAdd`.
#[derive(Debug, InputObject)]
pub struct UserIdentityAddInput {
    /// ID of the user.
    user_id: ID,
    /// ID of the website. An existing identity at this website must be removed first.
    website_id: ID,
    /// External ID of the user at the website, unique there, 1 to 255 characters.
    external_id: String,
}

/// Input for `userIdentityRemove`.
#[derive(Debug, InputObject)]
pub struct UserIdentityRemoveInput {
    /// ID of the user.
    user_id: ID,
    /// ID of the website.
    website_id: ID,
}

payload! {
    /// Result of `register`.
    RegisterPayload {
        /// The new user; log in to see it in `me`. Null if the shop keeps registrations private and informs the user by
        /// email.
        user: User
    }
}
payload! {
    /// Result of `userCreate`.
    UserCreatePayload {
        /// The new user.
        user: User
    }
}
payload! {
    /// Result of `userUpdate`.
    UserUpdatePayload {
        /// The updated user.
        user: User
    }
}
payload! {
    /// Result of `userReactivate`.
    UserReactivatePayload {
        /// The user, who is active again.
        user: User
    }
}
payload! {
    /// Result of `userDeactivate`.
    UserDeactivatePayload {
        /// The user, who is no longer active.
        user: User
    }
}

payload! {
    /// Result of `userIdentityAdd`.
    UserIdentityAddPayload {
        /// The updated user.
        user: User
    }
}
payload! {
    /// Result of `userIdentityRemove`.
    UserIdentityRemovePayload {
        /// The updated user.
        user: User
    }
}

/// Mutation root for users.
#[derive(Default)]
pub struct UserMutation;

#[object]
impl UserMutation {
    /// Creates an account with the role `customer` for the viewer. An email asks the user to confirm the address
    /// (`emailVerify`). On a server with private registration, the response does not reveal whether the email address is
    /// already registered.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name, email address and password of the account.")] input: RegisterInput,
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

    /// Creates an account for another user. An email asks the user to choose a password or, if one was given, to
    /// confirm the address. Requires `MANAGE_USERS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User to create.")] input: UserCreateInput,
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

    /// Updates a user. Users can update themselves; `MANAGE_USERS` allows users who hold no permission that the viewer
    /// lacks. A new email address must be confirmed, and the old address is notified. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn user_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User and the fields to change.")] input: UserUpdateInput,
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

    /// Deactivates a user, who is logged out everywhere and can no longer log in; orders are kept. Users can deactivate
    /// themselves; `MANAGE_USERS` allows users who hold no permission that the viewer lacks. The last admin cannot be
    /// deactivated. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn user_deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User to deactivate.")] input: UserDeactivateInput,
    ) -> Result<UserDeactivatePayload> {
        let deactivated = async {
            let id = UserId::parse("id", &input.id)?;
            access::actions::accounts::deactivate_user(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id)
                .await
        };
        UserDeactivatePayload::of(deactivated.await.map(user))
    }

    /// Reactivates a deactivated user, who must hold no permission that the viewer lacks. Requires `MANAGE_USERS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_reactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User to reactivate.")] input: UserReactivateInput,
    ) -> Result<UserReactivatePayload> {
        let reactivated = async {
            let id = UserId::parse("id", &input.id)?;
            access::actions::accounts::reactivate_user(ctx.db(), ctx.viewer(), id).await
        };
        UserReactivatePayload::of(reactivated.await.map(user))
    }

    /// Records a user's external ID at a website, by which imports from there find the user. Requires `MANAGE_USERS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_identity_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User, website and external ID.")] input: UserIdentityAddInput,
    ) -> Result<UserIdentityAddPayload> {
        let added = async {
            let id = UserId::parse("userId", &input.user_id)?;
            let website = WebsiteId::parse("websiteId", &input.website_id)?;
            users::actions::add_identity(ctx.db(), ctx.viewer(), id, website, input.external_id).await
        };
        UserIdentityAddPayload::of(added.await.map(user))
    }

    /// Removes a user's external ID at a website. Requires `MANAGE_USERS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_identity_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User and website.")] input: UserIdentityRemoveInput,
    ) -> Result<UserIdentityRemovePayload> {
        let removed = async {
            let id = UserId::parse("userId", &input.user_id)?;
            let website = WebsiteId::parse("websiteId", &input.website_id)?;
            users::actions::remove_identity(ctx.db(), ctx.viewer(), id, website).await
        };
        UserIdentityRemovePayload::of(removed.await.map(user))
    }
}
