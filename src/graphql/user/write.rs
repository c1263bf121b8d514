//! Mutations of users: registering, logging in, accounts.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject, TypeName};
use chrono::{DateTime, Utc};

use super::{User, user};
use crate::graphql::{
    container::{Ordered, Plain},
    context::ContextExt,
    guards::{LoggedIn, Needs},
    patch,
    payload::{UserError, divide, payload},
    scalars::optional_id,
};
use crate::{
    access::{self, model::NewAccount},
    auth::Permission,
    error::Result,
    ids::{RowId, UserId},
    users::model::UserPatch,
};

/// A new account for yourself.
#[derive(InputObject)]
pub struct RegisterInput {
    /// Name for people, 1 to 255 characters.
    name: String,
    /// E-mail address to log in with, unique in either case.
    email: String,
    /// Password: 10 to 200 characters, not all the same.
    password: String,
    /// Phone number.
    phone: Option<String>,
    /// The website you come from.
    source_website_id: Option<ID>,
}

/// Who logs in.
#[derive(InputObject)]
pub struct LoginInput {
    /// E-mail address, in either case.
    email: String,
    /// Password.
    password: String,
}

/// A new account for somebody else.
#[derive(InputObject)]
pub struct UserCreateInput {
    /// Name for people, 1 to 255 characters.
    name: String,
    /// E-mail address to log in with, unique in either case.
    email: String,
    /// Password: 10 to 200 characters, not all the same; without one the account cannot log in.
    password: Option<String>,
    /// Phone number.
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
    /// Name for people, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// Phone number.
    phone: MaybeUndefined<String>,
    /// E-mail address; for staff only.
    email: MaybeUndefined<String>,
}

/// Which user to deactivate.
#[derive(Debug, InputObject)]
pub struct UserDeactivateInput {
    /// Which user.
    id: ID,
}

payload! {
    /// The answer of `register`.
    RegisterPayload / RegisterObject {
        /// The new account; log in to see it through `me`.
        user: User
    }
}
payload! {
    /// The answer of `userCreate`.
    UserCreatePayload / UserCreateObject {
        /// The new user.
        user: User
    }
}
payload! {
    /// The answer of `userUpdate`.
    UserUpdatePayload / UserUpdateObject {
        /// The user as they are now.
        user: User
    }
}
payload! {
    /// The answer of `userDeactivate`.
    UserDeactivatePayload / UserDeactivateObject {
        /// The user, not active any more.
        user: User
    }
}

/// See [`LoginObject`].
pub type LoginPayload = Ordered<LoginObject>;

/// The answer of `login`.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct LoginObject {
    /// Send it as `Authorization: Bearer <accessToken>`.
    access_token: Option<String>,
    /// From then on the token is refused.
    expires_at: Option<DateTime<Utc>>,
    /// Who logged in.
    user: Option<User>,
    /// The rules that the input broke; empty where you are logged in.
    user_errors: Vec<UserError>,
}

impl TypeName for LoginObject {
    fn type_name() -> std::borrow::Cow<'static, str> {
        "LoginPayload".into()
    }
}

impl Plain for LoginObject {}

/// Mutations of users.
#[derive(Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Makes an account for yourself, with the role `customer`.
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
            access::actions::register(ctx.db(), &ctx.services().passwords, new).await
        };
        RegisterObject::of(registered.await.map(user))
    }

    /// Logs in. An unknown e-mail address, a wrong password and a deactivated account answer the same.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who logs in.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        let services = ctx.services();
        let login =
            access::actions::login(&services.db, &services.passwords, &services.jwt, &input.email, input.password);
        let (login, user_errors) = divide(login.await)?;
        let (access_token, expires_at, who) = match login {
            Some(login) => (Some(login.token.token), Some(login.token.expires_at), Some(user(login.user))),
            None => (None, None, None),
        };
        Ok(Ordered(LoginObject { access_token, expires_at, user: who, user_errors }))
    }

    /// Makes an account for somebody else. Requires MANAGE_USERS.
    #[graphql(guard = "Needs(&[Permission::ManageUsers])")]
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
            access::actions::create_user(ctx.db(), &ctx.services().passwords, ctx.viewer(), new, input.role).await
        };
        UserCreateObject::of(created.await.map(user))
    }

    /// Changes a user: yourself, or with MANAGE_USERS somebody who holds no more than you. Requires being logged in.
    #[graphql(guard = "LoggedIn")]
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
            access::actions::update_user(ctx.db(), ctx.viewer(), id, patch).await
        };
        UserUpdateObject::of(updated.await.map(user))
    }

    /// Deactivates a user: yourself, or with MANAGE_USERS somebody who holds no more than you. They cannot log in any
    /// more; their orders stay. Requires being logged in.
    #[graphql(guard = "LoggedIn")]
    async fn user_deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user.")] input: UserDeactivateInput,
    ) -> Result<UserDeactivatePayload> {
        let deactivated = async {
            let id = UserId::parse("id", &input.id)?;
            access::actions::deactivate_user(ctx.db(), ctx.viewer(), id).await
        };
        UserDeactivateObject::of(deactivated.await.map(user))
    }
}
