DROP TRIGGER events_webhooks ON events;
DROP FUNCTION queue_webhook_deliveries();
DROP TABLE webhook_deliveries;
DROP TABLE webhook_subscriptions;
DELETE FROM api_key_permissions WHERE permission = 'MANAGE_WEBHOOKS';
DELETE FROM role_permissions WHERE permission = 'MANAGE_WEBHOOKS';
DELETE FROM permissions WHERE code = 'MANAGE_WEBHOOKS';
-- The audit log is append-only: entries about webhook subscriptions stay.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_resource_type_known;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_resource_type_known CHECK (resource_type IN ('User', 'Role', 'ApiKey',
    'Product', 'Order', 'OrderDetail', 'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job', 'Shipment',
    'Return', 'Payment', 'ProductGroup', 'Image', 'Review', 'Transfer', 'SearchRule', 'Wishlist', 'WishlistItem')) NOT VALID;
