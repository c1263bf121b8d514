//! Access guards of fields: who may select a field at all. Which rows a viewer sees is decided by the store's scope.

use async_graphql::{Context, Guard};

use crate::auth::{Permission, Viewer};

/// Requires one of the permissions, which the field's description names.
pub struct PermissionGuard(pub &'static [Permission]);

impl Guard for PermissionGuard {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        Ok(viewer(ctx).require_any(self.0)?)
    }
}

/// Requires a logged-in user.
pub struct LoginGuard;

impl Guard for LoginGuard {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        viewer(ctx).require_user()?;
        Ok(())
    }
}

/// Requires a logged-in user or a cart token.
pub struct LoginOrGuestGuard;

impl Guard for LoginOrGuestGuard {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        if viewer(ctx).guest().is_none() {
            viewer(ctx).require_user()?;
        }
        Ok(())
    }
}

/// Returns the viewer of the request.
fn viewer<'c>(ctx: &Context<'c>) -> &'c Viewer {
    ctx.data_unchecked()
}
