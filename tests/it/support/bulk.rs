//! Bulk inserts by SQL, for tests that need many rows.
//! Rule: the id of every row is [`BASE`] plus its number, above the ids that the other builders assign.

use souk::ids::RowId;

use super::TestApp;
use crate::DOMAINS;

/// Added to a row's number to get its id.
pub const BASE: i64 = 1_000_000;

/// Returns the global id of the row with this number.
pub fn nth_id<I: RowId>(number: i64) -> String {
    I::from_key(BASE + number).to_global_id()
}

/// Number of tables with pages that VACUUM did not mark as visible to all.
const UNMARKED: &str = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relallvisible < relpages";

impl TestApp {
    /// Inserts `n` rows of every type; rows with the same number belong together: a website, a role for that website, a
    /// customer, two addresses, category `n + i` below category `i`, a brand, a supplier, a product in a group, an
    /// order of two lines (one shipped and requested for return) with a payment, an event and a stock ledger entry, a
    /// review of the product, an audit log entry and a dead job. The sellers have the numbers `n + i`.
    pub async fn seed_all(&self, n: i64) {
        let base = BASE;
        let script = format!(
            "INSERT INTO websites (id, code, name, base_url, currency)
                SELECT {base} + i, 'site-' || i, 'Site ' || i, 'https://site.example', 'EUR' FROM generate_series(1, {n}) i;
            INSERT INTO roles (id, code, name) SELECT {base} + i, 'role-' || i, 'Role ' || i FROM generate_series(1, {n}) i;
            INSERT INTO role_websites (role_id, website_id) SELECT {base} + i, {base} + i FROM generate_series(1, {n}) i;
            INSERT INTO users (id, created_at, name, email, role_id, source_website_id)
                SELECT {base} + i, now() + interval '1 minute', 'Buyer ' || i, 'buyer-' || i || '@souk.example', r.id, {base} + i
                FROM generate_series(1, {n}) i, roles r WHERE r.code = 'customer';
            INSERT INTO users (id, name, email, role_id, source_website_id)
                SELECT {base} + {n} + i, 'Seller ' || i, 'seller-' || i || '@souk.example', r.id, {base} + i
                FROM generate_series(1, {n}) i, roles r WHERE r.code = 'seller';
            INSERT INTO addresses (id, user_id, country, city, address)
                SELECT {base} + i, {base} + 1 + i % {n}, 'DE', 'Hamburg', 'Hafenstrasse 1' FROM generate_series(1, 2 * {n}) i;
            INSERT INTO categories (id, name, slug)
                SELECT {base} + i, 'Shelf ' || i, 'shelf-' || i FROM generate_series(1, {n}) i;
            INSERT INTO categories (id, parent_id, name, slug)
                SELECT {base} + {n} + i, {base} + i, 'Board ' || i, 'board-' || i FROM generate_series(1, {n}) i;
            INSERT INTO brands (id, name, slug)
                SELECT {base} + i, 'Maker ' || i, 'maker-' || i FROM generate_series(1, {n}) i;
            INSERT INTO suppliers (id, name) SELECT {base} + i, 'Depot ' || i FROM generate_series(1, {n}) i;
            INSERT INTO products (id, source_website_id, category_id, brand_id, supplier_id, seller_id, name, slug, sku, price, compare_at_price)
                SELECT {base} + i, {base} + i, {base} + {n} + i, {base} + i, {base} + i, {base} + {n} + i,
                       'Lantern ' || i, 'lantern-' || i, 'L-' || i, 10, 12 FROM generate_series(1, {n}) i;
            INSERT INTO media (id, sha256, format, width, height, bytes, blurhash, widths)
                SELECT {base} + i, encode(sha256(i::text::bytea), 'hex'), 'jpeg', 640, 480, 1000, 'LEHV6nWB2yk8', ARRAY[160, 320, 640]
                FROM generate_series(1, {n}) i;
            INSERT INTO images (id, product_id, media_id, position)
                SELECT {base} + i, {base} + i, {base} + i, 1 FROM generate_series(1, {n}) i;
            INSERT INTO images (id, product_id, source_url, position, failure, attempts, created_at)
                SELECT {base} + 3 * {n} + i, {base} + i, 'https://shop.example/' || i, 2, 'the server responded with status 404', 3,
                       now() - interval '1 day'
                FROM generate_series(1, {n}) i;
            INSERT INTO images (id, brand_id, media_id, position)
                SELECT {base} + {n} + i, {base} + i, {base} + i, 1 FROM generate_series(1, {n}) i;
            INSERT INTO images (id, category_id, media_id, position)
                SELECT {base} + 2 * {n} + i, {base} + i, {base} + i, 1 FROM generate_series(1, {n}) i;
            INSERT INTO product_groups (id, source_website_id, name, slug, varies_by)
                SELECT {base} + i, {base} + i, 'Group ' || i, 'group-' || i, '{{Size}}' FROM generate_series(1, {n}) i;
            UPDATE products SET group_id = id, option_values = '{{S}}' WHERE id > {base};
            ALTER TABLE price_changes DISABLE TRIGGER USER;
            DELETE FROM price_changes;
            INSERT INTO price_changes (id, product_id, user_id, price, compare_at_price, prior_price)
                SELECT {base} + i, {base} + i, {base} + i, 10, 12, 11 FROM generate_series(1, {n}) i;
            ALTER TABLE price_changes ENABLE TRIGGER USER;
            INSERT INTO orders (id, source_website_id, order_number, user_id, status, ship_country, ship_city, ship_address, contact_name)
                SELECT {base} + i, {base} + i, 'N-' || i, {base} + i, 'confirmed', 'DE', 'Hamburg', 'Hafenstrasse 1', 'Buyer ' || i
                FROM generate_series(1, {n}) i;
            INSERT INTO order_details (id, order_id, product_id, name, sku, quantity, unit_price)
                SELECT {base} + i, {base} + 1 + i % {n}, {base} + 1 + i / 2 % {n}, 'Lantern', 'L', 1, 10
                FROM generate_series(1, 2 * {n}) i;
            INSERT INTO stock_movements (id, product_id, order_id, user_id, reason, delta)
                SELECT {base} + i, {base} + i, {base} + i, {base} + i, 'cancellation', 10 FROM generate_series(1, {n}) i;
            INSERT INTO payments (id, order_id, provider, method, amount, currency)
                SELECT {base} + i, {base} + i, 'test', 'card', 20, 'EUR' FROM generate_series(1, {n}) i;
            INSERT INTO payment_operations (payment_id, kind, amount)
                SELECT {base} + i, 'authorize', 20 FROM generate_series(1, {n}) i;
            INSERT INTO shipments (id, order_id) SELECT {base} + i, {base} + 1 + i % {n} FROM generate_series(1, {n}) i;
            INSERT INTO shipment_lines SELECT {base} + i, {base} + i, 1 FROM generate_series(1, {n}) i;
            INSERT INTO returns (id, order_id) SELECT {base} + i, {base} + 1 + i % {n} FROM generate_series(1, {n}) i;
            INSERT INTO return_lines SELECT {base} + i, {base} + i, 1, 'torn' FROM generate_series(1, {n}) i;
            INSERT INTO reviews (id, product_id, user_id, rating, status)
                SELECT {base} + i, {base} + i, {base} + i, 1 + i % 5, 'approved' FROM generate_series(1, {n}) i;
            INSERT INTO order_events (order_id, user_id, kind, amount)
                SELECT {base} + i, {base} + i, 'payment_captured', 10 FROM generate_series(1, {n}) i;
            INSERT INTO audit_log (id, user_id, via, resource_type, resource_id, website_id, change)
                SELECT {base} + i, {base} + i, 'session', 'Order', {base} + i, {base} + i, 'updated'
                FROM generate_series(1, {n}) i;
            INSERT INTO transfers (id, direction, resource, format, website_id, user_id, errors, rejections, ignored_columns, notes)
                SELECT {base} + i, 'import', 'products', 'souk-csv', {base} + i, {base} + i, e, r, '[{{\"column\": \"Taxable\", \"rows\": 2}}]', '{{\"a note\": 2}}'
                FROM generate_series(1, {n}) i, jsonb('[{{\"line\": 2, \"column\": \"sku\", \"message\": \"a row has one\"}}]') e,
                    jsonb_build_array(e -> 0 || jsonb_build_object('count', 1, 'examples', e)) r;
            INSERT INTO sources (resource_type, resource_id, website_id, external_id, last_transfer_id)
                SELECT resource_type, {base} + i, {base} + i, i, {base} + i FROM generate_series(1, {n}) i, unnest(ARRAY['Product', 'Order', 'User']) resource_type;
            UPDATE products SET cost_price = 5, supplier_sku = 'D', tags = '{{brass}}', weight = 2, weight_unit = 'kg', seo_title = 'L', seo_description = 'D'
                WHERE id > {base};
            INSERT INTO search_rules (id, website_id, words, product_id)
                SELECT {base} + i, {base} + i, ARRAY['lantern ' || i], {base} + i FROM generate_series(1, {n}) i;
            INSERT INTO jobs (id, kind, payload, state) SELECT {base} + i, 'mail', '{{}}', 'dead' FROM generate_series(1, {n}) i;"
        );
        self.bulk_insert(&script).await;
        for domain in DOMAINS {
            self.bulk_insert(&(domain.seed_sql)(n)).await;
        }
    }

