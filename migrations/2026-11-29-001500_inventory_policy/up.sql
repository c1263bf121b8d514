-- Products whose stock is not tracked, and products that can be sold on backorder.
-- The stock of a product with backorders can be negative: units that are sold and not delivered to the shop yet.

ALTER TABLE products
    ADD COLUMN inventory_policy text NOT NULL DEFAULT 'tracked'
        CONSTRAINT products_inventory_policy_known CHECK (inventory_policy IN ('tracked', 'not_tracked')),
    ADD COLUMN backorders text NOT NULL DEFAULT 'deny'
        CONSTRAINT products_backorders_known CHECK (backorders IN ('deny', 'allow')),
    DROP CONSTRAINT products_stock_not_negative,
    ADD CONSTRAINT products_stock_range CHECK (stock >= CASE backorders WHEN 'allow' THEN -1000000 ELSE 0 END);

ALTER TABLE products DROP COLUMN availability,
    ADD COLUMN availability text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN inventory_policy = 'not_tracked' THEN 'in_stock'
             WHEN stock - reserved > low_stock_threshold THEN 'in_stock'
             WHEN stock - reserved > 0 THEN 'low_stock'
             WHEN backorders = 'allow' THEN 'backorder'
             ELSE 'out_of_stock' END) STORED;

-- What an import changed or left out in accepted rows, as an object of messages with the number of rows.
ALTER TABLE transfers ADD COLUMN notes jsonb NOT NULL DEFAULT '{}';
DROP TRIGGER transfers_audit ON transfers;
CREATE TRIGGER transfers_audit AFTER INSERT ON transfers
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND audit_is_on())
    EXECUTE FUNCTION audit_row('Transfer', 'id', 'website_id', 'options', 'status', 'input_hash', 'input_key', 'output_key',
        'rejects_key', 'checkpoint', 'total', 'processed', 'created', 'updated', 'unchanged', 'rejected', 'errors', 'rejections',
        'ignored_columns', 'missing', 'notes', 'failure', 'started_at', 'finished_at', 'locked_until', 'run');
