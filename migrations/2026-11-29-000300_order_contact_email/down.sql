DROP INDEX orders_contact_email_idx;
ALTER TABLE orders ALTER COLUMN contact_email TYPE text;
