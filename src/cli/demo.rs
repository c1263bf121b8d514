//! `souk demo`, and `souk serve --demo`: a small market for an empty database.
//! Rule: all of it or nothing, and never into a database that holds anything.

use std::{collections::HashMap, fmt};

use chrono::{Duration, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{CommandResult, database::with_database};
use crate::{
    access,
    auth::{PasswordCost, Passwords, Scope, Viewer},
    brands::{self, model::NewBrand},
    categories::{self, model::NewCategory},
    config::Settings,
    db::{Conn, Db, filter::Filter},
    error::{Error, Result},
    ids::{BrandId, CategoryId, ProductId, SupplierId, UserId, WebsiteId},
    orders::{
        self,
        model::{Contact, NewOrder, NewOrderDetail, Shipping, Status},
    },
    paging::{Direction, List, Page},
    products::{
        self,
        model::{NewProduct, ProductRow},
    },
    stock::{
        self,
        model::{NewMovement, Reason},
    },
    suppliers::{self, model::NewSupplier},
    text,
    users::{
        self,
        model::{NewAddress, NewUser, UserOrderField},
    },
    websites::{self, language::Language, model::NewWebsite},
};

const DEMO_JSON: &str = include_str!("demo.json");

/// A login of the market, one for each role.
pub(super) struct Login {
    role: String,
    email: String,
    password: String,
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.role, self.email, self.password)
    }
}

#[derive(Deserialize)]
struct DemoData {
    websites: Vec<Website>,
    categories: Vec<Category>,
    brands: Vec<Brand>,
    suppliers: Vec<Supplier>,
    users: Vec<User>,
    products: Vec<Product>,
    orders: Vec<Order>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Website {
    code: String,
    name: String,
    base_url: String,
    currency: String,
}

#[derive(Deserialize)]
struct Category {
    slug: String,
    name: String,
    description: String,
    parent: Option<String>,
}

#[derive(Deserialize)]
struct Brand {
    slug: String,
    name: String,
    description: String,
}

#[derive(Deserialize)]
struct Supplier {
    name: String,
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Deserialize)]
struct User {
    email: String,
    name: String,
    role: String,
    password: String,
    phone: Option<String>,
    website: String,
    addresses: Vec<Address>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
struct Address {
    country: String,
    city: String,
    district: Option<String>,
    address: String,
    postal_code: Option<String>,
    is_default: bool,
}

#[derive(Deserialize)]
struct Product {
    website: String,
    sku: String,
    name: String,
    description: String,
    price: Decimal,
    category: String,
    brand: String,
    supplier: String,
    seller: Option<String>,
    barcode: Option<String>,
    variant: Option<String>,
    stock: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    website: String,
    customer: String,
    placed_days_ago: i64,
    status: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    sku: String,
    quantity: i32,
}

pub(super) async fn run(settings: &Settings) -> CommandResult {
    let seed = async |db: Db| seed(&db, &Passwords::new(PasswordCost::default())?).await;
    let logins = with_database(settings, seed).await?;
    if logins.is_empty() {
        print_line!("the database is not empty: nothing was changed");
    }
    logins.iter().for_each(|login| print_line!("{login}"));
    Ok(())
}

/// Fills an empty database. Gives the logins where the market is there, filled now or before; none where the database
/// holds something else.
pub(super) async fn seed(db: &Db, passwords: &Passwords) -> Result<Vec<Login>> {
    let data: DemoData =
        serde_json::from_str(DEMO_JSON).map_err(|error| Error::Internal(format!("demo.json: {error}")))?;
    let mut password_hashes: HashMap<&str, String> = HashMap::new();
    if db.read(is_empty).await? {
        for user in &data.users {
            if !password_hashes.contains_key(user.password.as_str()) {
                password_hashes.insert(&user.password, passwords.hash(user.password.clone()).await?);
            }
        }
        let is_seeded = db
            .transaction(async |conn| {
                websites::store::lock_all(conn).await?;
                if is_empty(conn).await? {
                    insert_all(conn, &data, &password_hashes).await.map(|()| true)
                } else {
                    Ok(false)
                }
            })
            .await?;
        if is_seeded {
            tracing::info!(products = data.products.len(), orders = data.orders.len(), "filled the demo market");
        }
    }
    let mut logins = Vec::new();
    for user in one_per_role(&data.users) {
        if db.read(async |conn| users::store::find_login(conn, &user.email).await).await?.is_some() {
            let User { role, email, password, .. } = user;
            logins.push(Login { role: role.clone(), email: email.clone(), password: password.clone() });
        }
    }
    Ok(logins)
}

fn one_per_role(users: &[User]) -> impl Iterator<Item = &User> {
    let mut seen: Vec<&str> = Vec::new();
    users.iter().filter(move |user| {
        let is_first = !seen.contains(&user.role.as_str());
        seen.push(&user.role);
        is_first
    })
}

async fn is_empty(conn: &Conn) -> Result<bool> {
    let any_user = List {
        filter: Filter::default(),
        order: UserOrderField::default(),
        direction: Direction::Asc,
        page: Page::first("users", 1),
    };
    Ok(websites::store::count(conn).await? == 0 && users::store::count(conn, &Scope::All, &any_user).await? == 0)
}

/// The rows that later ones refer to, by the names that `demo.json` calls them.
#[derive(Default)]
struct InsertedRows<'m> {
    websites: HashMap<&'m str, WebsiteId>,
    categories: HashMap<&'m str, CategoryId>,
    brands: HashMap<&'m str, BrandId>,
    suppliers: HashMap<&'m str, SupplierId>,
    users: HashMap<&'m str, UserId>,
    products: HashMap<(&'m str, &'m str), ProductRow>,
}

