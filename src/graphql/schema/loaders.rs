//! The request's batching loaders: what sibling fields ask for at the same time is one statement.
//! Rule: a loader is named for what it loads and by what, and sees what its viewer sees.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use futures_util::future::try_join_all;

use crate::{
    access::{
        self,
        model::{SessionRow, keys::ApiKey},
    },
    auth::{Scope, Viewer},
    carts::{
        self,
        model::{CartLineRow, Reservation},
    },
    categories::{self, model::CategoryRow, store::CategoryList},
    db::{Db, Plans},
    error::Error,
    graphql::{
        engine::{
            batching::{Batched, Key, Steps},
            paged::{PageKey, Paged, by_list},
        },
        schema::resource::{Resource, View},
    },
    ids::{self, CartId, OrderId, PaymentId, ProductGroupId, ProductId, ReturnId, ShipmentId, UserId},
    media::{self, model::Image},
    orders::{
        self,
        model::{
            OrderDetailRow, OrderEventRow, OrderParent, OrderRow, ReturnLineRow, ReturnRow, ShipmentLineRow,
            ShipmentRow,
        },
        store::OrderList,
    },
    paging::Latest,
    payments::{
        self,
        model::{OperationRow, PaymentRow},
    },
    prices::{self, model::PriceChangeRow},
    products::{
        self,
        model::{ProductParent, ProductRow, PurchaseRow, VariantRow},
        store::ProductList,
    },
    registry::resources,
    reviews::{
        self,
        model::{ReviewParent, ReviewRow, Stars},
        store::ReviewList,
    },
    sources::{
        self,
        model::{SourceNoun, SourceRow},
    },
    stock::{self, model::MovementRow},
    users::{
        self,
        model::{AddressRow, UserRow},
    },
};

