DROP TRIGGER product_groups_website ON product_groups;
DROP TRIGGER product_groups_options ON product_groups;
DROP TRIGGER products_group_update ON products;
DROP TRIGGER products_group_insert ON products;
DROP FUNCTION product_groups_keep_website();
DROP FUNCTION product_groups_keep_options();
DROP FUNCTION products_fit_group();
