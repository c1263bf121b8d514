CREATE OR REPLACE FUNCTION audit_order_detail() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    untold CONSTANT text[] := '{id,updated_at}';
    line order_details := coalesce(NEW, OLD);
    change text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'DELETE' THEN 'deleted' ELSE 'updated' END;
BEGIN
    PERFORM audit_put(change, 'OrderDetail', line.id, o.source_website_id, to_jsonb(OLD) - untold, to_jsonb(NEW) - untold)
        FROM orders o WHERE o.id = line.order_id AND o.created_at <> now();
    RETURN NULL;
END $$;
DROP TRIGGER shipments_audit ON shipments;
DROP FUNCTION audit_row_of_order();
-- Entries in the audit log stay.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_noun_known,
    ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order', 'OrderDetail',
        'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job')) NOT VALID;
DROP TRIGGER orders_cancellation ON orders;
DROP FUNCTION orders_guard_cancellation();
DROP TRIGGER order_details_shipped_update ON order_details;
DROP TRIGGER order_details_shipped_insert ON order_details;
DROP FUNCTION order_details_guard_shipped();
DROP TABLE shipment_lines;
DROP FUNCTION shipment_lines_ship();
DROP TABLE shipments;
DROP FUNCTION shipments_tell();
DROP FUNCTION shipments_guard();
DROP FUNCTION shipments_of_confirmed();
ALTER TABLE order_details DROP COLUMN shipped_quantity;