fn look_up<K: std::hash::Hash + Eq + fmt::Debug, V: Clone>(map: &HashMap<K, V>, name: K) -> Result<V> {
    map.get(&name)
        .cloned()
        .ok_or_else(|| Error::Internal(format!("demo.json names {name:?}, which it does not define")))
}

async fn insert_all(conn: &Conn, data: &DemoData, password_hashes: &HashMap<&str, String>) -> Result<()> {
    let mut inserted = InsertedRows::default();
    insert_catalog(conn, data, &mut inserted).await?;
    for user in &data.users {
        inserted.users.insert(&user.email, insert_user(conn, user, password_hashes, &inserted).await?);
    }
    for product in &data.products {
        let row = insert_product(conn, product, &inserted).await?;
        inserted.products.insert((&product.website, &product.sku), row);
    }
    let mut orders: Vec<&Order> = data.orders.iter().collect();
    orders.sort_by_key(|order| -order.placed_days_ago);
    for order in orders {
        insert_order(conn, order, data, &inserted).await?;
    }
    Ok(())
}

async fn insert_catalog<'m>(conn: &Conn, data: &'m DemoData, inserted: &mut InsertedRows<'m>) -> Result<()> {
    for website in &data.websites {
        let Website { code, name, base_url, currency } = website;
        let new = NewWebsite {
            code: code.clone(),
            name: name.clone(),
            base_url: base_url.clone(),
            currency: currency.clone(),
            language: Language::En,
        };
        inserted.websites.insert(code, websites::store::insert(conn, &new).await?.id);
    }
    for (position, category) in (0..).zip(&data.categories) {
        let parent_id = category.parent.as_deref().map(|slug| look_up(&inserted.categories, slug)).transpose()?;
        let Category { name, slug, description, .. } = category;
        let new = NewCategory {
            parent_id,
            name: name.clone(),
            slug: slug.clone(),
            description: description.clone(),
            position,
            path: Vec::new(),
        };
        inserted.categories.insert(slug, categories::store::insert(conn, &new).await?.id);
    }
    for Brand { slug, name, description } in &data.brands {
        let new = NewBrand { name: name.clone(), slug: slug.clone(), description: description.clone() };
        inserted.brands.insert(slug, brands::store::insert(conn, &new).await?.id);
    }
    for Supplier { name, email, phone } in &data.suppliers {
        let new = NewSupplier {
            name: name.clone(),
            contact_name: None,
            email: email.clone(),
            phone: phone.clone(),
            lead_time_days: None,
        }
        .checked()?;
        inserted.suppliers.insert(name, suppliers::store::insert(conn, &new).await?.id);
    }
    Ok(())
}

