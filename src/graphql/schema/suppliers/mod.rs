//! GraphQL types, queries and mutations of suppliers.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::filter::Filter,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{FilterBuilder, IdFilter, StringFilter},
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
            patch,
            payload::payload,
            scalars::global_id,
        },
        schema::{
            context::{ContextExt, STAFF_PERMISSIONS},
            products::{self, Product, ProductOrder, ProductWhere},
            resource::resource,
        },
    },
    ids::{RowId, SupplierId},
    products::model::ProductParent,
    suppliers::{
        self, actions,
        model::{NewSupplier, SupplierCondition, SupplierOrderField, SupplierPatch, SupplierRow},
        store,
    },
};

/// A supplier that a shop purchases products from. Visible to staff and sellers only.
#[derive(Clone)]
pub struct Supplier(Arc<SupplierRow>);

resource! {
    Supplier(supplier) by SupplierId of SupplierRow,
    |conn, context, ids| suppliers::store::by_ids(conn, &ids), row => row.id,
    when |ctx| ctx.is_staff(),
}

/// A supplier that a shop purchases products from. Visible to staff and sellers only.
#[object]
impl Supplier {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Unique name of the supplier.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Name of the contact person; null if unknown.
    fn contact_name(&self) -> Option<&str> {
        self.0.contact_name.as_deref()
    }

    /// Email address of the contact person; null if unknown.
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Phone number of the contact person in E.164 format, such as `+442079460000`; null if unknown.
    fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Days between a purchase order and its delivery; null if unknown.
    fn lead_time_days(&self) -> Option<i32> {
        self.0.lead_time_days
    }

    /// Products purchased from the supplier, newest first by default.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args, None).await?;
        products::of_parent(ctx, ProductParent::Supplier, self.0.id.key(), list).await
    }

    /// When the supplier was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the supplier was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

where_input! {
    /// Filters for suppliers; conditions are combined with AND.
    SupplierWhere {
        /// Filter by ID.
        id: Option<IdFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
    }
}

impl Where for SupplierWhere {
    type Condition = SupplierCondition;

    fn into_filter(self) -> Result<Filter<SupplierCondition>> {
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("id", self.id, SupplierCondition::Id)?;
        filter.text("name", self.name, SupplierCondition::Name)?;
        filter.build()
    }
}

order_by! {
    /// Sort order of suppliers.
    SupplierOrder by SupplierOrderField
}

/// Query root for suppliers.
#[derive(Default)]
pub struct SupplierQuery;

#[object]
impl SupplierQuery {
    /// Lists the suppliers, sorted by name by default. Requires `MANAGE_CATALOGUE`, `MANAGE_PRODUCTS` or
    /// `SELL_PRODUCTS`.
    #[graphql(guard = "PermissionGuard(STAFF_PERMISSIONS)")]
    async fn suppliers(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<SupplierWhere, SupplierOrder>,
    ) -> Result<Connection<Supplier>> {
        let list = list_args.into_list(Default::default(), SupplierOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), supplier).await
    }
}

/// Input for `supplierCreate`.
#[derive(Debug, InputObject)]
pub struct SupplierCreateInput {
    /// Unique name, 1 to 255 characters.
    name: String,
    /// Name of the contact person, 1 to 255 characters.
    contact_name: Option<String>,
    /// Email address of the contact person.
    email: Option<String>,
    /// Phone number of the contact person with country code, such as `+44 20 7946 0000`.
    phone: Option<String>,
    /// Days between a purchase order and its delivery, 0 to 1,000.
    lead_time_days: Option<i32>,
}

/// Input for `supplierUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct SupplierUpdateInput {
    /// ID of the supplier.
    id: ID,
    /// Unique name, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// Name of the contact person, 1 to 255 characters.
    contact_name: MaybeUndefined<String>,
    /// Email address of the contact person.
    email: MaybeUndefined<String>,
    /// Phone number of the contact person with country code, such as `+44 20 7946 0000`.
    phone: MaybeUndefined<String>,
    /// Days between a purchase order and its delivery, 0 to 1,000.
    lead_time_days: MaybeUndefined<i32>,
}

/// Input for `supplierDelete`.
#[derive(Debug, InputObject)]
pub struct SupplierDeleteInput {
    /// ID of the supplier.
    id: ID,
}

payload! {
    /// Result of `supplierCreate`.
    SupplierCreatePayload {
        /// The new supplier.
        supplier: Supplier
    }
}
payload! {
    /// Result of `supplierUpdate`.
    SupplierUpdatePayload {
        /// The updated supplier.
        supplier: Supplier
    }
}
payload! {
    /// Result of `supplierDelete`.
    SupplierDeletePayload {
        /// ID of the deleted supplier.
        deleted_id: ID
    }
}

/// Mutation root for suppliers.
#[derive(Default)]
pub struct SupplierMutation;

#[object]
impl SupplierMutation {
    /// Creates a supplier. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn supplier_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Supplier to create.")] input: SupplierCreateInput,
    ) -> Result<SupplierCreatePayload> {
        let new = NewSupplier {
            name: input.name,
            contact_name: input.contact_name,
            email: input.email,
            phone: input.phone,
            lead_time_days: input.lead_time_days,
        };
        SupplierCreatePayload::of(actions::create(ctx.db(), ctx.viewer(), new).await.map(supplier))
    }

    /// Updates a supplier. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn supplier_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Supplier and the fields to change.")] input: SupplierUpdateInput,
    ) -> Result<SupplierUpdatePayload> {
        let updated = async {
            let id = SupplierId::parse("id", &input.id)?;
            let name = patch::required("name", input.name)?;
            let patch = SupplierPatch {
                name,
                contact_name: input.contact_name.into(),
                email: input.email.into(),
                phone: input.phone.into(),
                lead_time_days: input.lead_time_days.into(),
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        SupplierUpdatePayload::of(updated.await.map(supplier))
    }

    /// Deletes a supplier. Fails if products refer to it. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn supplier_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Supplier to delete.")] input: SupplierDeleteInput,
    ) -> Result<SupplierDeletePayload> {
        let deleted = async {
            let id = SupplierId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        SupplierDeletePayload::of(deleted.await)
    }
}
