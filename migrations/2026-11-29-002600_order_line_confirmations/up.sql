-- When the seller of a line confirmed it, while the order waits for others. An order is confirmed when all lines are.
ALTER TABLE order_details ADD COLUMN confirmed_at timestamptz;
