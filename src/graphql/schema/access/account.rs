//! Account recovery and changes: email verification, password reset, password change, email change.
//! Rule: a response never reveals whether an email address has an account.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    access::actions::{email_change, passwords, verification},
    error::Result,
    graphql::{
        engine::{cost::PASSWORD, guards::LoginGuard, payload::payload, scalars::optional_id},
        schema::{
            context::{ContextExt, Services},
            users::{User, user},
        },
    },
};

/// Input for `emailVerify`.
#[derive(InputObject)]
pub struct EmailVerifyInput {
    /// Token from the link in the email.
    token: String,
}

/// Input for `emailVerificationResend`.
#[derive(InputObject)]
pub struct EmailVerificationResendInput {
    /// Email address to verify.
    email: String,
}

/// Input for `passwordForgot`.
#[derive(InputObject)]
pub struct PasswordForgotInput {
    /// Email address of the account.
    email: String,
    /// Website in whose name the email is sent; defaults to the website of the user's account.
    website_id: Option<ID>,
}

/// Input for `passwordReset`.
#[derive(InputObject)]
pub struct PasswordResetInput {
    /// Token from the link in the email.
    token: String,
    /// New password, 8 to 128 characters. Passwords that are easy to guess are rejected.
    password: String,
}

/// Input for `passwordChange`.
#[derive(InputObject)]
pub struct PasswordChangeInput {
    /// Current password.
    password: String,
    /// New password, 8 to 128 characters. Passwords that are easy to guess are rejected.
    new_password: String,
}

/// Input for `emailChange`.
#[derive(InputObject)]
pub struct EmailChangeInput {
    /// New email address.
    email: String,
    /// The viewer's current password.
    password: String,
}

/// Input for `emailChangeConfirm`.
#[derive(InputObject)]
pub struct EmailChangeConfirmInput {
    /// Token from the link in the email to the new address.
    token: String,
}

payload! {
    /// Result of `emailVerify`.
    EmailVerifyPayload {
        /// The user whose email address was verified.
        user: User
    }
}
payload! {
    /// Result of `emailVerificationResend`. It is the same for every email address.
    EmailVerificationResendPayload
}
payload! {
    /// Result of `passwordForgot`. It is the same for every email address.
    PasswordForgotPayload
}
payload! {
    /// Result of `passwordReset`.
    PasswordResetPayload {
        /// The user whose password was set.
        user: User
    }
}
payload! {
    /// Result of `passwordChange`.
    PasswordChangePayload {
        /// The viewer.
        user: User
    }
}
payload! {
    /// Result of `emailChange`. It is the same for every email address.
    EmailChangePayload
}
payload! {
    /// Result of `emailChangeConfirm`.
    EmailChangeConfirmPayload {
        /// The user with the new email address.
        user: User
    }
}

/// Mutations of accounts.
#[derive(Default)]
pub struct AccountMutation;

#[object]
impl AccountMutation {
    /// Verifies an email address with the token from an email. A token can be used once, within 48 hours.
    async fn email_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token from the email.")] input: EmailVerifyInput,
    ) -> Result<EmailVerifyPayload> {
        EmailVerifyPayload::of(verification::verify(ctx.db(), &input.token).await.map(user))
    }

    /// Sends the verification email again, at most three times per hour; the previous token becomes invalid. The result
    /// does not reveal whether the account exists.
    async fn email_verification_resend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Email address to verify.")] input: EmailVerificationResendInput,
    ) -> Result<EmailVerificationResendPayload> {
        let Services { db, attempts, .. } = ctx.services();
        EmailVerificationResendPayload::of(verification::resend(db, attempts, ctx.origin(), &input.email).await)
    }

    /// Sends an email with a link to set a new password, at most three times per hour; the previous token becomes
    /// invalid. The result does not reveal whether the account exists.
    async fn password_forgot(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Email address of the account.")] input: PasswordForgotInput,
    ) -> Result<PasswordForgotPayload> {
        let requested = async {
            let website = optional_id("websiteId", input.website_id)?;
            let Services { db, attempts, .. } = ctx.services();
            passwords::request_reset(db, attempts, ctx.origin(), &input.email, website).await
        };
        PasswordForgotPayload::of(requested.await)
    }

    /// Sets a new password with the token from an email. A token can be used once, within 60 minutes, or within 7 days
    /// if a staff member sent it. The email address counts as verified, all sessions of the user end, and a
    /// notification email is sent.
    #[graphql(complexity = "PASSWORD + child_complexity")]
    async fn password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token and new password.")] input: PasswordResetInput,
    ) -> Result<PasswordResetPayload> {
        let Services { db, passwords, permission_cache, .. } = ctx.services();
        let reset = passwords::reset(db, passwords, permission_cache, ctx.origin(), &input.token, input.password).await;
        PasswordResetPayload::of(reset.map(user))
    }

    /// Changes the viewer's password. All other sessions end, and a notification email is sent. Requires a logged-in
    /// user; API keys are rejected.
    #[graphql(guard = "LoginGuard", complexity = "PASSWORD + child_complexity")]
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Current and new password.")] input: PasswordChangeInput,
    ) -> Result<PasswordChangePayload> {
        let Services { db, attempts, passwords, permission_cache, .. } = ctx.services();
        let PasswordChangeInput { password, new_password } = input;
        let (viewer, origin) = (ctx.viewer(), ctx.origin());
        let changed =
            passwords::change(db, attempts, passwords, permission_cache, viewer, origin, password, new_password).await;
        PasswordChangePayload::of(changed.map(user))
    }

    /// Requests a change of the viewer's email address. A confirmation email is sent to the new address;
    /// `emailChangeConfirm` with its token completes the change. The result does not reveal whether the new address has
    /// an account; if it has one, its owner is notified. Requires a logged-in user; API keys are rejected.
    #[graphql(guard = "LoginGuard", complexity = "PASSWORD + child_complexity")]
    async fn email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "New email address and current password.")] input: EmailChangeInput,
    ) -> Result<EmailChangePayload> {
        let Services { db, attempts, passwords, .. } = ctx.services();
        let EmailChangeInput { email, password } = input;
        EmailChangePayload::of(
            email_change::request(db, attempts, passwords, ctx.viewer(), ctx.origin(), &email, password).await,
        )
    }

    /// Changes the user's email address with the token from the confirmation email. A token can be used once, within 24
    /// hours. A notification email is sent to the old address, and tokens sent there become invalid.
    async fn email_change_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token from the confirmation email.")] input: EmailChangeConfirmInput,
    ) -> Result<EmailChangeConfirmPayload> {
        EmailChangeConfirmPayload::of(email_change::confirm(ctx.db(), &input.token).await.map(user))
    }
}
