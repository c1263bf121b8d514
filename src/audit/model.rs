//! Entries of the audit log, and their representation in the API.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Map, Value};

use crate::{
    auth::Scope,
    db::{actor::ActorKind, filter::Op, tables::audit_log},
    ids::{self, ApiKeyId, AuditEntryId, CategoryId, OrderId, ProductGroupId, RowId, SessionId, UserId, WebsiteId},
    paging::SortKey,
    registry::domains,
    text_enum,
    websites::model::WebsiteOp,
};

/// Declares the resource types whose changes are recorded.
macro_rules! resource_types {
    ($($type:ident $doc:literal;)*) => {
        text_enum! {
            /// Type of the changed resource.
            #[graphql(name = "AuditResourceType")]
            pub enum ResourceType {$(#[doc = $doc] $type => stringify!($type),)*}
        }
    };
}

domains!(audited => resource_types);

text_enum! {
    /// Kind of change.
    #[graphql(name = "AuditChange")]
    pub enum Change {
        /// The resource was created.
        Created => "created",
        /// The resource was updated.
        Updated => "updated",
        /// The resource was deleted.
        Deleted => "deleted",
        /// An import for the website finished. One entry covers all imported rows.
        Imported => "imported",
    }
}

impl ResourceType {
    /// Returns the resource type and key of a global ID; none if its type is not audited.
    pub fn of(id: &str) -> Option<(Self, i64)> {
        let (name, key) = ids::decode(id)?;
        Some((Self::ALL.iter().copied().find(|resource_type| resource_type.as_str() == name)?, key))
    }
}

/// An entry in the audit log.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_log, check_for_backend(diesel::pg::Pg))]
pub struct AuditRow {
    /// Key of the entry.
    pub id: AuditEntryId,
    /// When the transaction of the change began.
    pub at: DateTime<Utc>,
    /// User who made the change; none if the viewer was not logged in.
    pub user_id: Option<UserId>,
    /// Authentication method.
    pub via: ActorKind,
    /// Session of the access token.
    pub session_id: Option<SessionId>,
    /// API key.
    pub api_key_id: Option<ApiKeyId>,
    /// IP address of the client.
    pub address: Option<String>,
    /// Id of the request, or name of the command.
    pub request_id: Option<String>,
    /// Type of the changed resource.
    pub resource_type: ResourceType,
    /// Key of the changed resource.
    pub resource_id: i64,
    /// Website that the resource belongs to; none if it belongs to no website.
    pub website_id: Option<WebsiteId>,
    /// Kind of change.
    pub change: Change,
    /// Changed columns with their values before the change; all columns of a deleted row.
    pub before: Option<Value>,
    /// Changed columns with their values after the change; all columns of a new row.
    pub after: Option<Value>,
}

impl AuditRow {
    /// Returns the global ID of the changed resource.
    pub fn resource_global_id(&self) -> String {
        ids::encode(self.resource_type.as_str(), self.resource_id)
    }
}

/// Returns the resource type that a column of an audited table refers to: `cart_line_id` refers to `CartLine`. Columns
/// with other names are listed.
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

/// Returns columns as shown to clients, with keys replaced by global IDs.
pub fn with_global_ids(columns: Value) -> Value {
    let Value::Object(columns) = columns else { return columns };
    let shown = columns.into_iter().map(|(column, value)| {
        let id = referenced_type(&column).zip(value.as_i64()).map(|(name, key)| Value::String(ids::encode(name, key)));
        (column, id.unwrap_or(value))
    });
    Value::Object(shown.collect::<Map<_, _>>())
}

/// A filter condition on entries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AuditCondition {
    /// Filter by user, for a viewer who may see the users of the scope.
    User(Scope, Op<UserId>),
    /// Filter by authentication method.
    Via(Op<ActorKind>),
    /// Filter by resource type.
    ResourceType(Op<ResourceType>),
    /// Filter by resource.
    Resource(ResourceType, i64),
    /// Filter by website.
    Website(WebsiteOp),
    /// Filter by time of the change.
    At(Op<DateTime<Utc>>),
}

/// Fields that audit entries can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum AuditOrderField {
    /// When the change was made.
    #[default]
    At,
}

impl AuditOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::At => "audit_log:at",
        }
    }

    /// Returns the sort key of an entry.
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
    fn foreign_keys_are_shown_as_global_ids() {
        let columns = json!({ "seller_id": 7, "parent_id": null, "quantity": 3, "external_id": "K-77" });
        let shown =
            json!({ "seller_id": UserId(7).to_global_id(), "parent_id": null, "quantity": 3, "external_id": "K-77" });
        assert_eq!(with_global_ids(columns), shown);
    }
}
