//! Inserts websites, categories, brands, suppliers, groups and products with their images, and search rules.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::{
    data::{Brand, Catalog, Category, DemoData, Group, Product, SearchRule, Supplier, Website},
    inserted::{InsertedRows, look_up, look_up_optional, named},
};
use crate::{
    auth::Viewer,
    brands::{self, model::NewBrand},
    categories::{self, model::NewCategory},
    db::Conn,
    error::Result,
    groups::{self, model::NewProductGroup},
    media::{
        self,
        model::{CatalogOwner, NewImage, NewMedia},
    },
    products::{
        self,
        model::{NewProduct, ProductRow, attributes::WeightUnit},
    },
    search::{self, model::rules::NewSearchRule},
    stock::model::{NewMovement, Reason},
    suppliers::{self, model::NewSupplier},
    websites::{self, language::Language, model::NewWebsite},
};

/// Age of the opening stock: older than the oldest order.
pub(super) const OPENED_HOURS_AGO: i64 = 24 * 150;

/// Inserts the rows that products refer to.
pub(super) async fn insert<'m>(conn: &Conn, catalog: &'m Catalog, inserted: &mut InsertedRows<'m>) -> Result<()> {
    for Website { code, name, base_url, currency, language } in &catalog.websites {
        let new = NewWebsite {
            code: code.clone(),
            name: name.clone(),
            base_url: base_url.clone(),
            currency: currency.clone(),
            language: named(Language::ALL, Language::as_str, language)?,
        };
        inserted.websites.insert(code, websites::store::insert(conn, &new).await?.id);
    }
    for (position, category) in (0..).zip(&catalog.categories) {
        let Category { name, slug, description, parent, .. } = category;
        let new = NewCategory {
            parent_id: look_up_optional(&inserted.categories, parent.as_ref())?,
            name: name.clone(),
            slug: slug.clone(),
            description: description.clone(),
            position: Some(position),
            path: Vec::new(),
        };
        inserted.categories.insert(slug, categories::store::insert(conn, &new).await?.id);
    }
    for Brand { slug, name, description, .. } in &catalog.brands {
        let new = NewBrand { name: name.clone(), slug: slug.clone(), description: description.clone() };
        inserted.brands.insert(slug, brands::store::insert(conn, &new).await?.id);
    }
    for Supplier { name, contact_name, email, phone, lead_time_days } in &catalog.suppliers {
        let new = NewSupplier {
            name: name.clone(),
            contact_name: contact_name.clone(),
            email: email.clone(),
            phone: phone.clone(),
            lead_time_days: *lead_time_days,
        }
        .checked()?;
        inserted.suppliers.insert(name, suppliers::store::insert(conn, &new).await?.id);
    }
    Ok(())
}

/// Inserts groups and products and links products. The users are inserted before. Returns the ledger entries of the opening
/// stock.
pub(super) async fn insert_products<'m>(
    conn: &Conn,
    data: &'m DemoData,
    inserted: &mut InsertedRows<'m>,
    now: DateTime<Utc>,
) -> Result<Vec<NewMovement>> {
    for Group { website, slug, name, description, varies_by } in &data.assortment.groups {
        let new = NewProductGroup {
            source_website_id: look_up(&inserted.websites, website.as_str())?,
            name: name.clone(),
            slug: slug.clone(),
            description: description.clone(),
            varies_by: varies_by.clone(),
        }
        .checked()?;
        inserted.groups.insert(slug, groups::store::insert(conn, &new).await?.id);
    }
    let mut movements = Vec::new();
    for product in &data.assortment.products {
        let row = insert_product(conn, product, inserted).await?;
        if product.stock > 0 {
            let opening = NewMovement::new(row.id, None, None, Reason::Opening, product.stock);
            movements.push(opening.at(now - Duration::hours(OPENED_HOURS_AGO)));
        }
        inserted.products.insert((&product.website, &product.sku), row);
    }
    for same in &data.assortment.links {
        let ids =
            same.iter().map(|name| Ok(look_up(&inserted.products, (name.website.as_str(), name.sku.as_str()))?.id));
        let link = products::store::new_link(conn).await?;
        products::store::update_links(conn, &ids.collect::<Result<Vec<_>>>()?, Some(link)).await?;
    }
    Ok(movements)
}

