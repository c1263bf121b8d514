//! Entries of the audit log, and how the graph shows what they hold.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Map, Value};

use crate::{
    db::{actor::ActorKind, filter::Op, tables::audit_log},
    ids::{self, ApiKeyId, AuditEntryId, CategoryId, OrderId, ProductGroupId, RowId, SessionId, UserId, WebsiteId},
    paging::SortKey,
    registry::domains,
    text_enum,
};

/// The resources whose changes are recorded.
macro_rules! resource_types {
    ($($type:ident $doc:literal;)*) => {
        text_enum! {
            /// What an entry is about. In the table it is the name of the type in the graph.
            #[graphql(name = "AuditResourceType")]
            pub enum ResourceType {$(#[doc = $doc] $type => stringify!($type),)*}
        }
    };
}

domains!(audited => resource_types);

text_enum! {
    /// What became of it.
    #[graphql(name = "AuditChange")]
    pub enum Change {
        /// It was made.
        Created => "created",
        /// It was changed.
        Updated => "updated",
        /// It is gone.
        Deleted => "deleted",
        /// A file was taken over for the website; one entry for all that it brought.
        Imported => "imported",
    }
}

impl ResourceType {
    /// The noun and the key of a global id; none where it names nothing that is told.
    pub fn of(id: &str) -> Option<(Self, i64)> {
        let (name, key) = ids::decode(id)?;
        Some((Self::ALL.iter().copied().find(|resource_type| resource_type.as_str() == name)?, key))
    }
}

/// An entry.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_log, check_for_backend(diesel::pg::Pg))]
pub struct AuditRow {
    /// Key.
    pub id: AuditEntryId,
    /// When the transaction began that changed it.
    pub at: DateTime<Utc>,
    /// Who changed it; none where it was nobody known.
    pub user_id: Option<UserId>,
    /// By what.
    pub via: ActorKind,
    /// The session of the access token.
    pub session_id: Option<SessionId>,
    /// The API key.
    pub api_key_id: Option<ApiKeyId>,
    /// The client's address.
    pub address: Option<String>,
    /// The request's id, or a command's name.
    pub request_id: Option<String>,
    /// What was changed.
    pub resource_type: ResourceType,
    /// Its key.
    pub resource_id: i64,
    /// The website that it belongs to; none for what belongs to all.
    pub website_id: Option<WebsiteId>,
    /// What became of it.
    pub change: Change,
    /// The columns that changed, as they were; all of a row that is gone.
    pub before: Option<Value>,
    /// The columns that changed, as they became; all of a new row.
    pub after: Option<Value>,
}

impl AuditRow {
    /// The global id of what was changed.
    pub fn resource_global_id(&self) -> String {
        ids::encode(self.resource_type.as_str(), self.resource_id)
    }
}

/// Whose keys a column of a recorded table holds: `cart_line_id` those of `CartLine`; the columns with other names are
/// listed.
fn referenced_type(column: &str) -> Option<&'static str> {
    Some(match column {
        "group_id" => ProductGroupId::TYPE,
        "parent_id" => CategoryId::TYPE,
        "checkout_id" => OrderId::TYPE,
        "seller_id" => UserId::TYPE,
        "source_website_id" => WebsiteId::TYPE,
        _ => return ids::resource_of_column(column),
    })
}

/// Columns as they leave the process: keys of rows become global ids.
pub fn with_global_ids(columns: Value) -> Value {
    let Value::Object(columns) = columns else { return columns };
    let shown = columns.into_iter().map(|(column, value)| {
        let id = referenced_type(&column).zip(value.as_i64()).map(|(name, key)| Value::String(ids::encode(name, key)));
        (column, id.unwrap_or(value))
    });
    Value::Object(shown.collect::<Map<_, _>>())
}

/// A condition of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AuditCondition {
    /// By who changed it.
    User(Op<UserId>),
    /// By what they were known.
    Via(Op<ActorKind>),
    /// By what was changed.
    ResourceType(Op<ResourceType>),
    /// By the very thing that was changed.
    Resource(ResourceType, i64),
    /// By its website.
    Website(Op<WebsiteId>),
    /// By when.
    At(Op<DateTime<Utc>>),
}

/// What the log is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum AuditOrderField {
    /// When it was changed.
    #[default]
    At,
}

impl AuditOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::At => "audit_log:at",
        }
    }

    /// The sort key of an entry.
    pub fn key(self, row: &AuditRow) -> SortKey {
        match self {
            Self::At => SortKey::Time(row.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn resource_types_are_the_types_of_their_ids() {
        assert_eq!(ResourceType::of(&OrderId(7).to_global_id()), Some((ResourceType::Order, 7)));
        assert_eq!(ResourceType::of(&AuditEntryId(7).to_global_id()), None);
        assert_eq!(ResourceType::of("nonsense"), None);
    }

    #[test]
    fn keys_leave_as_global_ids() {
        let columns = json!({ "seller_id": 7, "parent_id": null, "quantity": 3, "external_id": "K-77" });
        let shown =
            json!({ "seller_id": UserId(7).to_global_id(), "parent_id": null, "quantity": 3, "external_id": "K-77" });
        assert_eq!(with_global_ids(columns), shown);
    }
}