async fn insert_user(
    conn: &Conn,
    user: &User,
    password_hashes: &HashMap<&str, String>,
    inserted: &InsertedRows<'_>,
) -> Result<UserId> {
    let role = access::store::roles::find_by_code(conn, &user.role).await?;
    let new = NewUser {
        name: user.name.clone(),
        phone: user.phone.as_deref().map(|phone| text::normalize_phone("phone", phone)).transpose()?,
        email: Some(text::normalize_email("email", &user.email)?),
        password_hash: Some(look_up(password_hashes, user.password.as_str())?),
        role_id: role.ok_or_else(|| Error::Internal(format!("demo.json names the role {}", user.role)))?.row.id,
        source_website_id: Some(look_up(&inserted.websites, user.website.as_str())?),
    };
    let id = users::store::insert(conn, &new).await?.id;
    users::store::update_verified(conn, id).await?;
    for Address { country, city, district, address, postal_code, is_default } in user.addresses.clone() {
        let new = NewAddress { user_id: id, country, city, district, address, postal_code, is_default };
        users::store::insert_address(conn, &new).await?;
    }
    Ok(id)
}

async fn insert_product(conn: &Conn, product: &Product, inserted: &InsertedRows<'_>) -> Result<ProductRow> {
    let seller_id = product.seller.as_deref().map(|email| look_up(&inserted.users, email)).transpose()?;
    let new = NewProduct {
        source_website_id: look_up(&inserted.websites, product.website.as_str())?,
        category_id: Some(look_up(&inserted.categories, product.category.as_str())?),
        brand_id: Some(look_up(&inserted.brands, product.brand.as_str())?),
        supplier_id: Some(look_up(&inserted.suppliers, product.supplier.as_str())?),
        seller_id,
        name: product.name.clone(),
        slug: String::new(),
        sku: product.sku.clone(),
        barcode: product.barcode.clone(),
        variant: product.variant.clone(),
        description: product.description.clone(),
        price: product.price,
        compare_at_price: None,
        cost_price: None,
        supplier_sku: None,
        group_id: None,
        option_values: vec![],
        low_stock_threshold: None,
    };
    let row = products::actions::create_in(conn, &Viewer::system(), new).await?;
    if product.stock > 0 {
        stock::store::insert(conn, &[NewMovement::new(row.id, None, None, Reason::Opening, product.stock)]).await?;
    }
    Ok(row)
}

async fn insert_order(conn: &Conn, order: &Order, data: &DemoData, inserted: &InsertedRows<'_>) -> Result<()> {
    let status: Status = order.status.parse().map_err(Error::Internal)?;
    let customer = look_up(&inserted.users, order.customer.as_str())?;
    let address = data.users.iter().find(|user| user.email == order.customer).and_then(|user| user.addresses.first());
    let number = orders::store::next_number(conn).await?;
    let new = NewOrder {
        id: None,
        checkout_id: None,
        contact: Contact::default(),
        customer_note: None,
        cart_token_hash: None,
        source_website_id: look_up(&inserted.websites, order.website.as_str())?,
        order_number: format!("{}-{number}", order.website.to_uppercase()),
        user_id: Some(customer),
        status,
        shipping: address.cloned().map_or_else(Shipping::default, |address| Shipping {
            ship_country: Some(address.country),
            ship_city: Some(address.city),
            ship_district: address.district,
            ship_address: Some(address.address),
            ship_postal_code: address.postal_code,
        }),
        placed_at: Utc::now() - Duration::days(order.placed_days_ago),
    };
    let id = orders::store::insert(conn, &new).await?.id;
    let mut lines = Vec::new();
    let mut sold_items: Vec<(ProductId, i32)> = Vec::new();
    for Line { sku, quantity } in &order.lines {
        let product = look_up(&inserted.products, (order.website.as_str(), sku.as_str()))?;
        sold_items.push((product.id, *quantity));
        lines.push(NewOrderDetail {
            order_id: id,
            product_id: product.id,
            name: product.name,
            sku: product.sku,
            quantity: *quantity,
            unit_price: product.price,
        });
    }
    orders::store::insert_lines(conn, &lines).await?;
    let movements = |reason, sign: i32| {
        let new = move |(product, quantity): &(ProductId, i32)| {
            NewMovement::new(*product, Some(id), Some(customer), reason, sign * quantity)
        };
        sold_items.iter().map(new).collect::<Vec<_>>()
    };
    stock::store::insert(conn, &movements(Reason::Sale, -1)).await?;
    if status == Status::Cancelled {
        stock::store::insert(conn, &movements(Reason::Cancellation, 1)).await?;
    }
    Ok(())
}
