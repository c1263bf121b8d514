-- Index to find orders by the email address of their contact, case-insensitive.
ALTER TABLE orders ALTER COLUMN contact_email TYPE citext;
CREATE INDEX orders_contact_email_idx ON orders (contact_email, placed_at, id) WHERE contact_email IS NOT NULL;
