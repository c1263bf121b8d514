ALTER TABLE transfers DROP COLUMN customer_websites;