async fn insert_product<'m>(conn: &Conn, product: &'m Product, inserted: &InsertedRows<'m>) -> Result<ProductRow> {
    let new = NewProduct {
        source_website_id: look_up(&inserted.websites, product.website.as_str())?,
        category_id: Some(look_up(&inserted.categories, product.category.as_str())?),
        brand_id: Some(look_up(&inserted.brands, product.brand.as_str())?),
        supplier_id: Some(look_up(&inserted.suppliers, product.supplier.as_str())?),
        seller_id: look_up_optional(&inserted.users, product.seller.as_ref())?,
        name: product.name.clone(),
        slug: String::new(),
        sku: product.sku.clone(),
        barcode: product.barcode.clone(),
        variant: product.variant.clone(),
        description: product.description.clone(),
        price: product.price,
        compare_at_price: product.compare_at_price,
        cost_price: product.cost_price,
        supplier_sku: Some(product.supplier_sku.clone()),
        group_id: look_up_optional(&inserted.groups, product.group.as_ref())?,
        option_values: product.options.clone(),
        low_stock_threshold: product.low_stock_threshold,
        inventory_policy: product.inventory_policy,
        backorders: product.backorders,
        is_active: product.is_active,
        tags: product.tags.clone(),
        weight: product.weight_grams,
        weight_unit: product.weight_grams.map(|_| WeightUnit::Gram),
        seo_title: None,
        seo_description: None,
    };
    products::actions::create_in(conn, &Viewer::system(), new).await
}

/// Inserts the images of products and categories and the logos of brands. Their files are stored before.
pub(super) async fn insert_images(
    conn: &Conn,
    data: &DemoData,
    inserted: &InsertedRows<'_>,
    stored: &HashMap<&'static str, NewMedia>,
) -> Result<()> {
    let mut media_ids: HashMap<&str, i64> = HashMap::new();
    for (name, media) in stored {
        media_ids.insert(name, media::store::upsert_media(conn, media).await?.id);
    }
    let mut images = Vec::new();
    for product in &data.assortment.products {
        let name = (product.website.as_str(), product.sku.as_str());
        images.push(NewImage {
            product_id: Some(look_up(&inserted.products, name)?.id),
            media_id: Some(look_up(&media_ids, product.image.as_str())?),
            position: 1,
            alt: product.image_alt.clone(),
            ..NewImage::default()
        });
    }
    media::store::insert_missing(conn, &images).await?;
    for category in &data.catalog.categories {
        let owner = CatalogOwner::Category(look_up(&inserted.categories, category.slug.as_str())?);
        let media_id = look_up(&media_ids, category.image.as_str())?;
        media::store::replace(conn, &owner.image(media_id, category.name.clone(), None)).await?;
    }
    for brand in &data.catalog.brands {
        let owner = CatalogOwner::Brand(look_up(&inserted.brands, brand.slug.as_str())?);
        let media_id = look_up(&media_ids, brand.logo.as_str())?;
        media::store::replace(conn, &owner.image(media_id, brand.name.clone(), None)).await?;
    }
    Ok(())
}

/// Inserts the search rules.
pub(super) async fn insert_search_rules(conn: &Conn, catalog: &Catalog, inserted: &InsertedRows<'_>) -> Result<()> {
    for SearchRule { website, words, category, brand, product, url } in &catalog.search_rules {
        let product = product.as_ref().map(|sku| look_up(&inserted.products, (website.as_str(), sku.as_str())));
        let new = NewSearchRule {
            website_id: look_up(&inserted.websites, website.as_str())?,
            words: words.clone(),
            category_id: category.as_ref().map(|slug| look_up(&inserted.categories, slug.as_str())).transpose()?,
            brand_id: brand.as_ref().map(|slug| look_up(&inserted.brands, slug.as_str())).transpose()?,
            product_id: product.transpose()?.map(|row| row.id),
            url: url.clone(),
            blocks_suggestions: false,
        }
        .checked()?;
        search::store::rules::insert(conn, &new).await?;
    }
    Ok(())
}
