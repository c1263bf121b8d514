//! `node` and `nodes`: anything by its global id. What you may not see does not exist.

use souk_macros::object;
use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry,
};

use crate::{
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::container::{self, Member, Members, OneOf, register_interface},
        schema::{
            access::{
                api_key::{ApiKey, api_key},
                role::{Role, role_object},
                session::{Session, session},
            },
            audit::{AuditEntry, audit_entry},
            brands::{Brand, brand},
            carts::{Cart, CartLine, cart, cart_line},
            categories::{Category, category},
            context::ContextExt,
            groups::{ProductGroup, product_group},
            jobs::{Job, job},
            media::{Image, image},
            orders::{
                Order, OrderDetail, detail, order,
                returns::{Return, return_object},
                shipment::{Shipment, shipment},
            },
            payments::{Payment, payment},
            prices::{PriceChange, price_change},
            products::{Product, product},
            reviews::{Review, review},
            search::{SearchRule, search_rule},
            stock::{StockMovement, movement},
            suppliers::{Supplier, supplier},
            transfers::{Transfer, transfer},
            users::{
                User,
                address::{Address, address},
                user,
            },
            websites::{Website, website},
        },
    },
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
        #[derive(Clone)]
        pub enum AnyNode {$($(#[doc = $doc])* $type($type),)*}

        impl OutputType for AnyNode {
            fn type_name() -> Cow<'static, str> {
                "Node".into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                register_interface::<Self>(
                    registry,
                    "Anything that has a global id.",
                    &[("id", ID::qualified_type_name, "Opaque id, unique across all types.")],
                    &[$((<$type>::type_name, <$type>::create_type_info),)*],
                )
            }

            async fn resolve(&self, context: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                container::answer(context, self.member(), false).await
            }
        }

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

#[object]
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
