DROP TRIGGER websites_search_rules ON websites;
DROP FUNCTION search_website_rules();
DROP TABLE search_rules;
DROP FUNCTION search_rule_keys();
DROP FUNCTION search_key(text, text);
-- The audit log is append-only: entries about these resources stay.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_noun_known;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order',
    'OrderDetail', 'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job', 'Shipment', 'Return', 'Payment',
    'ProductGroup', 'Image', 'Review', 'Transfer')) NOT VALID;
