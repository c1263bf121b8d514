//! Where a thing comes from, in the graph.
//! Rule: everybody may know the website; what it calls the thing, and since when, is for those who run the thing and for
//! the person themself.

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

/// Where a thing comes from.
#[derive(Clone)]
pub struct Source {
    website: WebsiteId,
    /// When the thing was made, for those who may know.
    created_at: Option<DateTime<Utc>>,
    /// What the website says of it, for those who may know; none where it was made here.
    row: Option<Arc<SourceRow>>,
}

/// A website that knows a thing, and what it calls it. All but the website is null for those who may not know.
#[object]
impl Source {
    /// The website.
    async fn website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.website).await?;
        row.map(website).ok_or_else(|| Error::Internal("a source without its website".into()))
    }

    /// The website's own id of it; null where it gave none.
    fn external_id(&self) -> Option<&str> {
        self.row.as_ref()?.external_id.as_deref()
    }

    /// When the website first told of it; for what was made here, when that was.
    fn first_seen(&self) -> Option<DateTime<Utc>> {
        self.row.as_ref().map(|row| row.first_seen).or(self.created_at)
    }

    /// When the website last told of it; null for what was made here.
    fn last_seen(&self) -> Option<DateTime<Utc>> {
        self.row.as_ref().map(|row| row.last_seen)
    }

    /// The import by which it last did; null where that was none, and where you may not see it.
    async fn last_transfer(&self, ctx: &Context<'_>) -> Result<Option<Transfer>> {
        let Some(id) = self.row.as_ref().and_then(|row| row.last_transfer_id) else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(transfer))
    }
}

by_parent! {
    /// What websites say of resources.
    SourcesByResource by (SourceType, i64) => SourceRow,
    |conn, _, keys| sources::store::by_resources(conn, &keys), row => (row.resource_type, row.resource_id)
}

/// A thing whose sources are asked for.
pub struct SourceLookup<I> {
    /// What kind of thing.
    pub resource_type: SourceType,
    /// Its id.
    pub id: I,
    /// When it was made here.
    pub created_at: DateTime<Utc>,
}

impl<I: RowId> SourceLookup<I> {
    /// What the website where the thing is at home says of it; only who that is where the viewer may not know more.
    /// # Errors
    /// Those of the statement.
    pub async fn primary(&self, ctx: &Context<'_>, website: WebsiteId, can_view_details: bool) -> Result<Source> {
        if !can_view_details {
            return Ok(Source { website, created_at: None, row: None });
        }
        let rows = ctx.loaders().group::<SourcesByResource, _>((self.resource_type, self.id.key())).await?;
        let row = rows.iter().find(|row| row.website_id == website).cloned();
        Ok(Source { website, created_at: Some(self.created_at), row })
    }

    /// What every website that knows the thing says of it, its home first; only who they are where the viewer may not know
    /// more.
    /// # Errors
    /// Those of the statement.
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
