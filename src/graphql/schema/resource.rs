//! What a type with a global id says once, beside its fields: the type of its id, how rows are read, and how a row becomes
//! the type. `node` and the loader by id follow from it and from the entry in `registry`.

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
            loaders::{ById, Loaders},
        },
    },
    ids::{RowId, UserId},
    payments,
};

/// A type whose rows have a global id; [`resource!`](resource) implements it.
pub trait Resource: Sized + Send {
    /// The id of a row.
    type Id: RowId + LoaderKey;

    /// A row.
    type Row: Send + Sync + 'static;

    /// Reads the rows with these ids that the viewer may see.
    fn rows(
        context: Arc<LoaderContext>,
        ids: Vec<Self::Id>,
    ) -> impl Future<Output = Result<HashMap<Self::Id, Arc<Self::Row>>>> + Send + 'static;

    /// The object of a row, with what it needs besides; `None` where the viewer may not see that.
    fn from_row(loaders: &Loaders, row: Arc<Self::Row>) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// Whether the viewer may see any of them.
    fn is_visible(ctx: &Context<'_>) -> bool {
        let _ = ctx;
        true
    }
}

/// The object with this key, if the viewer may see it.
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

/// What the loaders of a request see of the database.
pub struct LoaderContext {
    /// The database.
    pub db: Db,
    /// Who sends the request.
    pub viewer: Viewer,
    /// The viewer's user id; 0 for the anonymous and for API keys, which have no sessions and keys of their own.
    pub user_id: UserId,
    /// The cart that the viewer holds.
    pub cart_holder: Holder,
}

impl LoaderContext {
    /// What this viewer sees.
    pub fn new(db: Db, viewer: &Viewer) -> Self {
        let user_id = viewer.require_session().map_or(UserId(0), |(user, _)| user);
        Self { db, user_id, cart_holder: viewer.holder(), viewer: viewer.clone() }
    }

    /// The rows that a permission shows.
    pub fn scope(&self, permission: Permission) -> Scope {
        self.viewer.scope(permission)
    }

    /// Users and their addresses.
    pub fn user_scope(&self) -> Scope {
        self.scope(Permission::ManageUsers)
    }

    /// Products, and what belongs to them.
    pub fn product_scope(&self) -> Scope {
        self.scope(Permission::ManageProducts)
    }

    /// Orders.
    pub fn order_scope(&self) -> Scope {
        self.scope(Permission::ManageOrders)
    }

    /// Reviews.
    pub fn review_scope(&self) -> Scope {
        self.scope(Permission::ManageReviews)
    }

    /// Payments.
    pub fn payment_scope(&self) -> Scope {
        payments::actions::scope(&self.viewer)
    }
}

/// Declares a type as a resource: its id and row, how rows are read by ids and which id a row has, and how a row becomes
/// the type; with `when`, for whom there are any.
///
/// Most types hold their row and nothing else. `Brand(brand)` says so: the function `brand` makes the object of a row.
macro_rules! resource {
    (
        $type:ident($object:ident) by $id:ident of $row_type:ty,
        |$conn:ident, $context:ident, $ids:ident| $read:expr, $row:ident => $row_id:expr,
        $(when |$ctx:ident| $visible:expr,)?
    ) => {
        /// The object of a row.
        pub fn $object(row: impl Into<std::sync::Arc<$row_type>>) -> $type {
            $type(row.into())
        }

        $crate::graphql::schema::resource::resource! {
            $type by $id of $row_type,
            |$conn, $context, $ids| $read, $row => $row_id,
            |_, row| Some($object(row)),
            $(when |$ctx| $visible,)?
        }
    };
    (
        $type:ident by $id:ident of $row_type:ty,
        |$conn:ident, $context:ident, $ids:ident| $read:expr, $row:ident => $row_id:expr,
        |$loaders:pat_param, $loaded_row:ident| $object:expr,
        $(when |$ctx:ident| $visible:expr,)?
    ) => {
        impl $crate::graphql::schema::resource::Resource for $type {
            type Id = $id;
            type Row = $row_type;

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
