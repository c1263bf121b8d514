//! Where the rows of each noun come from, and the expression of each column.
//! Rule: an expression gives what an import of the column reads back as the same value: texts as they are, paths and pairs
//! as JSON, moments in UTC.

use super::super::super::{model::Noun, own::columns::Column};
use crate::error::{Error, Result};

/// A noun's rows. `$1` is the list of websites, null for all.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// What the joins name, up to the `SELECT`.
    with: &'static str,
    /// The table, and its short name.
    table: &'static str,
    /// What its rows refer to.
    joins: &'static str,
    /// Which of its rows.
    filter: &'static str,
    order: &'static str,
    /// Columns and their expressions.
    columns: &'static [(&'static str, &'static str)],
}

impl Rows {
    /// The statement that counts them.
    pub fn count(&self) -> String {
        format!("SELECT count(*) AS count FROM {} WHERE {}", self.table, self.filter)
    }

    /// The statement that gives these columns as a list of texts.
    /// # Errors
    /// Where there is no expression of a column.
    pub fn select(&self, columns: &[Column]) -> Result<String> {
        let expression = |column: &Column| {
            let found = self.columns.iter().find(|(name, _)| *name == column.name);
            let missing = || Error::Internal(format!("the column {} cannot be exported", column.name));
            found.map(|(_, expression)| format!("({expression})::text")).ok_or_else(missing)
        };
        let cells = columns.iter().map(expression).collect::<Result<Vec<_>>>()?.join(", ");
        let Self { with, table, joins, filter, order, .. } = self;
        Ok(format!("{with} SELECT ARRAY[{cells}] AS cells FROM {table} {joins} WHERE {filter} ORDER BY {order}"))
    }
}

macro_rules! moment {
    ($column:literal) => {
        concat!("to_char(", $column, " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    };
}

const PRODUCTS: Rows = Rows {
    with: "WITH shelves AS MATERIALIZED (
        SELECT c.id, json_agg(a.name ORDER BY cardinality(a.path)) AS names
        FROM categories c JOIN categories a ON a.id = ANY (c.path) GROUP BY c.id)",
    table: "products p",
    joins: "LEFT JOIN sources s ON s.noun = 'Product' AND s.noun_id = p.id AND s.website_id = p.source_website_id
        LEFT JOIN shelves c ON c.id = p.category_id
        LEFT JOIN brands b ON b.id = p.brand_id
        LEFT JOIN suppliers u ON u.id = p.supplier_id
        LEFT JOIN product_groups g ON g.id = p.group_id",
    filter: "p.source_website_id = ANY ($1)",
    order: "p.id",
    columns: &[
        ("external_id", "s.external_id"),
        ("sku", "p.sku"),
        ("name", "p.name"),
        ("slug", "p.slug"),
        ("barcode", "p.barcode"),
        ("variant", "p.variant"),
        ("description", "p.description"),
        ("price", "p.price"),
        ("compare_at_price", "p.compare_at_price"),
        ("cost_price", "p.cost_price"),
        ("category", "c.names"),
        ("brand", "b.name"),
        ("supplier", "u.name"),
        ("supplier_sku", "p.supplier_sku"),
        ("group", "g.slug"),
        ("group_name", "g.name"),
        ("options", "json_object(g.varies_by, p.option_values)"),
        ("low_stock_at", "p.low_stock_at"),
        ("stock", "p.stock"),
        ("is_active", "p.is_active"),
        (
            "images",
            "SELECT json_agg(json_build_object('url', coalesce(i.source_url,
                '/media/' || m.sha256 || '/' || m.widths[cardinality(m.widths)] || '.jpg'), 'alt', i.alt) ORDER BY i.position, i.id)
             FROM images i LEFT JOIN media m ON m.id = i.media_id WHERE i.product_id = p.id",
        ),
    ],
};

const STOCK: Rows = Rows {
    with: "",
    joins: "",
    columns: &[("sku", "p.sku"), ("stock", "p.stock"), ("low_stock_at", "p.low_stock_at")],
    ..PRODUCTS
};

/// Parents before their children.
const CATEGORIES: Rows = Rows {
    with: "",
    table: "categories c",
    joins: "LEFT JOIN sources s ON s.noun = 'Category' AND s.noun_id = c.id AND cardinality($1) = 1 AND s.website_id = ANY ($1)",
    filter: "true",
    order: "cardinality(c.path), c.position, c.id",
    columns: &[
        ("external_id", "s.external_id"),
        ("path", "SELECT json_agg(a.name ORDER BY cardinality(a.path)) FROM categories a WHERE a.id = ANY (c.path)"),
        ("name", "c.name"),
        ("slug", "c.slug"),
        ("description", "c.description"),
        ("position", "c.position"),
    ],
};

const BRANDS: Rows = Rows {
    with: "",
    table: "brands b",
    joins: "",
    filter: "true",
    order: "b.id",
    columns: &[("name", "b.name"), ("slug", "b.slug"), ("description", "b.description")],
};

const SUPPLIERS: Rows = Rows {
    with: "",
    table: "suppliers u",
    joins: "",
    filter: "true",
    order: "u.id",
    columns: &[
        ("name", "u.name"),
        ("contact_name", "u.contact_name"),
        ("email", "u.email"),
        ("phone", "u.phone"),
        ("lead_time_days", "u.lead_time_days"),
    ],
};

