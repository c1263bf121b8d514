-- Browsing products without a query. The sort orders and the other filters have their indexes. Products on sale are few
-- among many; the index has only them, and the statistics tell how many they are, which PostgreSQL cannot guess from
-- the two columns.
CREATE INDEX products_on_sale_idx ON products (source_website_id, id) WHERE is_active AND ((compare_at_price > price) IS TRUE);
CREATE STATISTICS products_on_sale_stats ON (compare_at_price > price) FROM products;
