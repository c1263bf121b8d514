-- Removes the inventory policy. Negative stock is corrected to 0, as an adjustment of the ledger.

DROP TRIGGER transfers_audit ON transfers;
CREATE TRIGGER transfers_audit AFTER INSERT ON transfers
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND audit_is_on())
    EXECUTE FUNCTION audit_row('Transfer', 'id', 'website_id', 'options', 'status', 'input_hash', 'input_key', 'output_key',
        'rejects_key', 'checkpoint', 'total', 'processed', 'created', 'updated', 'unchanged', 'rejected', 'errors', 'rejections',
        'ignored_columns', 'missing', 'failure', 'started_at', 'finished_at', 'locked_until', 'run');
ALTER TABLE transfers DROP COLUMN notes;

INSERT INTO stock_movements (product_id, reason, delta, note)
    SELECT id, 'adjustment', -stock, 'Backorders are not supported any more.' FROM products WHERE stock < 0 ORDER BY id;

ALTER TABLE products DROP COLUMN availability,
    ADD COLUMN availability text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN stock - reserved <= 0 THEN 'out_of_stock' WHEN stock - reserved <= low_stock_threshold THEN 'low_stock'
             ELSE 'in_stock' END) STORED;

ALTER TABLE products
    DROP CONSTRAINT products_stock_range,
    ADD CONSTRAINT products_stock_not_negative CHECK (stock >= 0),
    DROP COLUMN backorders,
    DROP COLUMN inventory_policy;
