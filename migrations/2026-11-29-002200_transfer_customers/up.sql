-- The websites whose customers the user who started a transfer may see; null for all websites. The transfer runs later,
-- and finds and shows no other customers.
ALTER TABLE transfers ADD COLUMN customer_websites bigint[];
