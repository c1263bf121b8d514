//! What people do with their own account by mail: confirming an address, recovering a password, changing either.
//! Rule: an answer never tells whether an address has an account.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    access::actions::{email_change, passwords, verification},
    error::Result,
    graphql::{
        engine::{guards::LoginGuard, payload::payload, scalars::optional_id},
        schema::{
            context::{ContextExt, Services},
            users::{User, user},
        },
    },
};

/// The token of a mail.
#[derive(InputObject)]
pub struct EmailVerifyInput {
    /// The token of the link in the mail.
    token: String,
}

/// Who wants another mail.
#[derive(InputObject)]
pub struct EmailVerificationResendInput {
    /// The address to confirm.
    email: String,
}

/// Who forgot their password.
#[derive(InputObject)]
pub struct PasswordForgotInput {
    /// The address to log in with.
    email: String,
    /// The website that writes the mail; the one they came from where absent.
    website_id: Option<ID>,
}

/// A new password by the token of a mail.
#[derive(InputObject)]
pub struct PasswordResetInput {
    /// The token of the link in the mail.
    token: String,
    /// The new password: 8 to 128 characters, and not easily guessed.
    password: String,
}

/// A new password for yourself.
#[derive(InputObject)]
pub struct PasswordChangeInput {
    /// The current password.
    password: String,
    /// The new one: 8 to 128 characters, and not easily guessed.
    new_password: String,
}

/// Another address for yourself.
#[derive(InputObject)]
pub struct EmailChangeInput {
    /// The new address.
    email: String,
    /// Your password.
    password: String,
}

/// The token of a mail to a new address.
#[derive(InputObject)]
pub struct EmailChangeConfirmInput {
    /// The token of the link in the mail.
    token: String,
}

payload! {
    /// The answer of `emailVerify`.
    EmailVerifyPayload {
        /// Whose address is confirmed.
        user: User
    }
}
payload! {
    /// The answer of `emailVerificationResend`: the same for every address.
    EmailVerificationResendPayload
}
payload! {
    /// The answer of `passwordForgot`: the same for every address.
    PasswordForgotPayload
}
payload! {
    /// The answer of `passwordReset`.
    PasswordResetPayload {
        /// Whose password is new.
        user: User
    }
}
payload! {
    /// The answer of `passwordChange`.
    PasswordChangePayload {
        /// You.
        user: User
    }
}
payload! {
    /// The answer of `emailChange`: the same for every address.
    EmailChangePayload
}
payload! {
    /// The answer of `emailChangeConfirm`.
    EmailChangeConfirmPayload {
        /// Whose address is new.
        user: User
    }
}

/// Mutations of accounts.
#[derive(Default)]
pub struct AccountMutation;

#[object]
impl AccountMutation {
    /// Confirms an e-mail address by the token of a mail, which is good once, for 48 hours.
    async fn email_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: EmailVerifyInput,
    ) -> Result<EmailVerifyPayload> {
        EmailVerifyPayload::of(verification::verify(ctx.db(), &input.token).await.map(user))
    }

    /// Sends the mail to confirm an address again, in place of the one before; at most three an hour. The answer is the same
    /// whether or not there is such an account.
    async fn email_verification_resend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "To whom.")] input: EmailVerificationResendInput,
    ) -> Result<EmailVerificationResendPayload> {
        EmailVerificationResendPayload::of(verification::resend(ctx.db(), ctx.origin(), &input.email).await)
    }

    /// Sends a mail by which a new password can be chosen, in place of the one before; at most three an hour. The answer is
    /// the same whether or not there is such an account.
    async fn password_forgot(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who forgot it.")] input: PasswordForgotInput,
    ) -> Result<PasswordForgotPayload> {
        let requested = async {
            let website = optional_id("websiteId", input.website_id)?;
            passwords::request_reset(ctx.db(), ctx.origin(), &input.email, website).await
        };
        PasswordForgotPayload::of(requested.await)
    }

    /// Sets a new password by the token of a mail, which is good once, for an hour; the one that staff had sent, for seven
    /// days. The address counts as confirmed, every session ends, and a mail tells of it.
    async fn password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token and the new password.")] input: PasswordResetInput,
    ) -> Result<PasswordResetPayload> {
        let Services { db, passwords, permission_cache, .. } = ctx.services();
        let reset = passwords::reset(db, passwords, permission_cache, ctx.origin(), &input.token, input.password).await;
        PasswordResetPayload::of(reset.map(user))
    }

    /// Changes your password. Every session but the present one ends, and a mail tells of it. Requires being logged in, by
    /// an access token.
    #[graphql(guard = "LoginGuard")]
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current password and the new one.")] input: PasswordChangeInput,
    ) -> Result<PasswordChangePayload> {
        let Services { db, passwords, permission_cache, .. } = ctx.services();
        let PasswordChangeInput { password, new_password } = input;
        let changed =
            passwords::change(db, passwords, permission_cache, ctx.viewer(), ctx.origin(), password, new_password)
                .await;
        PasswordChangePayload::of(changed.map(user))
    }

    /// Asks for another e-mail address: a mail goes there, and `emailChangeConfirm` with its token makes it yours. The answer
    /// is the same whether or not the address has an account; if so, its owner is told. Requires being logged in, by an
    /// access token.
    #[graphql(guard = "LoginGuard")]
    async fn email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new address and the password.")] input: EmailChangeInput,
    ) -> Result<EmailChangePayload> {
        let Services { db, passwords, .. } = ctx.services();
        EmailChangePayload::of(
            email_change::request(db, passwords, ctx.viewer(), ctx.origin(), &input.email, input.password).await,
        )
    }

    /// Makes a new e-mail address yours by the token of the mail that went there, which is good once, for 24 hours. A mail to
    /// the old address tells of it, and links that were sent there are void.
    async fn email_change_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: EmailChangeConfirmInput,
    ) -> Result<EmailChangeConfirmPayload> {
        EmailChangeConfirmPayload::of(email_change::confirm(ctx.db(), &input.token).await.map(user))
    }
}
