DROP TABLE order_details;
DROP FUNCTION order_details_keep_total();
DROP TABLE orders;
DROP FUNCTION orders_guard_total();
DROP SEQUENCE order_numbers;
