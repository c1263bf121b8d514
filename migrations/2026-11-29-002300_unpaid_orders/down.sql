ALTER TABLE cart_reservations DROP COLUMN network;
DROP TRIGGER orders_unpaid_settle ON orders;
DROP FUNCTION unpaid_orders_settle();
DROP TABLE unpaid_orders;
