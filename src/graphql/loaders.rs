//! The request's batching loaders: what sibling fields ask for at the same time is one statement.
//! Rule: a loader is named for what it loads and by what, and sees what its viewer sees.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::try_join_all;

use super::batches::{Batched, Key, Loaded, Steps};
use crate::{
    access::{self, model::Role},
    auth::{Permission, Scope, Viewer},
    brands::{self, model::BrandRow},
    categories::{self, model::CategoryRow, store::CategoryList},
    db::Db,
    error::Error,
    ids::{BrandId, CategoryId, OrderDetailId, OrderId, ProductId, RoleId, SupplierId, UserId, WebsiteId},
    orders::{
        self,
        model::{OrderDetailRow, OrderParent, OrderRow},
        store::OrderList,
    },
    paging::Rows,
    products::{
        self,
        model::{ProductParent, ProductRow},
        store::ProductList,
    },
    suppliers::{self, model::SupplierRow},
    users::{
        self,
        model::{AddressRow, UserRow},
    },
    websites::{self, model::WebsiteRow},
};

/// A page of a nested list: whose, which, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageKey<P, L> {
    /// What kind of parent.
    pub parent: P,
    /// The parent's key.
    pub id: i64,
    /// Which rows in which order.
    pub list: Arc<L>,
}

/// The pages and the counts of a nested list.
pub struct Paged<P: Key, L: Key, R: Loaded> {
    /// Pages.
    pub pages: Batched<PageKey<P, L>, Arc<Rows<R>>>,
    /// Counts.
    pub counts: Batched<PageKey<P, L>, i64>,
}

/// The keys of a batch by kind of parent and list: one statement for each, and a document has few.
fn by_list<P: Key, L: Key>(keys: Vec<PageKey<P, L>>) -> HashMap<(P, Arc<L>), Vec<i64>> {
    let mut groups: HashMap<(P, Arc<L>), Vec<i64>> = HashMap::new();
    for key in keys {
        groups.entry((key.parent, key.list)).or_default().push(key.id);
    }
    groups
}

/// The loaders of a nested list from its two store functions.
macro_rules! paged_loaders {
    ($steps:expr, $db:expr, $list:ident, |$conn:ident, $parent:ident, $args:ident, $ids:ident| $pages:expr, $counts:expr) => {{
        let (pages_db, counts_db) = ($db.clone(), $db.clone());
        Paged {
            pages: Batched::new($steps, move |keys: Vec<PageKey<_, $list>>| {
                let db = pages_db.clone();
                async move {
                    let groups = by_list(keys).into_iter().map(|(($parent, $args), ids)| {
                        let db = &db;
                        async move {
                            let rows = db
                                .read(async |$conn| {
                                    let $ids = ids.clone();
                                    $pages.await
                                })
                                .await?;
                            let mut by_id: HashMap<i64, Vec<_>> = ids.into_iter().map(|id| (id, Vec::new())).collect();
                            for (id, row) in rows {
                                by_id.entry(id).or_default().push(row);
                            }
                            Ok::<_, Error>(by_id.into_iter().map(move |(id, rows)| {
                                let rows = Arc::new($args.page.finish(rows));
                                (PageKey { parent: $parent, id, list: Arc::clone(&$args) }, rows)
                            }))
                        }
                    });
                    Ok(try_join_all(groups).await?.into_iter().flatten().collect())
                }
            }),
            counts: Batched::new($steps, move |keys: Vec<PageKey<_, $list>>| {
                let db = counts_db.clone();
                async move {
                    let groups = by_list(keys).into_iter().map(|(($parent, $args), ids)| {
                        let db = &db;
                        async move {
                            let counts = db
                                .read(async |$conn| {
                                    let $ids = ids.clone();
                                    $counts.await
                                })
                                .await?;
                            Ok::<_, Error>(counts.into_iter().map(move |(id, count)| {
                                (PageKey { parent: $parent, id, list: Arc::clone(&$args) }, count)
                            }))
                        }
                    });
                    Ok(try_join_all(groups).await?.into_iter().flatten().collect())
                }
            }),
        }
    }};
}

/// A loader of rows by their id from its store function.
macro_rules! by_id {
    ($steps:expr, $db:expr, |$conn:ident, $ids:ident| $load:expr, $row:ident => $id:expr) => {{
        let db = $db.clone();
        Batched::new($steps, move |$ids: Vec<_>| {
            let db = db.clone();
            async move {
                let rows = db.read(async |$conn| $load.await).await?;
                Ok(rows.into_iter().map(|$row| ($id, Arc::new($row))).collect())
            }
        })
    }};
}

