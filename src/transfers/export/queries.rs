//! One query for each noun: `$1` the website or none, `$2` the last key, `$3` how many; a key and the values of the columns
//! as texts, in their order, nested ones as JSON.

use super::super::model::Noun;

const PRODUCTS: &str = "
    WITH piece AS MATERIALIZED (
        SELECT * FROM products WHERE id > $2 AND ($1 IS NULL OR source_website_id = $1) ORDER BY id LIMIT $3
    ), paths AS MATERIALIZED (
        SELECT c.id, (SELECT json_agg(a.name ORDER BY p.depth)
                      FROM unnest(c.path) WITH ORDINALITY AS p (id, depth) JOIN categories a ON a.id = p.id)::text AS names
        FROM categories c WHERE c.id IN (SELECT category_id FROM piece)
    )
    SELECT p.id AS key, ARRAY[s.external_id, p.sku, p.name, p.slug, p.barcode, p.variant, p.description, p.price::text,
        p.compare_at_price::text, p.cost_price::text, c.names, b.name, f.name, p.supplier_sku, g.slug, g.name,
        CASE WHEN g.id IS NOT NULL THEN (SELECT json_object_agg(o.name, o.value ORDER BY o.place)
            FROM unnest(g.varies_by, p.option_values) WITH ORDINALITY AS o (name, value, place))::text END,
        p.low_stock_at::text, p.stock::text, p.is_active::text, NULL] AS cells
    FROM piece p
    LEFT JOIN sources s ON s.noun = 'Product' AND s.noun_id = p.id AND s.website_id = p.source_website_id
    LEFT JOIN paths c ON c.id = p.category_id
    LEFT JOIN brands b ON b.id = p.brand_id
    LEFT JOIN suppliers f ON f.id = p.supplier_id
    LEFT JOIN product_groups g ON g.id = p.group_id
    ORDER BY p.id";

const STOCK: &str = "
    SELECT id AS key, ARRAY[sku, stock::text, low_stock_at::text] AS cells
    FROM products WHERE id > $2 AND ($1 IS NULL OR source_website_id = $1) ORDER BY id LIMIT $3";

const STOCK_MOVEMENTS: &str = r#"
    SELECT m.id AS key, ARRAY[p.sku, to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), m.reason,
        m.delta::text, m.balance::text, o.order_number, u.name, m.note] AS cells
    FROM stock_movements m JOIN products p ON p.id = m.product_id
    LEFT JOIN orders o ON o.id = m.order_id LEFT JOIN users u ON u.id = m.user_id
    WHERE m.id > $2 AND ($1 IS NULL OR p.source_website_id = $1) ORDER BY m.id LIMIT $3"#;

const BRANDS: &str = "
    SELECT id AS key, ARRAY[name, slug, description] AS cells
    FROM brands WHERE id > $2 AND $1 IS NULL ORDER BY id LIMIT $3";

const SUPPLIERS: &str = "
    SELECT id AS key, ARRAY[name, contact_name, email, phone, lead_time_days::text] AS cells
    FROM suppliers WHERE id > $2 AND $1 IS NULL ORDER BY id LIMIT $3";

const CATEGORIES: &str = "
    SELECT c.id AS key, ARRAY[NULL, (SELECT json_agg(a.name ORDER BY p.depth)
        FROM unnest(c.path) WITH ORDINALITY AS p (id, depth) JOIN categories a ON a.id = p.id)::text,
        c.slug, c.description, c.position::text] AS cells
    FROM categories c WHERE c.id > $2 AND $1 IS NULL ORDER BY c.id LIMIT $3";

const WEBSITES: &str = "
    SELECT id AS key, ARRAY[code, name, base_url, currency] AS cells
    FROM websites WHERE id > $2 AND ($1 IS NULL OR id = $1) ORDER BY id LIMIT $3";

/// The query of a noun.
pub fn of(noun: Noun) -> &'static str {
    match noun {
        Noun::Products => PRODUCTS,
        Noun::Stock => STOCK,
        Noun::StockMovements => STOCK_MOVEMENTS,
        Noun::Brands => BRANDS,
        Noun::Suppliers => SUPPLIERS,
        Noun::Websites => WEBSITES,
        Noun::Categories => CATEGORIES,
        Noun::Customers | Noun::Orders | Noun::Reviews => WEBSITES,
    }
}
