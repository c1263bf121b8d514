DROP TABLE payment_webhooks;
DROP TABLE payment_operations;
DROP TABLE payments;
DROP FUNCTION audit_payment();
DROP FUNCTION payment_operations_event();
DROP FUNCTION payments_keep_order();
DROP FUNCTION payment_operations_keep();
DROP FUNCTION payment_operations_begin();
DROP FUNCTION payments_refuse();
-- The audit log is append-only: entries about payments stay.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_noun_known;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order',
    'OrderDetail', 'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job', 'Shipment', 'Return')) NOT VALID;
