DROP TRIGGER products_audit_update ON products;
DROP TRIGGER products_audit ON products;
CREATE TRIGGER products_audit AFTER INSERT OR DELETE ON products
    FOR EACH ROW WHEN (audit_is_on()) EXECUTE FUNCTION audit_row('Product', 'id', 'source_website_id', 'stock');
CREATE TRIGGER products_audit_update AFTER UPDATE ON products
    FOR EACH ROW WHEN (NEW.stock = OLD.stock AND audit_is_on())
    EXECUTE FUNCTION audit_row('Product', 'id', 'source_website_id', 'stock');
DROP TRIGGER products_reserved_update ON products;
DROP TRIGGER products_reserved_insert ON products;
ALTER TABLE products DROP COLUMN reserved;
DROP TABLE cart_reservations;
DROP FUNCTION cart_reservations_guard();
DROP FUNCTION cart_reservations_keep_reserved();
DROP TABLE cart_lines;
DROP TABLE carts;
