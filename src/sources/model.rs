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
            /// Types of resources that have sources.
            // The table stores the name of the GraphQL type.
            #[graphql(name = "SourceType")]
            pub enum SourceType {$(#[doc = $doc] $type => stringify!($type),)*}
        }
    };
}

domains!(sources => source_types);

/// A source of a resource: its website and external ID there.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sources, check_for_backend(diesel::pg::Pg))]
pub struct SourceRow {
    /// Type of the resource.
    pub resource_type: SourceType,
    /// Primary key of the resource.
    pub resource_id: i64,
    /// Website that the resource comes from.
    pub website_id: WebsiteId,
    /// ID of the resource at the website, unique there within its type.
    pub external_id: Option<String>,
    /// When the resource was first seen at the website.
    pub first_seen: DateTime<Utc>,
    /// When the resource was last seen at the website.
    pub last_seen: DateTime<Utc>,
    /// Transfer that last saw the resource; none if the source was added manually.
    pub last_transfer_id: Option<TransferId>,
}

/// A new source that is added manually.
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
