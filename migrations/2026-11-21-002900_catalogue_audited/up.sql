-- Audits the new resource types of the catalog.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_noun_known;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order',
    'OrderDetail', 'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job', 'Shipment', 'Return', 'Payment',
    'ProductGroup', 'Image', 'Review', 'Transfer'));

CREATE TRIGGER product_groups_audit AFTER INSERT OR UPDATE OR DELETE ON product_groups
    FOR EACH ROW WHEN (audit_is_on()) EXECUTE FUNCTION audit_row('ProductGroup', 'id', 'source_website_id');

-- A user's external IDs are audited as a part of the user, without the times of imports.
CREATE TRIGGER sources_audit AFTER INSERT OR UPDATE ON sources
    FOR EACH ROW WHEN (NEW.noun = 'User' AND audit_is_on())
    EXECUTE FUNCTION audit_row('User', 'noun_id', 'website_id', 'noun', 'noun_id', 'first_seen', 'last_seen', 'last_transfer_id');
CREATE TRIGGER sources_audit_delete AFTER DELETE ON sources
    FOR EACH ROW WHEN (OLD.noun = 'User' AND audit_is_on())
    EXECUTE FUNCTION audit_row('User', 'noun_id', 'website_id', 'noun', 'noun_id', 'first_seen', 'last_seen', 'last_transfer_id');
