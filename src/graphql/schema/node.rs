//! `node` and `nodes`: anything by its global id. What you may not see does not exist.

use async_graphql::{Context, ID, Interface, Object};

use crate::graphql::engine::container::Member;
use crate::graphql::engine::container::Members;
use crate::graphql::engine::container::OneOf;
use crate::graphql::schema::access::api_key::ApiKey;
use crate::graphql::schema::access::api_key::api_key;
use crate::graphql::schema::access::role::Role;
use crate::graphql::schema::access::role::role_object;
use crate::graphql::schema::access::session::Session;
use crate::graphql::schema::access::session::session;
use crate::graphql::schema::audit::AuditEntry;
use crate::graphql::schema::audit::audit_entry;
use crate::graphql::schema::brands::Brand;
use crate::graphql::schema::brands::brand;
use crate::graphql::schema::carts::Cart;
use crate::graphql::schema::carts::CartLine;
use crate::graphql::schema::carts::cart;
use crate::graphql::schema::carts::cart_line;
use crate::graphql::schema::categories::Category;
use crate::graphql::schema::categories::category;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::groups::ProductGroup;
use crate::graphql::schema::groups::product_group;
use crate::graphql::schema::jobs::Job;
use crate::graphql::schema::jobs::job;
use crate::graphql::schema::media::Image;
use crate::graphql::schema::media::image;
use crate::graphql::schema::orders::Order;
use crate::graphql::schema::orders::OrderDetail;
use crate::graphql::schema::orders::detail;
use crate::graphql::schema::orders::order;
use crate::graphql::schema::orders::returns::Return;
use crate::graphql::schema::orders::returns::return_object;
use crate::graphql::schema::orders::shipment::Shipment;
use crate::graphql::schema::orders::shipment::shipment;
use crate::graphql::schema::payments::Payment;
use crate::graphql::schema::payments::payment;
use crate::graphql::schema::prices::PriceChange;
use crate::graphql::schema::prices::price_change;
use crate::graphql::schema::products::Product;
use crate::graphql::schema::products::product;
use crate::graphql::schema::reviews::Review;
use crate::graphql::schema::reviews::review;
use crate::graphql::schema::search::SearchRule;
use crate::graphql::schema::search::search_rule;
use crate::graphql::schema::stock::StockMovement;
use crate::graphql::schema::stock::movement;
use crate::graphql::schema::suppliers::Supplier;
use crate::graphql::schema::suppliers::supplier;
use crate::graphql::schema::transfers::Transfer;
use crate::graphql::schema::transfers::transfer;
use crate::graphql::schema::users::User;
use crate::graphql::schema::users::address::Address;
use crate::graphql::schema::users::address::address;
use crate::graphql::schema::users::user;
use crate::graphql::schema::websites::Website;
use crate::graphql::schema::websites::website;
use crate::{
    error::{Error, Result, UserErrorCode},
    ids::{
        self, AddressId, ApiKeyId, AuditEntryId, BrandId, CartId, CartLineId, CategoryId, ImageId, JobId,
        OrderDetailId, OrderId, PaymentId, PriceChangeId, ProductGroupId, ProductId, ReturnId, ReviewId, RoleId, RowId,
        SearchRuleId, SessionId, ShipmentId, StockMovementId, SupplierId, TransferId, UserId, WebsiteId,
    },
};

/// Most ids of `nodes`.
const MAX_NODES: usize = 100;

