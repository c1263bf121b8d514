//! Products in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};

use super::{
    brand::{Brand, brand},
    category::{Category, category},
    connection::{Connection, connect, cost, list, nested, wants_total},
    container::{Ordered, Plain},
    context::ContextExt,
    filters::{Conditions, DateTimeFilter, DecimalFilter, IdFilter, IntFilter, StringFilter},
    guards::Needs,
    loaders::PageKey,
    payload::payload,
    scalars::{Decimal, Money, global, money},
    supplier::{Supplier, supplier},
    user::{User, user},
    website::{Website, website},
};
use crate::{
    auth::Permission,
    brands::model::BrandRow,
    categories::model::CategoryRow,
    db::filter::Filter,
    error::{Error, ErrorCode, Result},
    ids::{BrandId, CategoryId, ProductId, RowId, SupplierId, WebsiteId},
    paging::{Cursor, Direction},
    products::{
        actions,
        model::{NewProduct, ProductCondition, ProductOrderField, ProductParent, ProductPatch, ProductRow},
        store::{self, ProductKey, ProductList},
    },
    stock,
};

/// See [`ProductObject`].
pub type Product = Ordered<ProductObject>;

/// What a website sells.
#[derive(Clone)]
pub struct ProductObject {
    row: Arc<ProductRow>,
    /// What came with the row in one join; absent where the loaders are to be asked.
    joined: Option<Joined>,
}

#[derive(Clone)]
struct Joined {
    category: Option<Arc<CategoryRow>>,
    brand: Option<Arc<BrandRow>>,
}

impl Plain for ProductObject {
    const PLAIN: &'static [&'static str] = &[
        "id",
        "name",
        "slug",
        "sku",
        "barcode",
        "variant",
        "description",
        "price",
        "stock",
        "isActive",
        "createdAt",
        "updatedAt",
    ];
}

/// The object of a row.
pub fn product(row: impl Into<Arc<ProductRow>>) -> Product {
    Ordered(ProductObject { row: row.into(), joined: None })
}

/// What a website sells: it has a SKU, a price and a stock.
#[Object(name = "Product")]
impl ProductObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.row.id)
    }

    /// Name for people.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Name in URLs, unique.
    async fn slug(&self) -> &str {
        &self.row.slug
    }

    /// Stock keeping unit, unique at the website.
    async fn sku(&self) -> &str {
        &self.row.sku
    }

    /// GTIN or another code on the pack.
    async fn barcode(&self) -> Option<&str> {
        self.row.barcode.as_deref()
    }

    /// Size, colour and the like, in words.
    async fn variant(&self) -> Option<&str> {
        self.row.variant.as_deref()
    }

    /// Text for people; empty where there is none.
    async fn description(&self) -> &str {
        &self.row.description
    }

    /// Price of one, in the website's currency.
    async fn price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.price, ctx.currency(self.row.source_website_id).await?))
    }

    /// Pieces that can be sold.
    async fn stock(&self) -> i32 {
        self.row.stock
    }

    /// Whether it is for sale; false after `productDelete`.
    async fn is_active(&self) -> bool {
        self.row.is_active
    }

    /// The website that sells it.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().websites.load(self.row.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("a product without its website".into()))
    }

    /// Its category.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        if let Some(joined) = &self.joined {
            return Ok(joined.category.clone().map(category));
        }
        let Some(id) = self.row.category_id else { return Ok(None) };
        Ok(ctx.loaders().categories.load(id).await?.map(category))
    }

    /// Its brand.
    async fn brand(&self, ctx: &Context<'_>) -> Result<Option<Brand>> {
        if let Some(joined) = &self.joined {
            return Ok(joined.brand.clone().map(brand));
        }
        let Some(id) = self.row.brand_id else { return Ok(None) };
        Ok(ctx.loaders().brands.load(id).await?.map(brand))
    }

    /// Whom it is bought from; null for all but staff and sellers.
    async fn supplier(&self, ctx: &Context<'_>) -> Result<Option<Supplier>> {
        let Some(id) = self.row.supplier_id.filter(|_| ctx.is_staff()) else { return Ok(None) };
        Ok(ctx.loaders().suppliers.load(id).await?.map(supplier))
    }

    /// The seller it belongs to; null for the shop's own, and where you may not see them.
    async fn seller(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.row.seller_id else { return Ok(None) };
        Ok(ctx.loaders().users.load(id).await?.map(user))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was last changed, its stock included.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}

