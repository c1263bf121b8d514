-- SKUs have up to 255 characters, as in the shop systems that products are imported from.
ALTER TABLE products
    DROP CONSTRAINT products_sku_length,
    ADD CONSTRAINT products_sku_length CHECK (char_length(sku) BETWEEN 1 AND 255),
    DROP CONSTRAINT products_supplier_sku_length,
    ADD CONSTRAINT products_supplier_sku_length CHECK (char_length(supplier_sku) BETWEEN 1 AND 255);
ALTER TABLE order_details
    DROP CONSTRAINT order_details_sku_length,
    ADD CONSTRAINT order_details_sku_length CHECK (char_length(sku) BETWEEN 1 AND 255);

ALTER TABLE transfers
    -- The rejected rows of an import summarized by reason, as a list of {column, message, count, examples}.
    ADD COLUMN rejections jsonb NOT NULL DEFAULT '[]',
    -- Number of active products of earlier imports of the website that the file does not contain.
    ADD COLUMN missing bigint CONSTRAINT transfers_missing_not_negative CHECK (missing >= 0);

-- Audited when it is requested, without its progress.
DROP TRIGGER transfers_audit ON transfers;
CREATE TRIGGER transfers_audit AFTER INSERT ON transfers
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND audit_is_on())
    EXECUTE FUNCTION audit_row('Transfer', 'id', 'website_id', 'options', 'status', 'input_hash', 'input_key', 'output_key',
        'rejects_key', 'checkpoint', 'total', 'processed', 'created', 'updated', 'unchanged', 'rejected', 'errors', 'rejections',
        'missing', 'failure', 'started_at', 'finished_at', 'locked_until', 'run');
