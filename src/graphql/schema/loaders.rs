//! The request's batching loaders: what sibling fields ask for at the same time is one statement.
//! Rule: a loader is named for what it loads and by what, and sees what its viewer sees.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::try_join_all;

use crate::{
    access::{
        self,
        model::{Role, SessionRow, keys::ApiKey},
    },
    audit::{self, model::AuditRow},
    auth::{Holder, Permission, Scope, Viewer},
    brands::{self, model::BrandRow},
    carts::{
        self,
        model::{CartLineRow, CartRow, Reservation},
    },
    categories::{self, model::CategoryRow, store::CategoryList},
    db::{Db, Plans},
    error::Error,
    graphql::engine::batching::{Batched, Key, Loaded, Steps},
    groups::{self, model::ProductGroupRow},
    ids::{
        ApiKeyId, AuditEntryId, BrandId, CartId, CartLineId, CategoryId, ImageId, JobId, OrderDetailId, OrderId,
        PaymentId, PriceChangeId, ProductGroupId, ProductId, ReturnId, ReviewId, RoleId, SearchRuleId, SessionId,
        ShipmentId, StockMovementId, SupplierId, TransferId, UserId, WebsiteId,
    },
    jobs::{self, model::JobSeen},
    media::{self, model::Image},
    orders::{
        self,
        model::{
            OrderDetailRow, OrderEventRow, OrderParent, OrderRow, ReturnLineRow, ReturnRow, ShipmentLineRow,
            ShipmentRow,
        },
        store::OrderList,
    },
    paging::{Latest, Rows},
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
    reviews::{
        self,
        model::{ReviewParent, ReviewRow, Stars},
        store::ReviewList,
    },
    search::{self, model::rules::SearchRuleRow},
    sources::{
        self,
        model::{SourceNoun, SourceRow},
    },
    stock::{self, model::MovementRow},
    suppliers::{self, model::SupplierRow},
    transfers::runs::{
        self,
        model::{Reach, TransferRow},
    },
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

/// What the loaders of a request see of the database.
struct View {
    db: Db,
    /// Nobody's id for the anonymous, and for API keys: where somebody is logged in is for people.
    me: UserId,
    people: Scope,
    catalogue: Scope,
    ledger: Scope,
    sales: Scope,
    payments: Scope,
    changes: Scope,
    reviews: Scope,
    carts: Holder,
    work: Scope,
    rules: Scope,
    moves: Reach,
}

/// Rows of one parent, shared.
pub type Group<R> = Arc<[Arc<R>]>;

/// The loaders of one request, each with the viewer's scope.
#[allow(missing_docs, reason = "each is named for what it loads and by what")]
pub struct Loaders {
    pub websites: Batched<WebsiteId, Arc<WebsiteRow>>,
    pub sources: Batched<(SourceNoun, i64), Group<SourceRow>>,
    pub users: Batched<UserId, Arc<UserRow>>,
    pub addresses_by_user: Batched<UserId, Group<AddressRow>>,
    pub addresses: Batched<crate::ids::AddressId, Arc<AddressRow>>,
    pub roles: Batched<RoleId, Arc<Role>>,
    pub sessions: Batched<SessionId, Arc<SessionRow>>,
    pub sessions_by_user: Batched<UserId, Group<SessionRow>>,
    pub api_keys: Batched<ApiKeyId, Arc<ApiKey>>,
    pub api_keys_by_user: Batched<UserId, Group<ApiKey>>,
    pub categories: Batched<CategoryId, Arc<CategoryRow>>,
    pub children: Paged<(), CategoryList, CategoryRow>,
    pub brands: Batched<BrandId, Arc<BrandRow>>,
    pub suppliers: Batched<SupplierId, Arc<SupplierRow>>,
    pub products: Batched<ProductId, Arc<ProductRow>>,
    pub products_as_sold: Batched<ProductId, Arc<ProductRow>>,
    pub product_groups: Batched<ProductGroupId, Arc<ProductGroupRow>>,
    pub variants_by_group: Batched<ProductGroupId, Group<VariantRow>>,
    pub offers_by_product: Batched<ProductId, Group<(ProductId, Arc<ProductRow>)>>,
    pub purchases: Batched<ProductId, Arc<PurchaseRow>>,
    pub products_of: Paged<ProductParent, ProductList, ProductRow>,
    pub movements: Batched<StockMovementId, Arc<MovementRow>>,
    pub movements_of: Paged<(), Latest, MovementRow>,
    pub images: Batched<ImageId, Arc<Image>>,
    pub images_by_product: Batched<ProductId, Group<Image>>,
    pub price_changes: Batched<PriceChangeId, Arc<PriceChangeRow>>,
    pub price_changes_of: Paged<(), Latest, PriceChangeRow>,
    pub latest_prices: Batched<ProductId, Arc<PriceChangeRow>>,
    pub carts: Batched<CartId, Arc<CartRow>>,
    pub lines_by_cart: Batched<CartId, Group<CartLineRow>>,
    pub cart_lines: Batched<CartLineId, Arc<CartLineRow>>,
    pub reservations_by_cart: Batched<CartId, Group<Reservation>>,
    pub orders: Batched<OrderId, Arc<OrderRow>>,
    pub orders_of: Paged<OrderParent, OrderList, OrderRow>,
    pub details_by_order: Batched<OrderId, Group<OrderDetailRow>>,
    pub details: Batched<OrderDetailId, Arc<OrderDetailRow>>,
    pub payments: Batched<PaymentId, Arc<PaymentRow>>,
    pub payments_by_order: Batched<OrderId, Group<PaymentRow>>,
    pub operations_by_payment: Batched<PaymentId, Group<OperationRow>>,
    pub events_by_order: Batched<OrderId, Group<OrderEventRow>>,
    pub shipments: Batched<ShipmentId, Arc<ShipmentRow>>,
    pub shipments_by_order: Batched<OrderId, Group<ShipmentRow>>,
    pub lines_by_shipment: Batched<ShipmentId, Group<ShipmentLineRow>>,
    pub returns: Batched<ReturnId, Arc<ReturnRow>>,
    pub returns_by_order: Batched<OrderId, Group<ReturnRow>>,
    pub lines_by_return: Batched<ReturnId, Group<ReturnLineRow>>,
    pub reviews: Batched<ReviewId, Arc<ReviewRow>>,
    pub reviews_of: Paged<ReviewParent, ReviewList, ReviewRow>,
    pub stars_by_product: Batched<ProductId, Group<Stars>>,
    /// Whoever wrote a review, for the name that everybody sees.
    pub authors: Batched<UserId, Arc<UserRow>>,
    pub audit_entries: Batched<AuditEntryId, Arc<AuditRow>>,
    pub jobs: Batched<JobId, Arc<JobSeen>>,
    pub transfers: Batched<TransferId, Arc<TransferRow>>,
    pub search_rules: Batched<SearchRuleId, Arc<SearchRuleRow>>,
}

impl Loaders {
    /// Loaders for what this viewer may see, in the steps of one operation.
    pub fn new(steps: &Steps, db: Db, viewer: &Viewer) -> Self {
        let view = Arc::new(View {
            me: viewer.require_session().map_or(UserId(0), |(user, _)| user),
            people: viewer.scope(Permission::ManageUsers),
            catalogue: viewer.scope(Permission::ManageProducts),
            ledger: viewer.scope(Permission::ManageStock),
            sales: viewer.scope(Permission::ManageOrders),
            payments: payments::actions::scope(viewer),
            changes: viewer.scope(Permission::ViewAuditLog),
            reviews: viewer.scope(Permission::ManageReviews),
            work: viewer.scope(Permission::ManageJobs),
            rules: viewer.scope(Permission::ManageCatalogue),
            moves: Reach::of(viewer),
            carts: viewer.holder(),
            db,
        });
        Self {
            websites: by_id!(steps, view, |conn, ids| websites::store::by_ids(conn, &ids), row => row.id),
            sources: by_parent!(steps, view, |conn, things| sources::store::by_nouns(conn, &things), row => (row.noun, row.noun_id)),
            users: by_id!(steps, view, |conn, ids| users::store::by_ids(conn, &view.people, &ids), row => row.id),
            addresses: by_id!(steps, view, |conn, ids| users::store::addresses_by_ids(conn, &view.people, &ids), row => row.id),
            addresses_by_user: by_parent!(steps, view, |conn, ids| users::store::addresses_by_user_ids(conn, &view.people, &ids), row => row.user_id),
            roles: by_id!(steps, view, |conn, ids| access::store::roles::by_ids(conn, &ids), role => role.row.id),
            sessions: by_id!(steps, view, |conn, ids| access::store::sessions::live_by_ids(conn, view.me, &ids), row => row.id),
            sessions_by_user: by_parent!(steps, view, |conn, ids| access::store::sessions::live_by_user_ids(conn, view.me, &ids), row => row.user_id),
            api_keys: by_id!(steps, view, |conn, ids| access::store::keys::by_ids(conn, view.me, &ids), key => key.row.id),
            api_keys_by_user: by_parent!(steps, view, |conn, ids| access::store::keys::by_user_ids(conn, view.me, &ids), key => key.row.user_id),
            categories: by_id!(steps, view, |conn, ids| categories::store::by_ids(conn, &ids), row => row.id),
            children: paged_loaders!(
                steps,
                view,
                CategoryList,
                |conn, parent, list, ids| categories::store::pages_by_parent_ids(conn, &list, ids),
                categories::store::counts_by_parent_ids(conn, &list, ids)
            ),
            brands: by_id!(steps, view, |conn, ids| brands::store::by_ids(conn, &ids), row => row.id),
            suppliers: by_id!(steps, view, |conn, ids| suppliers::store::by_ids(conn, &ids), row => row.id),
            products: by_id!(steps, view, |conn, ids| products::store::by_ids(conn, &view.catalogue, &ids), row => row.id),
            products_as_sold: by_id!(steps, view, |conn, ids| products::store::by_ids_as_sold(conn, &ids), row => row.id),
            product_groups: by_id!(steps, view, |conn, ids| groups::store::by_ids(conn, &ids), row => row.id),
            variants_by_group: by_parent!(steps, view, |conn, ids| products::store::variants_by_group_ids(conn, &view.catalogue, &ids), row => row.group_id),
            offers_by_product: by_parent!(steps, view, |conn, ids| products::store::offers_by_product_ids(conn, &view.catalogue, &ids), row => row.0),
            purchases: by_id!(steps, view, |conn, ids| products::store::purchases_by_ids(conn, &ids), row => row.id),
            products_of: paged_loaders!(
                steps,
                view,
                ProductList,
                |conn, parent, list, ids| products::store::pages_by_parent_ids(
                    conn,
                    &view.catalogue,
                    parent,
                    &list,
                    ids
                ),
                products::store::counts_by_parent_ids(conn, &view.catalogue, parent, &list, ids)
            ),
            movements: by_id!(steps, view, |conn, ids| stock::store::by_ids(conn, &view.ledger, &ids), row => row.id),
            movements_of: paged_loaders!(
                steps,
                view,
                Latest,
                |conn, parent, list, ids| stock::store::pages_by_product_ids(conn, &list, ids),
                stock::store::counts_by_product_ids(conn, ids)
            ),
            images: by_id!(steps, view, |conn, ids| media::store::by_ids(conn, &view.catalogue, &ids), image => image.row.id),
            images_by_product: by_parent!(steps, view, |conn, ids| media::store::by_product_ids(conn, &view.catalogue, &ids), image => image.row.product_id),
            price_changes: by_id!(steps, view, |conn, ids| prices::store::by_ids(conn, &view.catalogue, &ids), row => row.id),
            price_changes_of: paged_loaders!(
                steps,
                view,
                Latest,
                |conn, parent, list, ids| prices::store::pages_by_product_ids(conn, &list, ids),
                prices::store::counts_by_product_ids(conn, ids)
            ),
            latest_prices: by_id!(steps, view, |conn, ids| prices::store::latest_by_product_ids(conn, &ids), row => row.product_id),
            carts: by_id!(steps, view, |conn, ids| carts::store::by_ids(conn, &view.carts, &ids), row => row.id),
            lines_by_cart: by_parent!(steps, view, |conn, ids| carts::store::lines_by_cart_ids(conn, &ids), row => row.cart_id),
            cart_lines: by_id!(steps, view, |conn, ids| carts::store::lines_by_ids(conn, &ids), row => row.id),
            reservations_by_cart: by_parent!(steps, view, |conn, ids| carts::store::reservations_by_cart_ids(conn, &ids), row => row.cart_id),
            orders: by_id!(steps, view, |conn, ids| orders::store::by_ids(conn, &view.sales, &ids), row => row.id),
            orders_of: paged_loaders!(
                steps,
                view,
                OrderList,
                |conn, parent, list, ids| orders::store::pages_by_parent_ids(conn, &view.sales, parent, &list, ids),
                orders::store::counts_by_parent_ids(conn, &view.sales, parent, &list, ids),
                orders::store::plans(&view.sales, &list)
            ),
            details_by_order: by_parent!(steps, view, |conn, ids| orders::store::lines_by_order_ids(conn, &ids), row => row.order_id),
            details: by_id!(steps, view, |conn, ids| orders::store::lines_by_ids(conn, &ids), row => row.id),
            events_by_order: by_parent!(steps, view, |conn, ids| orders::store::events::latest_by_order_ids(conn, &view.sales, &ids), row => row.order_id),
            payments: by_id!(steps, view, |conn, ids| payments::store::by_ids(conn, &view.payments, &ids), row => row.id),
            payments_by_order: by_parent!(steps, view, |conn, ids| payments::store::by_order_ids(conn, &view.payments, &ids), row => row.order_id),
            operations_by_payment: by_parent!(steps, view, |conn, ids| payments::store::operations_by_payment_ids(conn, &ids), row => row.payment_id),
            shipments: by_id!(steps, view, |conn, ids| orders::store::shipments::by_ids(conn, &ids), row => row.id),
            shipments_by_order: by_parent!(steps, view, |conn, ids| orders::store::shipments::by_order_ids(conn, &ids), row => row.order_id),
            lines_by_shipment: by_parent!(steps, view, |conn, ids| orders::store::shipments::lines_by_shipment_ids(conn, &ids), row => row.shipment_id),
            returns: by_id!(steps, view, |conn, ids| orders::store::returns::by_ids(conn, &ids), row => row.id),
            returns_by_order: by_parent!(steps, view, |conn, ids| orders::store::returns::by_order_ids(conn, &ids), row => row.order_id),
            lines_by_return: by_parent!(steps, view, |conn, ids| orders::store::returns::lines_by_return_ids(conn, &ids), row => row.return_id),
            reviews: by_id!(steps, view, |conn, ids| reviews::store::by_ids(conn, &view.reviews, &ids), row => row.id),
            reviews_of: paged_loaders!(
                steps,
                view,
                ReviewList,
                |conn, parent, list, ids| reviews::store::pages_by_parent_ids(conn, &view.reviews, parent, &list, ids),
                reviews::store::counts_by_parent_ids(conn, &view.reviews, parent, &list, ids)
            ),
            stars_by_product: by_parent!(steps, view, |conn, ids| reviews::store::stars_by_product_ids(conn, &ids), row => row.product),
            authors: by_id!(steps, view, |conn, ids| users::store::by_ids(conn, &Scope::All, &ids), row => row.id),
            jobs: by_id!(steps, view, |conn, ids| jobs::store::by_ids(conn, &view.work, &ids), row => row.id),
            transfers: by_id!(steps, view, |conn, ids| runs::store::by_ids(conn, &view.moves, &ids), row => row.id),
            search_rules: by_id!(steps, view, |conn, ids| search::store::rules::by_ids(conn, &view.rules, &ids), row => row.id),
            audit_entries: by_id!(steps, view, |conn, ids| audit::store::by_ids(conn, &view.changes, &ids), row => row.id),
        }
    }
}
