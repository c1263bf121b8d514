//! Rows of sources.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::tables::sources,
    ids::{TransferId, WebsiteId},
    registry::domains,
    text_enum,
};

macro_rules! source_types {
    ($($type:ident $doc:literal;)*) => {
        text_enum! {
            /// What a website can have a name of its own for. In the table it is the name of the type in the graph.
            #[graphql(name = "SourceType")]
            pub enum SourceType {$(#[doc = $doc] $type => stringify!($type),)*}
        }
    };
}

domains!(sources => source_types);

/// What a website calls a thing.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sources, check_for_backend(diesel::pg::Pg))]
pub struct SourceRow {
    /// What kind of thing.
    pub resource_type: SourceType,
    /// Its key.
    pub resource_id: i64,
    /// The website.
    pub website_id: WebsiteId,
    /// The website's own id of it, unique there among those of its kind.
    pub external_id: Option<String>,
    /// When the website was first heard to know it.
    pub first_seen: DateTime<Utc>,
    /// When it was last heard.
    pub last_seen: DateTime<Utc>,
    /// The transfer that said so last; none where it was said by hand.
    pub last_transfer_id: Option<TransferId>,
}

/// A source to be, named by hand.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = sources)]
pub struct NewSource {
    /// See [`SourceRow`].
    pub resource_type: SourceType,
    /// See [`SourceRow`].
    pub resource_id: i64,
    /// See [`SourceRow`].
    pub website_id: WebsiteId,
    /// See [`SourceRow`].
    pub external_id: Option<String>,
}
