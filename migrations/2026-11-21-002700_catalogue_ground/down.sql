ALTER TABLE suppliers DROP COLUMN contact_name, DROP COLUMN lead_time_days;
ALTER TABLE products
    DROP CONSTRAINT products_options_in_group,
    DROP COLUMN group_id,
    DROP COLUMN option_values,
    DROP COLUMN compare_at_price,
    DROP COLUMN cost_price,
    DROP COLUMN supplier_sku,
    DROP COLUMN linked_id,
    DROP COLUMN gtin,
    DROP COLUMN availability,
    DROP COLUMN low_stock_at,
    DROP COLUMN rating_count,
    DROP COLUMN rating_average;
DROP FUNCTION gtin14(text);
DROP TABLE product_groups;
DELETE FROM role_permissions WHERE permission = 'MANAGE_REVIEWS';
DELETE FROM permissions WHERE code = 'MANAGE_REVIEWS';