/// Which products. Several fields hold together.
#[derive(Debug, Default, InputObject)]
pub struct ProductWhere {
    /// All of these hold.
    and: Option<Vec<ProductWhere>>,
    /// At least one of these holds.
    or: Option<Vec<ProductWhere>>,
    /// This does not hold.
    not: Option<Box<ProductWhere>>,
    /// By id.
    id: Option<IdFilter>,
    /// By name.
    name: Option<StringFilter>,
    /// By SKU.
    sku: Option<StringFilter>,
    /// By barcode.
    barcode: Option<StringFilter>,
    /// By price, without regard to the currency.
    price: Option<DecimalFilter>,
    /// By pieces in stock.
    stock: Option<IntFilter>,
    /// By category, itself only.
    category: Option<IdFilter>,
    /// By brand.
    brand: Option<IdFilter>,
    /// By supplier; for staff and sellers only.
    supplier: Option<IdFilter>,
    /// By website.
    source_website: Option<IdFilter>,
    /// By seller.
    seller: Option<IdFilter>,
    /// By whether it is for sale.
    is_active: Option<bool>,
    /// By when it was made.
    created_at: Option<DateTimeFilter>,
}

impl ProductWhere {
    fn names_supplier(&self) -> bool {
        let nested = self.and.iter().chain(&self.or).flatten().chain(self.not.as_deref());
        self.supplier.is_some() || nested.into_iter().any(Self::names_supplier)
    }

    fn filter(self) -> Result<Filter<ProductCondition>> {
        use ProductCondition as C;
        let mut all = Conditions::nested(self.and, self.or, self.not, Self::filter)?;
        all.id("id", self.id, C::Id)?;
        all.text("name", self.name, C::Name)?;
        all.text("sku", self.sku, C::Sku)?;
        all.text("barcode", self.barcode, C::Barcode)?;
        all.decimal(self.price, C::Price);
        all.int(self.stock, C::Stock);
        all.id("category", self.category, C::Category)?;
        all.id("brand", self.brand, C::Brand)?;
        all.id("supplier", self.supplier, C::Supplier)?;
        all.id("sourceWebsite", self.source_website, C::SourceWebsite)?;
        all.id("seller", self.seller, C::Seller)?;
        all.is(self.is_active.map(C::IsActive));
        all.time(self.created_at, C::CreatedAt);
        all.all()
    }
}

/// The order of a list of products.
#[derive(Debug, InputObject)]
pub struct ProductOrder {
    /// By what.
    field: ProductOrderField,
    /// Which way.
    #[graphql(default)]
    direction: Direction,
}

/// Reads the arguments of a list of products; the newest come first by default.
/// # Errors
/// User errors naming the argument; FORBIDDEN where the public filters by supplier.
pub fn list_of(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: Option<ProductWhere>,
    order: Option<ProductOrder>,
) -> Result<ProductList> {
    let filter = filter.unwrap_or_default();
    if filter.names_supplier() && !ctx.is_staff() {
        return Err(Error::Coded(ErrorCode::Forbidden, "only staff and sellers filter by supplier".into()));
    }
    let order = order.map_or((ProductOrderField::CreatedAt, Direction::Desc), |by| (by.field, by.direction));
    list(first, after, last, before, filter.filter()?, order, ProductOrderField::list)
}

