DROP TRIGGER products_stock_update ON products;
DROP TRIGGER products_stock_insert ON products;
DROP FUNCTION products_guard_stock();
DROP TABLE stock_movements;
DROP FUNCTION stock_movements_append_only();
DROP FUNCTION stock_movements_apply();
