//! GraphQL type of the source of products, orders and users.
//! Rule: the website is visible to everyone; the external ID and the times are visible only to staff and sellers who
//! manage the resource, and to the user concerned.

use std::sync::Arc;

use async_graphql::Context;
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    error::{Error, Result},
    graphql::schema::{
        context::ContextExt,
        loaders::by_parent,
        transfers::{Transfer, transfer},
        websites::{Website, website},
    },
    ids::{RowId, WebsiteId},
    sources::{
        self,
        model::{SourceRow, SourceType},
    },
};

/// The source of a product, order or user.
#[derive(Clone)]
pub struct Source {
    website: WebsiteId,
    /// When the resource was created, if the viewer may see it.
    created_at: Option<DateTime<Utc>>,
    /// Data of the source, if the viewer may see it; none if the resource was created here.
    row: Option<Arc<SourceRow>>,
}

/// A website that a resource comes from, with the resource's external ID there. All fields except `website` are null if
/// the viewer may not see them.
#[object]
impl Source {
    /// Website that the resource comes from.
    async fn website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.website).await?;
        row.map(website).ok_or_else(|| Error::Internal("source refers to a missing website".into()))
    }

    /// ID of the resource at the website; null if it has none.
    fn external_id(&self) -> Option<&str> {
        self.row.as_ref()?.external_id.as_deref()
    }

    /// When the resource was first seen at the website (UTC); for resources created here, when they were created.
    fn first_seen(&self) -> Option<DateTime<Utc>> {
        self.row.as_ref().map(|row| row.first_seen).or(self.created_at)
    }

    /// When the resource was last seen at the website (UTC); null for resources created here.
    fn last_seen(&self) -> Option<DateTime<Utc>> {
        self.row.as_ref().map(|row| row.last_seen)
    }

    /// Import that last updated the source. Null if there was none, or if the viewer may not see it.
    async fn last_transfer(&self, ctx: &Context<'_>) -> Result<Option<Transfer>> {
        let Some(id) = self.row.as_ref().and_then(|row| row.last_transfer_id) else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(transfer))
    }
}

by_parent! {
    /// Sources of resources.
    SourcesByResource by (SourceType, i64) => SourceRow,
    |conn, _, keys| sources::store::by_resources(conn, &keys), row => (row.resource_type, row.resource_id)
}

/// A resource whose sources are looked up.
pub struct SourceLookup<I> {
    /// Type of the resource.
    pub resource_type: SourceType,
    /// ID of the resource.
    pub id: I,
    /// When the resource was created.
    pub created_at: DateTime<Utc>,
}

impl<I: RowId> SourceLookup<I> {
    /// Returns the source at the resource's own website; only the website if the viewer may not see the details.
    /// # Errors
    /// Returns the error of the statement.
    pub async fn primary(&self, ctx: &Context<'_>, website: WebsiteId, can_view_details: bool) -> Result<Source> {
        if !can_view_details {
            return Ok(Source { website, created_at: None, row: None });
        }
        let rows = ctx.loaders().group::<SourcesByResource, _>((self.resource_type, self.id.key())).await?;
        let row = rows.iter().find(|row| row.website_id == website).cloned();
        Ok(Source { website, created_at: Some(self.created_at), row })
    }

    /// Returns the sources at all websites, the resource's own website first; only the websites if the viewer may not
    /// see the details.
    /// # Errors
    /// Returns the error of the statement.
    pub async fn all(
        &self,
        ctx: &Context<'_>,
        primary: Option<WebsiteId>,
        can_view_details: impl Fn(WebsiteId) -> bool,
    ) -> Result<Vec<Source>> {
        let rows = ctx.loaders().group::<SourcesByResource, _>((self.resource_type, self.id.key())).await?;
        let (primary_rows, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| Some(row.website_id) == primary);
        let visible_row = |row: &Arc<SourceRow>| can_view_details(row.website_id).then(|| Arc::clone(row));
        let primary = primary.map(|website| {
            let row = primary_rows.first().copied().and_then(visible_row);
            Source { website, created_at: can_view_details(website).then_some(self.created_at), row }
        });
        let others =
            others.into_iter().map(|row| Source { website: row.website_id, created_at: None, row: visible_row(row) });
        Ok(primary.into_iter().chain(others).collect())
    }
}