macro_rules! nodes {
    ($($(#[doc = $doc:literal])* $type:ident;)*) => {
        /// Anything that has a global id.
        #[derive(Clone, Interface)]
        #[graphql(name = "Node", field(name = "id", ty = "ID", desc = "Opaque id, unique across all types."))]
        pub enum AnyNode {$($(#[doc = $doc])* $type($type),)*}

        impl Members for AnyNode {
            fn member(&self) -> &dyn Member {
                match self { $(Self::$type(object) => object,)* }
            }
        }
    };
}

nodes! {
    /// A website.
    Website;
    /// A user.
    User;
    /// An address.
    Address;
    /// A role.
    Role;
    /// A login on one device.
    Session;
    /// A key of a machine.
    ApiKey;
    /// A category.
    Category;
    /// A brand.
    Brand;
    /// A supplier.
    Supplier;
    /// A product.
    Product;
    /// A price that a product had or has.
    PriceChange;
    /// An entry of the ledger of stock.
    StockMovement;
    /// A picture of a product.
    Image;
    /// A group of products.
    ProductGroup;
    /// A cart.
    Cart;
    /// A line of a cart.
    CartLine;
    /// An order.
    Order;
    /// A line of an order.
    OrderDetail;
    /// A payment.
    Payment;
    /// A part of an order on its way.
    Shipment;
    /// A part of an order on its way back.
    Return;
    /// What a customer says of a product.
    Review;
    /// An entry of the audit log.
    AuditEntry;
    /// A job of the background.
    Job;
    /// An import or export.
    Transfer;
    /// What a merchant tells the search.
    SearchRule;
}

/// Anything that has a global id, in the graph.
pub type Node = OneOf<AnyNode>;

/// `node` and `nodes`.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Anything by its id; null where there is no such thing, or not for you.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Node>> {
        find(ctx, "id", &id).await
    }

    /// Several things by their ids, at most 100, in the order of the ids; null for each that there is not.
    #[graphql(complexity = "ids.len() * child_complexity")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Their ids.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(Error::user(UserErrorCode::OutOfRange, "ids", format!("give at most {MAX_NODES} ids")));
        }
        let finds =
            ids.iter().enumerate().map(|(index, id)| async move { find(ctx, &format!("ids.{index}"), id).await });
        futures_util::future::try_join_all(finds).await
    }
}

async fn find(ctx: &Context<'_>, field: &str, id: &str) -> Result<Option<Node>> {
    let wrong = || Error::bad_input(field.to_owned(), "this is not the id of anything");
    let (name, key) = ids::split(id).ok_or_else(wrong)?;
    let all = ctx.loaders();
    let found = match name.as_str() {
        WebsiteId::TYPE => all.websites.load(WebsiteId(key)).await?.map(|row| AnyNode::Website(website(row))),
        UserId::TYPE => all.users.load(UserId(key)).await?.map(|row| AnyNode::User(user(row))),
        AddressId::TYPE => all.addresses.load(AddressId(key)).await?.map(|row| AnyNode::Address(address(row))),
        RoleId::TYPE => match ctx.viewer().user_id() {
            Some(_) => all.roles.load(RoleId(key)).await?.map(|role| AnyNode::Role(role_object(role))),
            None => None,
        },
        SessionId::TYPE => all.sessions.load(SessionId(key)).await?.map(|row| AnyNode::Session(session(row))),
        ApiKeyId::TYPE => all.api_keys.load(ApiKeyId(key)).await?.map(|key| AnyNode::ApiKey(api_key(key))),
        CategoryId::TYPE => all.categories.load(CategoryId(key)).await?.map(|row| AnyNode::Category(category(row))),
        BrandId::TYPE => all.brands.load(BrandId(key)).await?.map(|row| AnyNode::Brand(brand(row))),
        SupplierId::TYPE if !ctx.is_staff() => None,
        SupplierId::TYPE => all.suppliers.load(SupplierId(key)).await?.map(|row| AnyNode::Supplier(supplier(row))),
        ProductId::TYPE => all.products.load(ProductId(key)).await?.map(|row| AnyNode::Product(product(row))),
        PriceChangeId::TYPE => {
            all.price_changes.load(PriceChangeId(key)).await?.map(|row| AnyNode::PriceChange(price_change(row)))
        }
        StockMovementId::TYPE => {
            all.movements.load(StockMovementId(key)).await?.map(|row| AnyNode::StockMovement(movement(row)))
        }
        ImageId::TYPE => all.images.load(ImageId(key)).await?.map(|row| AnyNode::Image(image(row))),
        ProductGroupId::TYPE => {
            all.product_groups.load(ProductGroupId(key)).await?.map(|row| AnyNode::ProductGroup(product_group(row)))
        }
        CartId::TYPE => all.carts.load(CartId(key)).await?.map(|row| AnyNode::Cart(cart(row))),
        CartLineId::TYPE => match all.cart_lines.load(CartLineId(key)).await? {
            // Whoever holds the cart sees its lines.
            Some(line) => all.carts.load(line.cart_id).await?.map(|cart| AnyNode::CartLine(cart_line(line, cart))),
            None => None,
        },
        OrderId::TYPE => all.orders.load(OrderId(key)).await?.map(|row| AnyNode::Order(order(row))),
        OrderDetailId::TYPE => match all.details.load(OrderDetailId(key)).await? {
            // Whoever sees the order sees its lines.
            Some(line) => all.orders.load(line.order_id).await?.map(|order| AnyNode::OrderDetail(detail(line, order))),
            None => None,
        },
        PaymentId::TYPE => all.payments.load(PaymentId(key)).await?.map(|row| AnyNode::Payment(payment(row))),
        ShipmentId::TYPE => match all.shipments.load(ShipmentId(key)).await? {
            Some(row) => all.orders.load(row.order_id).await?.map(|order| AnyNode::Shipment(shipment(row, order))),
            None => None,
        },
        ReturnId::TYPE => match all.returns.load(ReturnId(key)).await? {
            Some(row) => all.orders.load(row.order_id).await?.map(|order| AnyNode::Return(return_object(row, order))),
            None => None,
        },
        ReviewId::TYPE => all.reviews.load(ReviewId(key)).await?.map(|row| AnyNode::Review(review(row))),
        AuditEntryId::TYPE => {
            all.audit_entries.load(AuditEntryId(key)).await?.map(|row| AnyNode::AuditEntry(audit_entry(row)))
        }
        TransferId::TYPE => all.transfers.load(TransferId(key)).await?.map(|row| AnyNode::Transfer(transfer(row))),
        SearchRuleId::TYPE => {
            all.search_rules.load(SearchRuleId(key)).await?.map(|row| AnyNode::SearchRule(search_rule(row)))
        }
        JobId::TYPE => all.jobs.load(JobId(key)).await?.map(|row| AnyNode::Job(job(row))),
        _ => return Err(wrong()),
    };
    Ok(found.map(OneOf))
}
