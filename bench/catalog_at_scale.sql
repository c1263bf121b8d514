-- Data of catalog_at_scale.sh, identical in every run: 4 websites (70, 20, 7 and 3 %), 10 x 10 x 5 categories, 200 brands,
-- 50 suppliers, 20 sellers, 100,000 products over three years (every tenth in a group of five, 1 in 20 rated, 1 in 30
-- inactive), and an admin (admin@bench.example, password "bench-admin-password").
-- Requires an empty database with all migrations applied. Ids start at 1, in insertion order.
\set ON_ERROR_STOP on
BEGIN;
-- Skips the triggers; the statements below insert what they would compute.
SET LOCAL session_replication_role = replica;

INSERT INTO websites (code, name, base_url, currency)
    SELECT 'bench-' || n, 'Bench ' || n, 'https://bench.example', 'EUR' FROM generate_series(1, 4) n ORDER BY n;

-- argon2id with 19,456 KiB, 2 iterations, 1 lane.
INSERT INTO users (name, email, role_id, password_hash)
    SELECT 'Administrator', 'admin@bench.example', id,
        '$argon2id$v=19$m=19456,t=2,p=1$yGfpKu6DqDT7TVuyyiyVAw$spIrUT2fr/K+oCEs8ndoOVjv0mj9jtvb7B0iYZ6UECU'
    FROM roles WHERE code = 'admin';
INSERT INTO users (name, email, role_id)
    SELECT 'Seller ' || n, 'seller' || n || '@bench.example', r.id FROM generate_series(1, 20) n, roles r WHERE r.code = 'seller' ORDER BY n;

-- Ids 1 to 10 are roots, 11 to 110 their children, 111 to 610 their grandchildren.
INSERT INTO categories (parent_id, name, slug, path)
    SELECT parent, 'Category ' || n, 'category-' || n,
        CASE WHEN n <= 10 THEN ARRAY[n] WHEN n <= 110 THEN ARRAY[parent, n] ELSE ARRAY[1 + (parent - 11) / 10, parent, n] END
    FROM (SELECT n, CASE WHEN n <= 10 THEN NULL WHEN n <= 110 THEN 1 + (n - 11) / 10 ELSE 11 + (n - 111) / 5 END AS parent
          FROM generate_series(1, 610) n) tree ORDER BY n;
INSERT INTO brands (name, slug) SELECT 'Brand ' || n, 'brand-' || n FROM generate_series(1, 200) n ORDER BY n;
INSERT INTO suppliers (name) SELECT 'Supplier ' || n FROM generate_series(1, 50) n ORDER BY n;
INSERT INTO product_groups (source_website_id, name, slug, varies_by)
    SELECT 1, 'Group ' || n, 'group-' || n, '{Size}' FROM generate_series(1, 2000) n ORDER BY n;

-- Multiplying by a prime spreads values evenly and deterministically. The square yields few large and many small categories.
CREATE TEMPORARY TABLE seed ON COMMIT DROP AS
    SELECT n, mixed % 100 AS of_website, 111 + floor(500 * (mixed / 100 % 1000 / 1000.0) ^ 2)::integer AS category,
        1 + n * 48271 % 200 AS brand, 1 + n * 16807 % 50 AS supplier, n * 69621 % 1000003 AS spread
    FROM (SELECT n::bigint, n::bigint * 742938285 % 2147483647 AS mixed FROM generate_series(1, 100000) n) numbers;

INSERT INTO products (source_website_id, category_id, brand_id, supplier_id, seller_id, name, slug, sku, barcode, description, price,
                      stock, is_active, rating_count, rating_average, group_id, option_values, created_at)
    SELECT CASE WHEN g THEN 1 WHEN of_website < 70 THEN 1 WHEN of_website < 90 THEN 2 WHEN of_website < 97 THEN 3 ELSE 4 END,
        category, brand, supplier, CASE WHEN n % 50 = 0 THEN 2 + n / 50 % 20 END,
        (ARRAY['Lantern', 'Candle', 'Frame', 'Mug', 'Clock', 'Cushion', 'Jar', 'Hook'])[1 + spread % 8] || ' ' || substr(md5(n::text), 1, 6),
        'product-' || n, 'SKU-' || lpad(n::text, 6, '0'), '40' || lpad(n::text, 11, '0'), 'For the house and the garden.',
        round((1 + 500 * (spread / 1000003.0) ^ 3)::numeric, 2),
        CASE WHEN spread % 20 = 0 THEN 0 WHEN spread % 20 = 1 THEN 3 ELSE spread % 500 + 6 END, n % 30 <> 7,
        CASE WHEN n % 20 = 0 THEN 1 + spread % 40 ELSE 0 END, CASE WHEN n % 20 = 0 THEN round(1 + (spread % 401) / 100.0, 2) ELSE 0 END,
        CASE WHEN g THEN 1 + n / 50 END, CASE WHEN g THEN ARRAY['S' || n % 50] ELSE '{}' END,
        timestamptz '2024-01-01 00:00:00+00' + n * interval '15 minutes'
    FROM (SELECT *, n % 50 < 5 AND n / 50 < 2000 AS g FROM seed) numbered ORDER BY n;

COMMIT;
VACUUM (ANALYZE);
CHECKPOINT;