fn cursor(list: &ProductList, row: &ProductRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// The products of a category, brand, supplier or website, batched over all of them.
/// # Errors
/// Those of the statements.
pub async fn of_parent(
    ctx: &Context<'_>,
    parent: ProductParent,
    id: i64,
    list: ProductList,
) -> Result<Connection<Product>> {
    let list = Arc::new(list);
    let key = PageKey { parent, id, list: Arc::clone(&list) };
    nested(ctx, &ctx.loaders().products_of, key, |row| cursor(&list, row), product).await
}

/// Queries of products.
#[derive(Default)]
pub struct ProductQuery;

#[Object]
impl ProductQuery {
    /// One product, by exactly one of: its id, its slug, or the code of its website and its SKU there. Null where there
    /// is none, or where it is not for sale any more.
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: Option<ID>,
        #[graphql(desc = "Its slug.")] slug: Option<String>,
        #[graphql(desc = "The code of its website; with `sku`.")] website: Option<String>,
        #[graphql(desc = "Its SKU; with `website`.")] sku: Option<String>,
    ) -> Result<Option<Product>> {
        let key = match (id, slug, website, sku) {
            (Some(id), None, None, None) => ProductKey::Id(ProductId::parse("id", &id)?),
            (None, Some(slug), None, None) => ProductKey::Slug(slug),
            (None, None, Some(website), Some(sku)) => ProductKey::Sku { website, sku },
            _ => return Err(Error::bad_input("id", "name the product by id, by slug, or by website and sku")),
        };
        let scope = ctx.viewer().scope(Permission::ManageProducts);
        let found = ctx.db().read(async |conn| store::find_with_category_and_brand(conn, scope, &key).await).await?;
        Ok(found.map(|(row, category, brand)| {
            let joined = Joined { category: category.map(Arc::new), brand: brand.map(Arc::new) };
            Ordered(ProductObject { row: Arc::new(row), joined: Some(joined) })
        }))
    }

    /// The products that you may see, by default the newest first: for the public those for sale, for sellers their own
    /// as well, for staff all.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<ProductWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = list_of(ctx, first, after, last, before, r#where, order_by)?;
        let scope = ctx.viewer().scope(Permission::ManageProducts);
        let total = async {
            if !wants_total(ctx) {
                return Ok(None);
            }
            ctx.db().read(async |conn| store::count(conn, scope, &list).await).await.map(Some)
        };
        let rows = ctx.db().read(async |conn| store::page(conn, scope, &list).await);
        let (rows, total) = futures_util::future::try_join(rows, total).await?;
        Ok(connect(list.page.finish(rows), total, |row| cursor(&list, row), product))
    }
}

/// A product to be. Its stock starts at 0: `stockAdjust` brings the first pieces.
#[derive(Debug, InputObject)]
pub struct ProductCreateInput {
    /// The website that sells it; it can never be changed.
    source_website_id: ID,
    /// Name for people, 1 to 255 characters.
    name: String,
    /// Name in URLs, unique; made from the name where absent.
    slug: Option<String>,
    /// Stock keeping unit, unique at the website, 1 to 100 characters.
    sku: String,
    /// GTIN or another code on the pack, 1 to 100 characters.
    barcode: Option<String>,
    /// Size, colour and the like, in words, 1 to 255 characters.
    variant: Option<String>,
    /// Text for people, at most 20,000 characters.
    #[graphql(default)]
    description: String,
    /// Price of one in the website's currency: 0 to 99999999.99, at most two decimals.
    price: Decimal,
    /// Its category.
    category_id: Option<ID>,
    /// Its brand.
    brand_id: Option<ID>,
    /// Whom it is bought from.
    supplier_id: Option<ID>,
}

/// A change of a product: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct ProductUpdateInput {
    /// Which product.
    id: ID,
    /// Name for people, 1 to 255 characters.
    name: Option<String>,
    /// Name in URLs, unique.
    slug: Option<String>,
    /// Stock keeping unit, unique at the website, 1 to 100 characters.
    sku: Option<String>,
    /// GTIN or another code on the pack, 1 to 100 characters.
    barcode: MaybeUndefined<String>,
    /// Size, colour and the like, in words, 1 to 255 characters.
    variant: MaybeUndefined<String>,
    /// Text for people, at most 20,000 characters.
    description: Option<String>,
    /// Price of one in the website's currency: 0 to 99999999.99, at most two decimals.
    price: Option<Decimal>,
    /// Its category.
    category_id: MaybeUndefined<ID>,
    /// Its brand.
    brand_id: MaybeUndefined<ID>,
    /// Whom it is bought from.
    supplier_id: MaybeUndefined<ID>,
    /// Whether it is for sale; true brings a deleted one back.
    is_active: Option<bool>,
}

/// Which product to take out of the catalogue.
#[derive(Debug, InputObject)]
pub struct ProductDeleteInput {
    /// Which product.
    id: ID,
}

