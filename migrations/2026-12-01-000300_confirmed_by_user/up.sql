-- The user whose order was confirmed, so that the confirmed orders of a user are found without reading all of the user's
-- orders.
ALTER TABLE order_email_confirmations
    ADD COLUMN user_id bigint CONSTRAINT order_email_confirmations_user_id_fkey REFERENCES users;
UPDATE order_email_confirmations c SET user_id = o.user_id
    FROM orders o WHERE o.id = c.order_id AND c.confirmed_at IS NOT NULL;
CREATE INDEX order_email_confirmations_user_id_idx ON order_email_confirmations (user_id);
