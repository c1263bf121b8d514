-- A website, 1,000 products with ample stock, and guest carts of 3 lines; cart n has the token `souk_c_bench_<n>`.
-- Usage: psql -v carts=<count>
SET souk.audit = 'off';
INSERT INTO websites (id, code, name, base_url, currency) VALUES (1, 'bench', 'Bench', 'https://bench.example', 'EUR');
INSERT INTO products (id, source_website_id, name, slug, sku, price)
    SELECT i, 1, 'Product ' || i, 'product-' || i, 'P-' || i, (i % 100) + 0.99 FROM generate_series(1, 1000) i;
INSERT INTO stock_movements (product_id, reason, delta) SELECT i, 'opening', 1000000 FROM generate_series(1, 1000) i;
INSERT INTO carts (id, token_hash, currency, expires_at)
    SELECT i, sha256(convert_to('souk_c_bench_' || i, 'UTF8')), 'EUR', now() + interval '1 day'
    FROM generate_series(1, :carts) i;
INSERT INTO cart_lines (cart_id, product_id, quantity, added_price)
    SELECT i, p.id, 1, p.price FROM generate_series(1, :carts) i, generate_series(0, 2) k
    JOIN products p ON true WHERE p.id = 1 + (i::bigint * 7919 + k * 331) % 1000;
VACUUM ANALYZE;
CHECKPOINT;
