//! Mutations of users: registration, accounts and identities at websites.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    access::{self, actions::registration, model::NewAccount},
    auth::Permission,
    carts::model::CartMergeStatus,
    error::Result,
    graphql::{
        engine::{
            cost::PASSWORD,
            guards::{LoginGuard, PermissionGuard},
            patch,
            payload::{UserError, payload, payload_object, split_user_errors},
            scalars::optional_id,
        },
        schema::{
            access::tokens::{DeliveredTokens, deliver},
            carts::{self, Cart},
            context::ContextExt,
            users::{User, user},
        },
    },
    ids::{CodeOrId, RowId, UserId, WebsiteId},
    users::model::UserPatch,
};

/// Input for `register`.
#[derive(InputObject)]
pub struct RegisterInput {
    /// Full name, 1 to 255 characters, on one line. Must not contain a URL.
    name: String,
    /// Unique email address to log in with; stored in lower case, its domain in ASCII.
    email: String,
    /// Password, 8 to 128 characters, not easily guessed.
    password: String,
    /// Phone number with country code, such as `+44 20 7946 0000`.
    phone: Option<String>,
    /// ID of the website where the user registers.
    source_website_id: Option<ID>,
    /// Whether to return the refresh token as a cookie instead of in the response, as `login` does.
    #[graphql(default)]
    refresh_cookie: bool,
}

/// Input for `userCreate`.
#[derive(InputObject)]
pub struct UserCreateInput {
    /// Full name, 1 to 255 characters, on one line. Must not contain a URL.
    name: String,
    /// Unique email address to log in with; stored in lower case, its domain in ASCII.
    email: String,
    /// Password, 8 to 128 characters, not easily guessed. If omitted, the user cannot log in until a password is set. A viewer
    /// whose role is limited to certain websites cannot set it.
    password: Option<String>,
    /// Phone number with country code, such as `+44 20 7946 0000`.
    phone: Option<String>,
    /// Code or ID of the role. Default: `customer`. The role must not hold permissions that the viewer lacks.
    role: Option<String>,
    /// ID of the website where the user originates.
    source_website_id: Option<ID>,
}

/// Input for `userUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct UserUpdateInput {
    /// ID of the user.
    id: ID,
    /// Full name, 1 to 255 characters, on one line. Must not contain a URL.
    name: MaybeUndefined<String>,
    /// Phone number with country code, such as `+44 20 7946 0000`.
    phone: MaybeUndefined<String>,
    /// Email address, stored in lower case. Can be changed with `MANAGE_USERS` only; users change their own with
    /// `emailChange`. If the viewer's role is limited to certain websites, the address of an account changes when the owner of
    /// the new address confirms it.
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

payload_object! {
    /// Result of `register`. If the shop keeps registrations private and informs the user by email, all fields are null. If
    /// the shop requires a verified email address for a login, only `user` is not null.
    RegisterPayload {
        /// The new user.
        user: Option<User>,
        /// Access token of the user's first session, to be sent as `Authorization: Bearer <accessToken>`.
        access_token: Option<String>,
        /// Token for one `tokenRefresh`; null if it is returned as a cookie.
        refresh_token: Option<String>,
        /// When the access token expires (UTC).
        expires_at: Option<DateTime<Utc>>,
        /// The user's cart, which has the lines of the guest's cart whose token was sent in `X-Cart-Token`; null without
        /// one.
        cart: Option<Cart>,
        /// Whether the guest's cart whose token was sent in `X-Cart-Token` was merged. Null if the user was not logged in:
        /// the guest's cart is unchanged then, and the first `login` with its token merges it.
        cart_merge_status: Option<CartMergeStatus>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
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
    /// Creates an account with the role `customer` and logs the user in on this device, as `login` does. The guest's cart
    /// whose token is sent in `X-Cart-Token` becomes the user's cart. An email asks the user to confirm the address
    /// (`emailVerify`); on a server that requires a verified address for a login, the user has to log in after that. On a
    /// server with private registration, the response does not reveal whether the email address is already registered.
    #[graphql(complexity = "PASSWORD + child_complexity")]
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name, email address and password of the account.")] input: RegisterInput,
    ) -> Result<RegisterPayload> {
        let refresh_cookie = input.refresh_cookie;
        let registered = async {
            let new = NewAccount {
                name: input.name,
                email: input.email,
                phone: input.phone,
                password: Some(input.password),
                source_website: optional_id("sourceWebsiteId", input.source_website_id)?,
            };
            registration::register(ctx.services().login_context(), ctx.origin(), new).await
        };
        let (registered, user_errors) = split_user_errors(registered.await)?;
        let (new_user, tokens) = registered.flatten().map(|new| (new.user, new.tokens)).unzip();
        let tokens = tokens.flatten();
        let after = match &new_user {
            // Until the user can log in, the cart stays the guest's.
            Some(row) if tokens.is_some() => Some(carts::merge_guest_cart(ctx, row.id).await),
            _ => None,
        };
        let (cart, cart_merge_status) = after.map(|after| (after.cart, after.merge_status)).unzip();
        let DeliveredTokens { access_token, refresh_token, expires_at } = deliver(ctx, tokens, refresh_cookie);
        Ok(RegisterPayload {
            user: new_user.map(user),
            access_token,
            refresh_token,
            expires_at,
            cart: cart.flatten(),
            cart_merge_status,
            user_errors,
        })
    }

    /// Creates an account for another user. An email asks the user to choose a password or, if one was given, to
    /// confirm the address. If the viewer's role is limited to certain websites, `TAKEN` refers to the users of these websites
    /// only. Requires `MANAGE_USERS`.
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
            let role = input.role.as_deref().map(CodeOrId::new);
            access::actions::accounts::create_user(ctx.db(), &ctx.services().passwords, ctx.viewer(), new, role).await
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

    /// Records a user's external ID at a website, by which imports from there find the user, who must hold no permission that the
    /// viewer lacks. Requires `MANAGE_USERS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_identity_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User, website and external ID.")] input: UserIdentityAddInput,
    ) -> Result<UserIdentityAddPayload> {
        let added = async {
            let id = UserId::parse("userId", &input.user_id)?;
            let website = WebsiteId::parse("websiteId", &input.website_id)?;
            access::actions::identities::add_identity(ctx.db(), ctx.viewer(), id, website, input.external_id).await
        };
        UserIdentityAddPayload::of(added.await.map(user))
    }

    /// Removes the external ID at a website of a user who holds no permission that the viewer lacks. Requires `MANAGE_USERS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageUsers])")]
    async fn user_identity_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User and website.")] input: UserIdentityRemoveInput,
    ) -> Result<UserIdentityRemovePayload> {
        let removed = async {
            let id = UserId::parse("userId", &input.user_id)?;
            let website = WebsiteId::parse("websiteId", &input.website_id)?;
            access::actions::identities::remove_identity(ctx.db(), ctx.viewer(), id, website).await
        };
        UserIdentityRemovePayload::of(removed.await.map(user))
    }
}
