DROP TRIGGER payment_operations_events ON payment_operations;
DROP TRIGGER reviews_events ON reviews;
DROP TRIGGER jobs_events ON jobs;
DROP TRIGGER transfers_events ON transfers;
DROP TRIGGER carts_events_delete ON carts;
DROP TRIGGER cart_lines_events_delete ON cart_lines;
DROP TRIGGER cart_lines_events_update ON cart_lines;
DROP TRIGGER cart_lines_events_insert ON cart_lines;
DROP TRIGGER products_events_update ON products;
DROP TRIGGER products_events_stock ON products;
DROP TRIGGER products_events_delete ON products;
DROP TRIGGER products_events_insert ON products;
DROP TRIGGER orders_events_contact ON orders;
DROP TRIGGER order_events_events ON order_events;
DROP TRIGGER images_events_update ON images;
DROP TRIGGER images_events ON images;
DROP FUNCTION events_of_image(), events_of_review(), events_of_payment(), events_of_row(), events_of_carts(), events_of_cart_lines(), events_of_product(), events_of_stock(),
    events_of_products(), events_of_order(), events_of_orders();
DROP TABLE events;
