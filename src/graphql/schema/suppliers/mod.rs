//! Suppliers in the graph.

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

/// Whom a shop buys from. Only staff and sellers see suppliers.
#[derive(Clone)]
pub struct Supplier(Arc<SupplierRow>);

resource! {
    Supplier(supplier) by SupplierId of SupplierRow,
    |conn, context, ids| suppliers::store::by_ids(conn, &ids), row => row.id,
    when |ctx| ctx.is_staff(),
}

/// Whom a shop buys from. Only staff and sellers see suppliers.
#[object]
impl Supplier {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Name, unique.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Whom to ask for there.
    fn contact_name(&self) -> Option<&str> {
        self.0.contact_name.as_deref()
    }

    /// E-mail address of the contact.
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Phone number of the contact, as E.164: `+442079460000`.
    fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Days from an order to its delivery.
    fn lead_time_days(&self) -> Option<i32> {
        self.0.lead_time_days
    }

    /// Its products, by default the newest first.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args)?;
        products::of_parent(ctx, ProductParent::Supplier, self.0.id.key(), list).await
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

where_input! {
    /// Which suppliers. Several fields hold together.
    SupplierWhere {
        /// By id.
        id: Option<IdFilter>,
        /// By name.
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
    /// The order of a list of suppliers.
    SupplierOrder by SupplierOrderField
}

/// Queries of suppliers.
#[derive(Default)]
pub struct SupplierQuery;

#[object]
impl SupplierQuery {
    /// The suppliers, by default by name. Requires MANAGE_CATALOGUE, MANAGE_PRODUCTS or SELL_PRODUCTS.
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

/// A supplier to be.
#[derive(Debug, InputObject)]
pub struct SupplierCreateInput {
    /// Name, unique, 1 to 255 characters.
    name: String,
    /// Whom to ask for there, 1 to 255 characters.
    contact_name: Option<String>,
    /// E-mail address of the contact.
    email: Option<String>,
    /// Phone number of the contact with its country code, such as `+44 20 7946 0000`.
    phone: Option<String>,
    /// Days from an order to its delivery, 0 to 1,000.
    lead_time_days: Option<i32>,
}

/// A change of a supplier: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct SupplierUpdateInput {
    /// Which supplier.
    id: ID,
    /// Name, unique, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// Whom to ask for there, 1 to 255 characters.
    contact_name: MaybeUndefined<String>,
    /// E-mail address of the contact.
    email: MaybeUndefined<String>,
    /// Phone number of the contact with its country code, such as `+44 20 7946 0000`.
    phone: MaybeUndefined<String>,
    /// Days from an order to its delivery, 0 to 1,000.
    lead_time_days: MaybeUndefined<i32>,
}

/// Which supplier to delete.
#[derive(Debug, InputObject)]
pub struct SupplierDeleteInput {
    /// Which supplier.
    id: ID,
}

payload! {
    /// The answer of `supplierCreate`.
    SupplierCreatePayload {
        /// The new supplier.
        supplier: Supplier
    }
}
payload! {
    /// The answer of `supplierUpdate`.
    SupplierUpdatePayload {
        /// The supplier as it is now.
        supplier: Supplier
    }
}
payload! {
    /// The answer of `supplierDelete`.
    SupplierDeletePayload {
        /// The id of the supplier that is gone.
        deleted_id: ID
    }
}

/// Mutations of suppliers.
#[derive(Default)]
pub struct SupplierMutation;

#[object]
impl SupplierMutation {
    /// Makes a supplier. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn supplier_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The supplier to be.")] input: SupplierCreateInput,
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

    /// Changes a supplier. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn supplier_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: SupplierUpdateInput,
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

    /// Deletes a supplier that no product names. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn supplier_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which supplier.")] input: SupplierDeleteInput,
    ) -> Result<SupplierDeletePayload> {
        let deleted = async {
            let id = SupplierId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        SupplierDeletePayload::of(deleted.await)
    }
}
