//! The coarse check of a field: who may select it at all. What of it they see is the store's scope.

use async_graphql::{Context, Guard};

use crate::auth::{Permission, Viewer};

/// Lets those pass who hold one of the permissions; the field's description names them.
pub struct PermissionGuard(pub &'static [Permission]);

impl Guard for PermissionGuard {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        Ok(viewer(ctx).require_any(self.0)?)
    }
}

/// Lets those pass who are logged in.
pub struct LoginGuard;

impl Guard for LoginGuard {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        viewer(ctx).require_user()?;
        Ok(())
    }
}

/// Lets those pass who are logged in, or send the token of a cart.
pub struct LoginOrGuestGuard;

impl Guard for LoginOrGuestGuard {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        if viewer(ctx).guest().is_none() {
            viewer(ctx).require_user()?;
        }
        Ok(())
    }
}

/// Who sends the request.
fn viewer<'c>(ctx: &Context<'c>) -> &'c Viewer {
    ctx.data_unchecked()
}