/// A loader of all rows of a parent from its store function.
macro_rules! by_parent {
    ($steps:expr, $db:expr, |$conn:ident, $ids:ident| $load:expr, $row:ident => $id:expr) => {{
        let db = $db.clone();
        Batched::new($steps, move |$ids: Vec<_>| {
            let db = db.clone();
            async move {
                let mut groups: HashMap<_, Vec<_>> = $ids.iter().map(|id| (*id, Vec::new())).collect();
                for $row in db.read(async |$conn| $load.await).await? {
                    groups.entry($id).or_default().push(Arc::new($row));
                }
                Ok(groups.into_iter().map(|(id, rows)| (id, Arc::from(rows))).collect())
            }
        })
    }};
}

/// Rows of one parent, shared.
pub type Group<R> = Arc<[Arc<R>]>;

/// The loaders of one request, each with the viewer's scope.
#[allow(missing_docs, reason = "each is named for what it loads and by what")]
pub struct Loaders {
    pub websites: Batched<WebsiteId, Arc<WebsiteRow>>,
    pub users: Batched<UserId, Arc<UserRow>>,
    pub addresses_by_user: Batched<UserId, Group<AddressRow>>,
    pub addresses: Batched<crate::ids::AddressId, Arc<AddressRow>>,
    pub roles: Batched<RoleId, Arc<Role>>,
    pub categories: Batched<CategoryId, Arc<CategoryRow>>,
    pub children: Paged<(), CategoryList, CategoryRow>,
    pub brands: Batched<BrandId, Arc<BrandRow>>,
    pub suppliers: Batched<SupplierId, Arc<SupplierRow>>,
    pub products: Batched<ProductId, Arc<ProductRow>>,
    pub products_as_sold: Batched<ProductId, Arc<ProductRow>>,
    pub products_of: Paged<ProductParent, ProductList, ProductRow>,
    pub orders: Batched<OrderId, Arc<OrderRow>>,
    pub orders_of: Paged<OrderParent, OrderList, OrderRow>,
    pub details_by_order: Batched<OrderId, Group<OrderDetailRow>>,
    pub details: Batched<OrderDetailId, Arc<OrderDetailRow>>,
}

impl Loaders {
    /// Loaders for what this viewer may see, in the steps of one operation.
    pub fn new(steps: &Steps, db: Db, viewer: &Viewer) -> Self {
        let people: Scope = viewer.scope(Permission::ManageUsers);
        let catalogue = viewer.scope(Permission::ManageProducts);
        let sales = viewer.scope(Permission::ManageOrders);
        Self {
            websites: by_id!(steps, db, |conn, ids| websites::store::by_ids(conn, &ids), row => row.id),
            users: by_id!(steps, db, |conn, ids| users::store::by_ids(conn, people, &ids), row => row.id),
            addresses: by_id!(steps, db, |conn, ids| users::store::addresses_by_ids(conn, people, &ids), row => row.id),
            addresses_by_user: by_parent!(steps, db, |conn, ids| users::store::addresses_by_user_ids(conn, people, &ids), row => row.user_id),
            roles: by_id!(steps, db, |conn, ids| access::store::by_ids(conn, &ids), role => role.row.id),
            categories: by_id!(steps, db, |conn, ids| categories::store::by_ids(conn, &ids), row => row.id),
            children: paged_loaders!(
                steps,
                db,
                CategoryList,
                |conn, parent, list, ids| categories::store::pages_by_parent_ids(conn, &list, ids),
                categories::store::counts_by_parent_ids(conn, &list, ids)
            ),
            brands: by_id!(steps, db, |conn, ids| brands::store::by_ids(conn, &ids), row => row.id),
            suppliers: by_id!(steps, db, |conn, ids| suppliers::store::by_ids(conn, &ids), row => row.id),
            products: by_id!(steps, db, |conn, ids| products::store::by_ids(conn, catalogue, &ids), row => row.id),
            products_as_sold: by_id!(steps, db, |conn, ids| products::store::by_ids_as_sold(conn, &ids), row => row.id),
            products_of: paged_loaders!(
                steps,
                db,
                ProductList,
                |conn, parent, list, ids| products::store::pages_by_parent_ids(conn, catalogue, parent, &list, ids),
                products::store::counts_by_parent_ids(conn, catalogue, parent, &list, ids)
            ),
            orders: by_id!(steps, db, |conn, ids| orders::store::by_ids(conn, sales, &ids), row => row.id),
            orders_of: paged_loaders!(
                steps,
                db,
                OrderList,
                |conn, parent, list, ids| orders::store::pages_by_parent_ids(conn, sales, parent, &list, ids),
                orders::store::counts_by_parent_ids(conn, sales, parent, &list, ids)
            ),
            details_by_order: by_parent!(steps, db, |conn, ids| orders::store::lines_by_order_ids(conn, &ids), row => row.order_id),
            details: by_id!(steps, db, |conn, ids| orders::store::lines_by_ids(conn, &ids), row => row.id),
        }
    }
}
