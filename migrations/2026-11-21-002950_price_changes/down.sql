DROP TRIGGER products_price_update ON products;
DROP TRIGGER products_price_insert ON products;
DROP FUNCTION products_enter_price();
DROP FUNCTION prior_price(bigint, numeric, numeric, timestamptz);
DROP FUNCTION products_enter_first_price();
DROP TABLE price_changes;
DROP FUNCTION price_changes_guard();