/// A correction of a stock.
#[derive(Debug, InputObject)]
pub struct StockAdjustInput {
    /// Of which product.
    product_id: ID,
    /// Pieces: positive in, negative out, never 0.
    delta: i32,
    /// Why, in words, at most 1,000 characters.
    note: Option<String>,
    /// Makes sending it again safe: the same key never counts twice.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `productCreate`.
    ProductCreatePayload / ProductCreateObject {
        /// The new product.
        product: Product
    }
}
payload! {
    /// The answer of `productUpdate`.
    ProductUpdatePayload / ProductUpdateObject {
        /// The product as it is now.
        product: Product
    }
}
payload! {
    /// The answer of `productDelete`.
    ProductDeletePayload / ProductDeleteObject {
        /// The product, not for sale any more.
        product: Product
    }
}
payload! {
    /// The answer of `stockAdjust`.
    StockAdjustPayload / StockAdjustObject {
        /// The product with its new stock.
        product: Product
    }
}

/// An optional id of an input.
pub(super) fn optional_id<I: RowId>(field: &str, id: Option<ID>) -> Result<Option<I>> {
    id.map(|id| I::parse(field, &id)).transpose()
}

/// An id of a change: absent, cleared or new.
pub(super) fn patch_id<I: RowId>(field: &str, id: MaybeUndefined<ID>) -> Result<Option<Option<I>>> {
    match id {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(None)),
        MaybeUndefined::Value(id) => Ok(Some(Some(I::parse(field, &id)?))),
    }
}

impl ProductCreateInput {
    fn new_product(self) -> Result<NewProduct> {
        Ok(NewProduct {
            source_website_id: WebsiteId::parse("sourceWebsiteId", &self.source_website_id)?,
            category_id: optional_id::<CategoryId>("categoryId", self.category_id)?,
            brand_id: optional_id::<BrandId>("brandId", self.brand_id)?,
            supplier_id: optional_id::<SupplierId>("supplierId", self.supplier_id)?,
            seller_id: None,
            name: self.name,
            slug: self.slug.unwrap_or_default(),
            sku: self.sku,
            barcode: self.barcode,
            variant: self.variant,
            description: self.description,
            price: self.price.0,
        })
    }
}

impl ProductUpdateInput {
    fn patch(self) -> Result<(ProductId, ProductPatch)> {
        let patch = ProductPatch {
            category_id: patch_id("categoryId", self.category_id)?,
            brand_id: patch_id("brandId", self.brand_id)?,
            supplier_id: patch_id("supplierId", self.supplier_id)?,
            name: self.name,
            slug: self.slug,
            sku: self.sku,
            barcode: self.barcode.into(),
            variant: self.variant.into(),
            description: self.description,
            price: self.price.map(|price| price.0),
            is_active: self.is_active,
        };
        Ok((ProductId::parse("id", &self.id)?, patch))
    }
}

/// Mutations of products and their stock.
#[derive(Default)]
pub struct ProductMutation;

#[Object]
impl ProductMutation {
    /// Makes a product. Requires MANAGE_PRODUCTS or SELL_PRODUCTS; a seller's product belongs to them.
    #[graphql(guard = "Needs(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product to be.")] input: ProductCreateInput,
    ) -> Result<ProductCreatePayload> {
        let created = async { actions::create(ctx.db(), ctx.viewer(), input.new_product()?).await };
        ProductCreateObject::of(created.await.map(product))
    }

    /// Changes a product. Requires MANAGE_PRODUCTS, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "Needs(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: ProductUpdateInput,
    ) -> Result<ProductUpdatePayload> {
        let updated = async {
            let (id, patch) = input.patch()?;
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        ProductUpdateObject::of(updated.await.map(product))
    }

    /// Takes a product out of the catalogue; orders keep it. Requires MANAGE_PRODUCTS, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "Needs(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which product.")] input: ProductDeleteInput,
    ) -> Result<ProductDeletePayload> {
        let deleted = async {
            let id = ProductId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await
        };
        ProductDeleteObject::of(deleted.await.map(product))
    }

    /// Corrects a stock by so many pieces. Requires MANAGE_STOCK, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "Needs(&[Permission::ManageStock, Permission::SellProducts])")]
    async fn stock_adjust(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The correction.")] input: StockAdjustInput,
    ) -> Result<StockAdjustPayload> {
        let adjusted = async {
            let product = ProductId::parse("productId", &input.product_id)?;
            let adjustment = stock::actions::Adjustment { product, delta: input.delta, note: input.note };
            stock::actions::adjust(ctx.db(), ctx.viewer(), adjustment, input.idempotency_key).await
        };
        StockAdjustObject::of(adjusted.await.map(product))
    }
}
