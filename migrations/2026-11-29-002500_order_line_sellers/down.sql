DROP TRIGGER order_details_seller ON order_details;
DROP FUNCTION order_details_set_seller;
ALTER TABLE order_details DROP COLUMN seller_id;
