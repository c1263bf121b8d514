DROP TRIGGER returns_audit ON returns;
-- Entries in the audit log and the ledger stay.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_noun_known,
    ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order', 'OrderDetail',
        'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job', 'Shipment')) NOT VALID;
ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_reason_known,
    ADD CONSTRAINT stock_movements_reason_known
        CHECK (reason IN ('opening', 'adjustment', 'sale', 'order_change', 'cancellation')) NOT VALID;
DROP TABLE return_lines;
DROP FUNCTION return_lines_ask();
DROP TABLE returns;
DROP FUNCTION returns_settle();
DROP FUNCTION returns_guard();
DROP TRIGGER order_details_returned_update ON order_details;
DROP TRIGGER order_details_returned_insert ON order_details;
ALTER TABLE order_details DROP COLUMN returned_quantity;
