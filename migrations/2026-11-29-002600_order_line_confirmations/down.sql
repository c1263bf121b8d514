ALTER TABLE order_details DROP COLUMN confirmed_at;