    /// Inserts 10,000 products of 20 websites, 200 categories (20 roots), 100 brands, 50 suppliers and 20 sellers. One
    /// product in fifty is not for sale, one in a thousand has a tag; 5,000 products are in 1,000 groups.
    pub async fn seed_catalog(&self) {
        let base = BASE;
        let script = format!(
            "INSERT INTO websites (id, code, name, base_url, currency)
                SELECT {base} + i, 'site-' || i, 'Site ' || i, 'https://site.example', 'EUR' FROM generate_series(1, 20) i;
            INSERT INTO users (id, name, email, role_id)
                SELECT {base} + i, 'Seller ' || i, 'seller-' || i || '@souk.example', r.id
                FROM generate_series(1, 20) i, roles r WHERE r.code = 'seller';
            INSERT INTO categories (id, name, slug)
                SELECT {base} + i, 'Shelf ' || i, 'shelf-' || i FROM generate_series(1, 20) i;
            INSERT INTO categories (id, parent_id, name, slug)
                SELECT {base} + i, {base} + 1 + i % 20, 'Board ' || i, 'board-' || i FROM generate_series(21, 200) i;
            INSERT INTO brands (id, name, slug)
                SELECT {base} + i, 'Maker ' || i, 'maker-' || i FROM generate_series(1, 100) i;
            INSERT INTO suppliers (id, name) SELECT {base} + i, 'Depot ' || i FROM generate_series(1, 50) i;
            INSERT INTO products (id, source_website_id, category_id, brand_id, supplier_id, seller_id, name, slug, sku,
                                  price, is_active, created_at, tags)
                SELECT {base} + i, {base} + 1 + i % 20, {base} + 1 + i % 200, {base} + 1 + i % 100, {base} + 1 + i % 50,
                       CASE WHEN i % 10 = 0 THEN {base} + 1 + i / 10 % 20 END, 'Lantern ' || md5(i::text),
                       'lantern-' || i, 'L-' || i, (i * 7919 % 10000) / 100.0, i % 50 <> 0, now() - i * interval '1 min',
                       CASE WHEN i % 1000 = 1 THEN '{{Rare}}'::text[] ELSE '{{}}' END
                FROM generate_series(1, 10000) i;
            INSERT INTO product_groups (id, source_website_id, name, slug, varies_by)
                SELECT {base} + i, {base} + 1 + i % 20, 'Group ' || md5(i::text), 'group-' || i, '{{Size}}'
                FROM generate_series(1, 1000) i;
            UPDATE products SET group_id = {base} + 1 + (id + 999) % 1000, option_values = ARRAY[sku]
                WHERE id BETWEEN {base} + 1 AND {base} + 5000;"
        );
        self.bulk_insert(&script).await;
    }