/// The loaders of a nested list from its two store functions, and how their statements are planned.
macro_rules! paged_loaders {
    ($steps:expr, $view:ident, $list:ident, |$conn:ident, $parent:ident, $args:ident, $ids:ident| $pages:expr, $counts:expr) => {
        paged_loaders!($steps, $view, $list, |$conn, $parent, $args, $ids| $pages, $counts, Plans::Kept)
    };
    ($steps:expr, $view:ident, $list:ident, |$conn:ident, $parent:ident, $args:ident, $ids:ident| $pages:expr, $counts:expr, $plans:expr) => {{
        let (for_pages, for_counts) = (Arc::clone(&$view), Arc::clone(&$view));
        Paged {
            pages: Batched::new($steps, move |keys: Vec<PageKey<_, $list>>| {
                let $view = Arc::clone(&for_pages);
                async move {
                    let groups = by_list(keys).into_iter().map(|(($parent, $args), ids)| {
                        let $view = &$view;
                        async move {
                            let rows = $view
                                .db
                                .read_as($plans, async |$conn| {
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
                let $view = Arc::clone(&for_counts);
                async move {
                    let groups = by_list(keys).into_iter().map(|(($parent, $args), ids)| {
                        let $view = &$view;
                        async move {
                            let counts = $view
                                .db
                                .read_as($plans, async |$conn| {
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
    ($steps:expr, $view:ident, |$conn:ident, $ids:ident| $load:expr, $row:ident => $id:expr) => {{
        let $view = Arc::clone(&$view);
        Batched::new($steps, move |$ids: Vec<_>| {
            let $view = Arc::clone(&$view);
            async move {
                let rows = $view.db.read(async |$conn| $load.await).await?;
                Ok(rows.into_iter().map(|$row| ($id, Arc::new($row))).collect())
            }
        })
    }};
}

/// A loader of all rows of a parent from its store function.
macro_rules! by_parent {
    ($steps:expr, $view:ident, |$conn:ident, $ids:ident| $load:expr, $row:ident => $id:expr) => {{
        let $view = Arc::clone(&$view);
        Batched::new($steps, move |$ids: Vec<_>| {
            let $view = Arc::clone(&$view);
            async move {
                let mut groups: HashMap<_, Vec<_>> = $ids.iter().map(|id| (*id, Vec::new())).collect();
                for $row in $view.db.read(async |$conn| $load.await).await? {
                    groups.entry($id).or_default().push(Arc::new($row));
                }
                Ok(groups.into_iter().map(|(id, rows)| (id, Arc::from(rows))).collect())
            }
        })
    }};
}

/// Rows of one parent, shared.
pub type Group<R> = Arc<[Arc<R>]>;

/// The loaders by id of all resources.
macro_rules! loaders_by_id {
    ($($(#[$doc:meta])* $type:ident($id:ident) at $($module:ident)::+, loader $loader:ident $(, audit $audit:literal)?;)*) => {
        /// The loaders by id of one request.
        #[allow(missing_docs, reason = "each is named for what it loads")]
        pub struct ById {$(
            pub $loader: Batched<ids::$id, Arc<<super::$($module)::+::$type as Resource>::Row>>,
        )*}

        impl ById {
            fn new(steps: &Steps, view: &Arc<View>) -> Self {
                Self {$($loader: {
                    let view = Arc::clone(view);
                    Batched::new(steps, move |ids| <super::$($module)::+::$type as Resource>::rows(Arc::clone(&view), ids))
                },)*}
            }
        }

        $(impl Named<ids::$id> for ById {
            type Row = <super::$($module)::+::$type as Resource>::Row;

            fn loader(&self) -> &Batched<ids::$id, Arc<Self::Row>> {
                &self.$loader
            }
        })*
    };
}

resources!(loaders_by_id);

/// The loader of the rows that an id names.
pub trait Named<I: Key> {
    /// A row.
    type Row: Send + Sync + 'static;

    /// The loader.
    fn loader(&self) -> &Batched<I, Arc<Self::Row>>;
}

impl Deref for Loaders {
    type Target = ById;

    fn deref(&self) -> &ById {
        &self.by_id
    }
}

/// The loaders of one request, each with the viewer's scope.
#[allow(missing_docs, reason = "each is named for what it loads and by what")]
pub struct Loaders {
    by_id: ById,
    pub sources: Batched<(SourceNoun, i64), Group<SourceRow>>,
    pub addresses_by_user: Batched<UserId, Group<AddressRow>>,
    pub sessions_by_user: Batched<UserId, Group<SessionRow>>,
    pub api_keys_by_user: Batched<UserId, Group<ApiKey>>,
    pub children: Paged<(), CategoryList, CategoryRow>,
    pub products_as_sold: Batched<ProductId, Arc<ProductRow>>,
    pub variants_by_group: Batched<ProductGroupId, Group<VariantRow>>,
    pub offers_by_product: Batched<ProductId, Group<(ProductId, Arc<ProductRow>)>>,
    pub purchases: Batched<ProductId, Arc<PurchaseRow>>,
    pub products_of: Paged<ProductParent, ProductList, ProductRow>,
    pub movements_of: Paged<(), Latest, MovementRow>,
    pub images_by_product: Batched<ProductId, Group<Image>>,
    pub price_changes_of: Paged<(), Latest, PriceChangeRow>,
    pub latest_prices: Batched<ProductId, Arc<PriceChangeRow>>,
    pub lines_by_cart: Batched<CartId, Group<CartLineRow>>,
    pub reservations_by_cart: Batched<CartId, Group<Reservation>>,
    pub orders_of: Paged<OrderParent, OrderList, OrderRow>,
    pub details_by_order: Batched<OrderId, Group<OrderDetailRow>>,
    pub payments_by_order: Batched<OrderId, Group<PaymentRow>>,
    pub operations_by_payment: Batched<PaymentId, Group<OperationRow>>,
    pub events_by_order: Batched<OrderId, Group<OrderEventRow>>,
    pub shipments_by_order: Batched<OrderId, Group<ShipmentRow>>,
    pub lines_by_shipment: Batched<ShipmentId, Group<ShipmentLineRow>>,
    pub returns_by_order: Batched<OrderId, Group<ReturnRow>>,
    pub lines_by_return: Batched<ReturnId, Group<ReturnLineRow>>,
    pub reviews_of: Paged<ReviewParent, ReviewList, ReviewRow>,
    pub stars_by_product: Batched<ProductId, Group<Stars>>,
    /// Whoever wrote a review, for the name that everybody sees.
    pub authors: Batched<UserId, Arc<UserRow>>,
}

impl Loaders {
    /// Loaders for what this viewer may see, in the steps of one operation.
    pub fn new(steps: &Steps, db: Db, viewer: &Viewer) -> Self {
        let view = Arc::new(View::new(db, viewer));
        Self {
            by_id: ById::new(steps, &view),
            sources: by_parent!(steps, view, |conn, things| sources::store::by_nouns(conn, &things), row => (row.noun, row.noun_id)),
            addresses_by_user: by_parent!(steps, view, |conn, ids| users::store::addresses_by_user_ids(conn, &view.people(), &ids), row => row.user_id),
            sessions_by_user: by_parent!(steps, view, |conn, ids| access::store::sessions::live_by_user_ids(conn, view.me, &ids), row => row.user_id),
            api_keys_by_user: by_parent!(steps, view, |conn, ids| access::store::keys::by_user_ids(conn, view.me, &ids), key => key.row.user_id),
            children: paged_loaders!(
                steps,
                view,
                CategoryList,
                |conn, parent, list, ids| categories::store::pages_by_parent_ids(conn, &list, ids),
                categories::store::counts_by_parent_ids(conn, &list, ids)
            ),
            products_as_sold: by_id!(steps, view, |conn, ids| products::store::by_ids_as_sold(conn, &ids), row => row.id),
            variants_by_group: by_parent!(steps, view, |conn, ids| products::store::variants_by_group_ids(conn, &view.catalogue(), &ids), row => row.group_id),
            offers_by_product: by_parent!(steps, view, |conn, ids| products::store::offers_by_product_ids(conn, &view.catalogue(), &ids), row => row.0),
            purchases: by_id!(steps, view, |conn, ids| products::store::purchases_by_ids(conn, &ids), row => row.id),
            products_of: paged_loaders!(
                steps,
                view,
                ProductList,
                |conn, parent, list, ids| products::store::pages_by_parent_ids(
                    conn,
                    &view.catalogue(),
                    parent,
                    &list,
                    ids
                ),
                products::store::counts_by_parent_ids(conn, &view.catalogue(), parent, &list, ids)
            ),
            movements_of: paged_loaders!(
                steps,
                view,
                Latest,
                |conn, parent, list, ids| stock::store::pages_by_product_ids(conn, &list, ids),
                stock::store::counts_by_product_ids(conn, ids)
            ),
            images_by_product: by_parent!(steps, view, |conn, ids| media::store::by_product_ids(conn, &view.catalogue(), &ids), image => image.row.product_id),
            price_changes_of: paged_loaders!(
                steps,
                view,
                Latest,
                |conn, parent, list, ids| prices::store::pages_by_product_ids(conn, &list, ids),
                prices::store::counts_by_product_ids(conn, ids)
            ),
            latest_prices: by_id!(steps, view, |conn, ids| prices::store::latest_by_product_ids(conn, &ids), row => row.product_id),
            lines_by_cart: by_parent!(steps, view, |conn, ids| carts::store::lines_by_cart_ids(conn, &ids), row => row.cart_id),
            reservations_by_cart: by_parent!(steps, view, |conn, ids| carts::store::reservations_by_cart_ids(conn, &ids), row => row.cart_id),
            orders_of: paged_loaders!(
                steps,
                view,
                OrderList,
                |conn, parent, list, ids| orders::store::pages_by_parent_ids(conn, &view.sales(), parent, &list, ids),
                orders::store::counts_by_parent_ids(conn, &view.sales(), parent, &list, ids),
                orders::store::plans(&view.sales(), &list)
            ),
            details_by_order: by_parent!(steps, view, |conn, ids| orders::store::lines_by_order_ids(conn, &ids), row => row.order_id),
            events_by_order: by_parent!(steps, view, |conn, ids| orders::store::events::latest_by_order_ids(conn, &view.sales(), &ids), row => row.order_id),
            payments_by_order: by_parent!(steps, view, |conn, ids| payments::store::by_order_ids(conn, &view.payments(), &ids), row => row.order_id),
            operations_by_payment: by_parent!(steps, view, |conn, ids| payments::store::operations_by_payment_ids(conn, &ids), row => row.payment_id),
            shipments_by_order: by_parent!(steps, view, |conn, ids| orders::store::shipments::by_order_ids(conn, &ids), row => row.order_id),
            lines_by_shipment: by_parent!(steps, view, |conn, ids| orders::store::shipments::lines_by_shipment_ids(conn, &ids), row => row.shipment_id),
            returns_by_order: by_parent!(steps, view, |conn, ids| orders::store::returns::by_order_ids(conn, &ids), row => row.order_id),
            lines_by_return: by_parent!(steps, view, |conn, ids| orders::store::returns::lines_by_return_ids(conn, &ids), row => row.return_id),
            reviews_of: paged_loaders!(
                steps,
                view,
                ReviewList,
                |conn, parent, list, ids| reviews::store::pages_by_parent_ids(
                    conn,
                    &view.reviews(),
                    parent,
                    &list,
                    ids
                ),
                reviews::store::counts_by_parent_ids(conn, &view.reviews(), parent, &list, ids)
            ),
            stars_by_product: by_parent!(steps, view, |conn, ids| reviews::store::stars_by_product_ids(conn, &ids), row => row.product),
            authors: by_id!(steps, view, |conn, ids| users::store::by_ids(conn, &Scope::All, &ids), row => row.id),
        }
    }
}
