DROP TRIGGER sources_audit_delete ON sources;
DROP TRIGGER sources_audit ON sources;
DROP TRIGGER product_groups_audit ON product_groups;
-- The audit log is append-only: entries about these resources stay.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_noun_known;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order',
    'OrderDetail', 'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job', 'Shipment', 'Return', 'Payment'))
    NOT VALID;
