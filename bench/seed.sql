-- Benchmark data, identical in every run: 1 website, 100 categories, 50 brands, 20,000 products, 2,000 customers,
-- 20,000 orders with 5 lines each, and an admin (admin@bench.example, password "bench-admin-password").
-- Requires an empty database with all migrations applied. Ids start at 1, in insertion order.
\set ON_ERROR_STOP on
BEGIN;

INSERT INTO websites (code, name, base_url, currency)
    VALUES ('bench', 'Bench', 'https://bench.example', 'EUR');

INSERT INTO categories (name, slug, position)
    SELECT 'Category ' || n, 'category-' || n, n FROM generate_series(1, 100) n ORDER BY n;

INSERT INTO brands (name, slug)
    SELECT 'Brand ' || n, 'brand-' || n FROM generate_series(1, 50) n ORDER BY n;

INSERT INTO users (name, email, role_id, source_website_id)
    SELECT 'Customer ' || n, 'customer' || n || '@bench.example', r.id, 1
    FROM generate_series(1, 2000) n, roles r WHERE r.code = 'customer' ORDER BY n;

-- argon2id with 19,456 KiB, 2 iterations, 1 lane.
INSERT INTO users (name, email, role_id, password_hash)
    SELECT 'Administrator', 'admin@bench.example', id,
        '$argon2id$v=19$m=19456,t=2,p=1$yGfpKu6DqDT7TVuyyiyVAw$spIrUT2fr/K+oCEs8ndoOVjv0mj9jtvb7B0iYZ6UECU'
    FROM roles WHERE code = 'admin';

-- Multiplying by a prime spreads the references evenly and deterministically.
INSERT INTO products (source_website_id, category_id, brand_id, name, slug, sku, description, price)
    SELECT 1, 1 + n * 7919 % 100, 1 + n * 104729 % 50, 'Product ' || n, 'product-' || n, 'SKU-' || lpad(n::text, 6, '0'),
        'Product ' || n || ' is one of twenty thousand. What it lacks in character it makes up in number.',
        (100 + n * 7919 % 50000) / 100.0
    FROM generate_series(1, 20000) n ORDER BY n;

-- A trigger derives the stock from the ledger.
INSERT INTO stock_movements (product_id, reason, delta)
    SELECT id, 'opening', 50 + id % 200 FROM products ORDER BY id;

-- Like imported orders, these do not change the stock.
INSERT INTO orders (source_website_id, order_number, user_id, status, placed_at)
    SELECT 1, 'B' || lpad(n::text, 6, '0'), 1 + n * 7919 % 2000,
        (ARRAY['pending', 'confirmed', 'shipped', 'delivered', 'cancelled'])[1 + n % 5],
        timestamptz '2026-01-01 00:00:00+00' + n * interval '10 minutes'
    FROM generate_series(1, 20000) n ORDER BY n;

-- A statement-level trigger computes the order totals.
INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
    SELECT o.id, p.id, p.name, p.sku, 1 + (o.id + line) % 3, p.price
    FROM orders o CROSS JOIN generate_series(1, 5) line JOIN products p ON p.id = 1 + (o.id * 5 + line) * 7919 % 20000
    ORDER BY o.id, line;

COMMIT;
VACUUM (ANALYZE);
CHECKPOINT;