/// Who is known to the website, as a customer and not as staff. Whoever was erased is known to none.
const CUSTOMERS: Rows = Rows {
    with: "",
    table: "users u",
    joins: "LEFT JOIN sources s ON s.noun = 'User' AND s.noun_id = u.id AND s.website_id = ANY ($1)",
    filter: "u.erased_at IS NULL AND u.role_id = (SELECT r.id FROM roles r WHERE r.code = 'customer')
        AND (u.source_website_id = ANY ($1) OR u.id IN (SELECT k.noun_id FROM sources k WHERE k.noun = 'User' AND k.website_id = ANY ($1)))",
    order: "u.id",
    columns: &[
        ("external_id", "s.external_id"),
        ("email", "u.email"),
        ("name", "u.name"),
        ("phone", "u.phone"),
        ("is_active", "u.is_active"),
        (
            "addresses",
            "SELECT json_agg(json_build_object('country', a.country, 'city', a.city, 'district', a.district,
                'address', a.address, 'postal_code', a.postal_code, 'is_default', a.is_default) ORDER BY a.id)
             FROM addresses a WHERE a.user_id = u.id",
        ),
    ],
};

const ORDERS: Rows = Rows {
    with: "",
    table: "orders o",
    joins: "LEFT JOIN users u ON u.id = o.user_id
        LEFT JOIN sources s ON s.noun = 'User' AND s.noun_id = o.user_id AND s.website_id = o.source_website_id",
    filter: "o.source_website_id = ANY ($1)",
    order: "o.id",
    columns: &[
        ("number", "o.order_number"),
        ("status", "o.status"),
        ("customer_id", "s.external_id"),
        ("customer_email", "coalesce(u.email::text, o.contact_email)"),
        ("placed_at", moment!("o.placed_at")),
        ("total", "o.total_amount"),
        ("ship_country", "o.ship_country"),
        ("ship_city", "o.ship_city"),
        ("ship_district", "o.ship_district"),
        ("ship_address", "o.ship_address"),
        ("ship_postal_code", "o.ship_postal_code"),
        (
            "lines",
            "SELECT json_agg(json_build_object('sku', d.sku, 'name', d.name, 'quantity', d.quantity,
                'unit_price', d.unit_price::text, 'external_key', d.external_key) ORDER BY d.id)
             FROM order_details d WHERE d.order_id = o.id",
        ),
    ],
};

const STOCK_MOVEMENTS: Rows = Rows {
    with: "",
    table: "stock_movements m",
    joins: "JOIN products p ON p.id = m.product_id
        LEFT JOIN orders o ON o.id = m.order_id
        LEFT JOIN users u ON u.id = m.user_id",
    filter: "m.product_id IN (SELECT q.id FROM products q WHERE q.source_website_id = ANY ($1))",
    order: "m.id",
    columns: &[
        ("sku", "p.sku"),
        ("created_at", moment!("m.created_at")),
        ("reason", "m.reason"),
        ("delta", "m.delta"),
        ("balance", "m.balance"),
        ("order", "o.order_number"),
        ("user", "u.name"),
        ("note", "m.note"),
    ],
};

const REVIEWS: Rows = Rows {
    with: "",
    table: "reviews v",
    joins: "JOIN products p ON p.id = v.product_id JOIN users u ON u.id = v.user_id
        LEFT JOIN sources s ON s.noun = 'User' AND s.noun_id = v.user_id AND s.website_id = p.source_website_id",
    filter: "v.product_id IN (SELECT q.id FROM products q WHERE q.source_website_id = ANY ($1))",
    order: "v.id",
    columns: &[
        ("sku", "p.sku"),
        ("customer_id", "s.external_id"),
        ("customer_email", "u.email"),
        ("customer_name", "u.name"),
        ("rating", "v.rating"),
        ("title", "v.title"),
        ("text", "v.text"),
        ("status", "v.status"),
        ("is_buyer", "v.is_buyer"),
        ("created_at", moment!("v.created_at")),
    ],
};

const WEBSITES: Rows = Rows {
    with: "",
    table: "websites w",
    joins: "",
    filter: "($1 IS NULL OR w.id = ANY ($1))",
    order: "w.id",
    columns: &[("code", "w.code"), ("name", "w.name"), ("base_url", "w.base_url"), ("currency", "w.currency")],
};

/// The rows of a noun.
pub fn rows(noun: Noun) -> Rows {
    match noun {
        Noun::Products => PRODUCTS,
        Noun::Categories => CATEGORIES,
        Noun::Brands => BRANDS,
        Noun::Suppliers => SUPPLIERS,
        Noun::Customers => CUSTOMERS,
        Noun::Orders => ORDERS,
        Noun::Stock => STOCK,
        Noun::StockMovements => STOCK_MOVEMENTS,
        Noun::Websites => WEBSITES,
        Noun::Reviews => REVIEWS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_a_noun_can_be_exported() {
        for noun in Noun::ALL {
            let statement = rows(*noun).select(noun.columns());
            assert!(statement.is_ok(), "{noun:?}: {statement:?}");
        }
    }
}
