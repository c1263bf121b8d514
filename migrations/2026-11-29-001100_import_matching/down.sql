DROP TRIGGER transfers_audit ON transfers;
CREATE TRIGGER transfers_audit AFTER INSERT ON transfers
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND audit_is_on())
    EXECUTE FUNCTION audit_row('Transfer', 'id', 'website_id', 'options', 'status', 'input_hash', 'input_key', 'output_key',
        'rejects_key', 'checkpoint', 'total', 'processed', 'created', 'updated', 'unchanged', 'rejected', 'errors', 'failure',
        'started_at', 'finished_at', 'locked_until', 'run');
ALTER TABLE transfers DROP COLUMN missing, DROP COLUMN rejections;
-- Rows with longer SKUs stay.
ALTER TABLE order_details
    DROP CONSTRAINT order_details_sku_length,
    ADD CONSTRAINT order_details_sku_length CHECK (char_length(sku) BETWEEN 1 AND 100) NOT VALID;
ALTER TABLE products
    DROP CONSTRAINT products_supplier_sku_length,
    ADD CONSTRAINT products_supplier_sku_length CHECK (char_length(supplier_sku) BETWEEN 1 AND 100) NOT VALID,
    DROP CONSTRAINT products_sku_length,
    ADD CONSTRAINT products_sku_length CHECK (char_length(sku) BETWEEN 1 AND 100) NOT VALID;
