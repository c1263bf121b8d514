//! Plain fields: the values that an object returns without running its resolvers are those of the resolvers.

use std::sync::Arc;

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use souk::graphql::engine::scalars::Money;
use souk::graphql::engine::scalars::MoneyObject;
use souk::graphql::engine::scalars::money;
use souk::graphql::schema::categories::Category;
use souk::graphql::schema::categories::CategoryObject;
use souk::graphql::schema::categories::category;
use souk::graphql::schema::orders::Order;
use souk::graphql::schema::orders::OrderDetail;
use souk::graphql::schema::orders::OrderDetailObject;
use souk::graphql::schema::orders::OrderObject;
use souk::graphql::schema::orders::detail;
use souk::graphql::schema::orders::order;
use souk::graphql::schema::products::Product;
use souk::graphql::schema::products::ProductObject;
use souk::graphql::schema::products::product;
use souk::graphql::schema::users::User;
use souk::graphql::schema::users::UserObject;
use souk::graphql::schema::users::user;
use souk::ids::RowId;
use souk::money::Currency;
use souk::orders;
use souk::users;

use crate::support::{ProductSpec, TestApp};

struct Query {
    product: Product,
    order: Order,
    detail: OrderDetail,
    user: User,
    category: Category,
}

fn price() -> Money {
    money("12.5".parse().unwrap(), Currency::parse("EUR").unwrap())
}

/// Each object twice: as it is, and without the container that asks it for its values.
#[Object]
impl Query {
    async fn money_at_once(&self) -> Money {
        price()
    }
    async fn money_resolved(&self) -> MoneyObject {
        price().0
    }
    async fn product_at_once(&self) -> Product {
        self.product.clone()
    }
    async fn product_resolved(&self) -> ProductObject {
        self.product.0.clone()
    }
    async fn order_at_once(&self) -> Order {
        self.order.clone()
    }
    async fn order_resolved(&self) -> OrderObject {
        self.order.0.clone()
    }
    async fn detail_at_once(&self) -> OrderDetail {
        self.detail.clone()
    }
    async fn detail_resolved(&self) -> OrderDetailObject {
        self.detail.0.clone()
    }
    async fn user_at_once(&self) -> User {
        self.user.clone()
    }
    async fn user_resolved(&self) -> UserObject {
        self.user.0.clone()
    }
    async fn category_at_once(&self) -> Category {
        self.category.clone()
    }
    async fn category_resolved(&self) -> CategoryObject {
        self.category.0.clone()
    }
}

#[tokio::test]
async fn values_at_once_are_those_of_the_resolvers() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let shelf = app.category("lanterns", None).await;
    let row = app.product(website.id, ProductSpec { stock: 7, ..ProductSpec::default() }).await;
    let customer = app.customer().await;
    customer.order(&[(row.id, 2)]).await;
    let db = &app.database.db;
    let all = souk::auth::Scope::All;
    let first = orders::store::by_ids(&app.database.raw().await, &all, &[souk::ids::OrderId::from_key(1)]).await;
    let first = Arc::new(first.unwrap().remove(0));
    let line =
        db.read(async |conn| orders::store::lines_by_order_ids(conn, &[first.id]).await).await.unwrap().remove(0);
    let who = db.read(async |conn| users::store::by_ids(conn, &all, &[customer.id]).await).await.unwrap().remove(0);
    let query = Query {
        product: product(row),
        order: order(Arc::clone(&first)),
        detail: detail(Arc::new(line), first),
        user: user(who),
        category: category(shelf),
    };
    let schema = Schema::build(query, EmptyMutation, EmptySubscription).finish();
    for (object, fields) in [
        ("money", "amount currency"),
        ("product", "id name slug sku"),
        ("order", "id orderNumber"),
        ("detail", "id name sku quantity"),
        ("user", "id name"),
        ("category", "id name slug"),
    ] {
        let answer = |how: &str| format!("{{ answer: {object}{how} {{ {fields} }} }}");
        let (at_once, resolved) = (schema.execute(answer("AtOnce")).await, schema.execute(answer("Resolved")).await);
        assert!(at_once.errors.is_empty() && resolved.errors.is_empty(), "{at_once:?} {resolved:?}");
        assert_eq!(at_once.data, resolved.data);
    }
}
