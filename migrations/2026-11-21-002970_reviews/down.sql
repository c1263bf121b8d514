DROP INDEX products_rating_average_idx;
DROP TRIGGER products_rating_update ON products;
DROP TRIGGER products_rating_insert ON products;
DROP TABLE reviews;
DROP FUNCTION audit_review();
DROP FUNCTION reviews_rate();
DROP FUNCTION products_guard_rating();
DROP FUNCTION reviews_guard();
UPDATE products SET rating_count = 0, rating_average = 0 WHERE rating_count <> 0;