    /// Inserts, on top of [`TestApp::seed_catalog`], 4,000 customers with two addresses each, 20,000 orders of two
    /// lines and two events (5,000 with a payment; one confirmed order with a shipment and a return), 20,000 stock
    /// ledger entries, 20,000 audit log entries, 20,000 reviews and 5,000 jobs.
    pub async fn seed_orders(&self) {
        let base = BASE;
        let script = format!(
            "INSERT INTO users (id, name, email, role_id, created_at)
                SELECT {base} + i, 'Buyer ' || md5(i::text), 'buyer-' || i || '@souk.example', r.id, now() - i * interval '1 min'
                FROM generate_series(21, 4020) i, roles r WHERE r.code = 'customer';
            INSERT INTO addresses (user_id, country, city, address)
                SELECT {base} + 21 + i % 4000, 'DE', 'Hamburg', 'Hafenstrasse 1' FROM generate_series(1, 8000) i;
            INSERT INTO orders (id, source_website_id, order_number, user_id, contact_email, status, placed_at)
                SELECT {base} + i, {base} + 1 + i % 20, 'N-' || i, {base} + 21 + i % 4000, 'guest-' || i || '@souk.example',
                       (ARRAY['pending', 'confirmed', 'shipped', 'delivered', 'cancelled'])[1 + i % 5], now() - i * interval '1 min'
                FROM generate_series(1, 20000) i;
            INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
                SELECT {base} + 1 + i % 20000, {base} + 1 + i * 31 % 10000, 'Lantern', 'L', 1, i % 100
                FROM generate_series(1, 40000) i;
            INSERT INTO payments (id, order_id, provider, method, amount, currency)
                SELECT {base} + i, {base} + i, 'test', 'card', 20, 'EUR' FROM generate_series(1, 5000) i;
            INSERT INTO payment_operations (payment_id, kind, amount)
                SELECT {base} + i, 'authorize', 20 FROM generate_series(1, 5000) i;
            ALTER TABLE shipment_lines DISABLE TRIGGER USER;
            INSERT INTO shipments (id, order_id) SELECT id, id FROM orders WHERE status = 'confirmed';
            INSERT INTO shipment_lines SELECT s.id, min(d.id), 1 FROM shipments s JOIN order_details d USING (order_id) GROUP BY s.id;
            ALTER TABLE shipment_lines ENABLE TRIGGER USER;
            ALTER TABLE return_lines DISABLE TRIGGER USER;
            INSERT INTO returns (id, order_id) SELECT id, order_id FROM shipments;
            INSERT INTO return_lines SELECT shipment_id, order_detail_id, 1, 'torn' FROM shipment_lines;
            ALTER TABLE return_lines ENABLE TRIGGER USER;
            INSERT INTO order_events (order_id, user_id, kind)
                SELECT id, user_id, kind FROM orders, unnest(ARRAY['placed', 'status_changed']) kind;
            ALTER TABLE stock_movements DISABLE TRIGGER USER;
            INSERT INTO stock_movements (id, product_id, order_id, reason, delta)
                SELECT {base} + i, {base} + 1 + i * 31 % 10000, {base} + i, 'sale', -1 FROM generate_series(1, 20000) i;
            ALTER TABLE stock_movements ENABLE TRIGGER USER;
            INSERT INTO reviews (product_id, user_id, rating, status, created_at)
                SELECT {base} + 1 + i * 31 % 10000, {base} + 21 + i % 4000, 1 + i * 7919 % 5,
                       CASE WHEN i % 100 = 0 THEN 'pending' ELSE 'approved' END, now() - i * interval '1 min'
                FROM generate_series(1, 20000) i;
            INSERT INTO audit_log (id, at, user_id, via, resource_type, resource_id, website_id, change)
                SELECT {base} + i, now() - i * interval '1 min', {base} + 1 + i % 20, 'session',
                       CASE WHEN i % 500 = 0 THEN 'Role' ELSE 'Product' END, {base} + 1 + i % 10000, {base} + 1 + i % 20, 'updated'
                FROM generate_series(1, 20000) i;
            INSERT INTO jobs (kind, payload, state, created_at, run_at)
                SELECT 'mail', '{{}}', CASE WHEN i % 100 = 0 THEN 'dead' ELSE 'queued' END, now() - i * interval '1 min',
                       now() + i * 7919 % 5000 * interval '1 min'
                FROM generate_series(1, 5000) i;
            INSERT INTO transfers (direction, resource, format, website_id, status, created_at)
                SELECT 'import', 'products', 'souk-csv', {base} + 1 + i % 20, CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'done' END,
                       now() - i * interval '1 min'
                FROM generate_series(1, 5000) i;
            INSERT INTO search_rules (website_id, words, brand_id)
                SELECT {base} + 1 + i % 20, ARRAY['offer ' || i], {base} + 1 + i % 100 FROM generate_series(1, 5000) i;"
        );
        self.bulk_insert(&script).await;
    }

    /// Runs a script of inserts with auditing off, then vacuums and analyzes as autovacuum would, and loads the
    /// currencies.
    pub async fn bulk_insert(&self, script: &str) {
        self.database.sql(&format!("SET souk.audit = 'off'; {script}")).await;
        // A transaction that runs beside it, such as an automatic ANALYZE, keeps pages from being marked as visible to all, which
        // makes index-only scans seem expensive.
        for _ in 0..20 {
            self.database.sql("VACUUM ANALYZE").await;
            if self.database.scalar(UNMARKED).await == "0" {
                break;
            }
        }
        self.services.currency_cache.preload(&self.database.db).await.expect("currencies");
    }
}
