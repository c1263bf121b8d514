//! Resources: types with a global ID. A resource declares its id type, how its rows are read, and how a row becomes an
//! object; `node` and the loader by id follow from that and from the entry in `registry`.

use std::{collections::HashMap, sync::Arc};

use async_graphql::Context;

use crate::{
    auth::{Holder, Permission, Scope, Viewer},
    db::Db,
    error::Result,
    graphql::{
        engine::batching::LoaderKey,
        schema::{
            context::ContextExt,
            entities::Audience,
            loaders::{ById, Loaders},
        },
    },
    ids::{RowId, UserId},
    payments,
};

/// A type whose rows have a global ID; implemented by [`resource!`](resource).
pub trait Resource: Sized + Send {
    /// Type of the row ids.
    type Id: RowId + LoaderKey;

    /// Type of the rows.
    type Row: Send + Sync + 'static;

    /// Name of the tag of a row. No response with a row that has none is cached.
    const TAG: Option<&'static str> = None;

    /// For which viewers a row is kept in memory, and the size of its long texts in bytes; none if it is not kept.
    const CACHING: Option<(Audience, fn(&Arc<Self::Row>) -> usize)> = None;

    /// Reads the rows with these ids that the viewer may see.
    fn rows(
        context: Arc<LoaderContext>,
        ids: Vec<Self::Id>,
    ) -> impl Future<Output = Result<HashMap<Self::Id, Arc<Self::Row>>>> + Send + 'static;

    /// Creates the object of a row and loads what it needs; returns `None` if the viewer may not see that.
    fn from_row(loaders: &Loaders, row: Arc<Self::Row>) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// Checks whether the viewer may see any resource of this type.
    fn is_visible(ctx: &Context<'_>) -> bool {
        let _ = ctx;
        true
    }
}

/// Returns the object with this key, if the viewer may see it.
/// # Errors
/// Those of the statements.
pub async fn find<R: Resource + 'static>(ctx: &Context<'_>, key: i64) -> Result<Option<R>> {
    if !R::is_visible(ctx) {
        return Ok(None);
    }
    let loaders = ctx.loaders();
    match loaders.load::<ById<R>>(R::Id::from_key(key)).await? {
        Some(row) => R::from_row(loaders, row).await,
        None => Ok(None),
    }
}

/// Database and viewer for the loaders of a request.
pub struct LoaderContext {
    /// Database.
    pub db: Db,
    /// Viewer of the request.
    pub viewer: Viewer,
    /// User id of the viewer; 0 for anonymous viewers and for API keys, which see no sessions and no API keys.
    pub user_id: UserId,
    /// Holder of the carts that the viewer sees.
    pub cart_holder: Holder,
}

impl LoaderContext {
    /// Creates the context of a viewer.
    pub fn new(db: Db, viewer: &Viewer) -> Self {
        let user_id = viewer.require_session().map_or(UserId(0), |(user, _)| user);
        Self { db, user_id, cart_holder: viewer.holder(), viewer: viewer.clone() }
    }

    /// Returns the scope of a permission.
    pub fn scope(&self, permission: Permission) -> Scope {
        self.viewer.scope(permission)
    }

    /// Returns the scope of users and their addresses.
    pub fn user_scope(&self) -> Scope {
        self.scope(Permission::ManageUsers)
    }

    /// Returns the scope of products and what belongs to them.
    pub fn product_scope(&self) -> Scope {
        self.scope(Permission::ManageProducts)
    }

    /// Returns the scope of orders.
    pub fn order_scope(&self) -> Scope {
        self.scope(Permission::ManageOrders)
    }

    /// Returns the scope of reviews.
    pub fn review_scope(&self) -> Scope {
        self.scope(Permission::ManageReviews)
    }

    /// Returns the scope of payments.
    pub fn payment_scope(&self) -> Scope {
        payments::actions::scope(&self.viewer)
    }
}

/// Declares a type as a resource: its id and row types, how rows are read by ids, the id of a row, and how a row
/// becomes the object. `when` limits the viewers that see any. `tag` names the tag of a row, if it depends on nothing else.
/// `cached` keeps rows in memory, for everyone or for the public, with the size of their long texts.
///
/// Most types contain only their row. `Brand(brand)` declares such a type: the function `brand` creates the object of a
/// row.
macro_rules! resource {
    (
        $type:ident($object:ident) by $id:ident of $row_type:ty,
        |$conn:ident, $context:ident, $ids:ident| $read:expr, $row:ident => $row_id:expr,
        $(tag $tag:literal,)?
        $(cached $audience:ident, |$cached:pat_param| $text_bytes:expr,)?
        $(when |$ctx:ident| $visible:expr,)?
    ) => {
        /// Creates the object of a row.
        pub fn $object(row: impl Into<std::sync::Arc<$row_type>>) -> $type {
            $type(row.into())
        }

        $crate::graphql::schema::resource::resource! {
            $type by $id of $row_type,
            |$conn, $context, $ids| $read, $row => $row_id,
            |_, row| Some($object(row)),
            $(tag $tag,)?
            $(cached $audience, |$cached| $text_bytes,)?
            $(when |$ctx| $visible,)?
        }
    };
    (
        $type:ident by $id:ident of $row_type:ty,
        |$conn:ident, $context:ident, $ids:ident| $read:expr, $row:ident => $row_id:expr,
        |$loaders:pat_param, $loaded_row:ident| $object:expr,
        $(tag $tag:literal,)?
        $(cached $audience:ident, |$cached:pat_param| $text_bytes:expr,)?
        $(when |$ctx:ident| $visible:expr,)?
    ) => {
        impl $crate::graphql::schema::resource::Resource for $type {
            type Id = $id;
            type Row = $row_type;

            $(const TAG: Option<&'static str> = Some($tag);)?

            $(const CACHING: Option<($crate::graphql::schema::entities::Audience, fn(&std::sync::Arc<$row_type>) -> usize)> =
                Some(($crate::graphql::schema::entities::Audience::$audience, |$cached| $text_bytes));)?

            async fn rows(
                $context: std::sync::Arc<$crate::graphql::schema::resource::LoaderContext>,
                $ids: Vec<$id>,
            ) -> $crate::error::Result<std::collections::HashMap<$id, std::sync::Arc<$row_type>>> {
                let rows = $context.db.read(async |$conn| $read.await).await?;
                Ok($crate::graphql::schema::loaders::keyed(rows, |$row| $row_id))
            }

            async fn from_row(
                $loaders: &$crate::graphql::schema::loaders::Loaders,
                $loaded_row: std::sync::Arc<$row_type>,
            ) -> $crate::error::Result<Option<Self>> {
                Ok($object)
            }

            $(fn is_visible($ctx: &async_graphql::Context<'_>) -> bool {
                $visible
            })?
        }
    };
}
pub(crate) use resource;
