-- Data of orders_at_scale.sh, identical in every run: 4 websites (70, 20, 7 and 3 %), 200,000 customers, 1,000,000 orders
-- with one line each over three years, and an admin (admin@bench.example, password "bench-admin-password").
-- As in an old shop, nearly all orders are completed and the open ones are the latest. 1 in 10 orders is a guest's; one
-- customer has 30,000 orders. Order numbers increase with time.
-- Requires an empty database with all migrations applied. Ids start at 1, in insertion order.
\set ON_ERROR_STOP on
BEGIN;
-- Skips the triggers, which would run a million times; the totals inserted below equal the lines.
SET LOCAL session_replication_role = replica;

INSERT INTO websites (code, name, base_url, currency)
    SELECT 'bench-' || n, 'Bench ' || n, 'https://bench.example', 'EUR' FROM generate_series(1, 4) n ORDER BY n;

INSERT INTO users (name, email, role_id, source_website_id)
    SELECT 'Customer ' || n, 'customer' || n || '@bench.example', r.id, 1
    FROM generate_series(1, 200000) n, roles r WHERE r.code = 'customer' ORDER BY n;

-- argon2id with 19,456 KiB, 2 iterations, 1 lane.
INSERT INTO users (name, email, role_id, password_hash)
    SELECT 'Administrator', 'admin@bench.example', id,
        '$argon2id$v=19$m=19456,t=2,p=1$yGfpKu6DqDT7TVuyyiyVAw$spIrUT2fr/K+oCEs8ndoOVjv0mj9jtvb7B0iYZ6UECU'
    FROM roles WHERE code = 'admin';

INSERT INTO products (source_website_id, name, slug, sku, description, price)
    SELECT 1, 'Product ' || n, 'product-' || n, 'SKU-' || lpad(n::text, 6, '0'), '', (100 + n * 7919 % 50000) / 100.0
    FROM generate_series(1, 1000) n ORDER BY n;

-- Multiplying by a prime spreads values evenly and deterministically. The cube yields few large and many small orders.
CREATE TEMPORARY TABLE seed ON COMMIT DROP AS
    SELECT n, mixed % 100 AS of_website, mixed / 100 % 1000 AS of_user, n * 48271 % 200000 AS customer,
        n * 16807 % 100 AS of_status, 1 + n * 7919 % 1000 AS product,
        round((5 + 2000 * ((n * 69621 % 1000003) / 1000003.0) ^ 3)::numeric, 2) AS amount
    FROM (SELECT n::bigint, n::bigint * 742938285 % 2147483647 AS mixed FROM generate_series(1, 1000000) n) numbers;

INSERT INTO orders (source_website_id, order_number, user_id, status, total_amount, ship_country, ship_city, ship_address, placed_at)
    SELECT CASE WHEN of_website < 70 THEN 1 WHEN of_website < 90 THEN 2 WHEN of_website < 97 THEN 3 ELSE 4 END,
        'S-' || lpad(n::text, 8, '0'),
        CASE WHEN of_user < 30 THEN 7 WHEN of_user >= 130 THEN 1 + customer END,
        -- The last 25,000 orders are pending, those before are confirmed or shipped.
        CASE WHEN n > 975000 THEN 'pending' WHEN of_status < 5 THEN 'cancelled' WHEN n > 950000 THEN 'confirmed'
             WHEN n > 920000 THEN 'shipped' ELSE 'delivered' END,
        amount, 'DE', 'Hamburg', 'Hafenstrasse ' || n % 200,
        timestamptz '2024-01-01 00:00:00+00' + n * interval '94 seconds'
    FROM seed ORDER BY n;

INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
    SELECT n, product, 'Product ' || product, 'SKU-' || lpad(product::text, 6, '0'), 1, amount FROM seed ORDER BY n;

COMMIT;
VACUUM (ANALYZE);
CHECKPOINT;
