-- Columns that a checkout adds to an order: its contact, the guest who may see it without an account, the orders of the
-- same checkout, and the paid amounts, which are maintained by triggers on payments.
ALTER TABLE orders
    ADD COLUMN checkout_id bigint CONSTRAINT orders_checkout_id_fkey REFERENCES orders,
    ADD COLUMN cart_token_hash bytea,
    ADD COLUMN contact_name text CONSTRAINT orders_contact_name_length CHECK (char_length(contact_name) BETWEEN 1 AND 255),
    ADD COLUMN contact_email text CONSTRAINT orders_contact_email_length CHECK (char_length(contact_email) BETWEEN 3 AND 254),
    ADD COLUMN contact_phone text CONSTRAINT orders_contact_phone_length CHECK (char_length(contact_phone) BETWEEN 1 AND 50),
    ADD COLUMN customer_note text CONSTRAINT orders_customer_note_length CHECK (char_length(customer_note) BETWEEN 1 AND 1000),
    ADD COLUMN payment_status text NOT NULL DEFAULT 'none' CONSTRAINT orders_payment_status_known
        CHECK (payment_status IN ('none', 'pending', 'authorized', 'paid', 'partially_refunded', 'refunded')),
    ADD COLUMN paid_amount numeric(12, 2) NOT NULL DEFAULT 0
        CONSTRAINT orders_paid_amount_not_negative CHECK (paid_amount >= 0),
    ADD COLUMN refunded_amount numeric(12, 2) NOT NULL DEFAULT 0
        CONSTRAINT orders_refunded_amount_range CHECK (refunded_amount BETWEEN 0 AND paid_amount);
CREATE INDEX orders_checkout_id_idx ON orders (checkout_id);
CREATE INDEX orders_cart_token_hash_placed_at_idx ON orders (cart_token_hash, placed_at, id) WHERE cart_token_hash IS NOT NULL;

CREATE FUNCTION orders_guard_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what is paid of an order is told by its payments'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_paid_from_payments', TABLE = 'orders';
END $$;
CREATE TRIGGER orders_payment_insert BEFORE INSERT ON orders
    FOR EACH ROW WHEN (NEW.payment_status <> 'none' OR NEW.paid_amount <> 0 OR NEW.refunded_amount <> 0)
    EXECUTE FUNCTION orders_guard_payment();
CREATE TRIGGER orders_payment_update BEFORE UPDATE OF payment_status, paid_amount, refunded_amount ON orders
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION orders_guard_payment();

-- Paid amounts are audited with the payments; a guest's token is never audited.
CREATE OR REPLACE FUNCTION audit_order_created() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_put('created', 'Order', o.id, o.source_website_id, NULL, to_jsonb(o)
            - '{id,updated_at,cart_token_hash,payment_status,paid_amount,refunded_amount}'::text[])
        FROM orders o WHERE o.id = NEW.id;
    RETURN NULL;
END $$;
DROP TRIGGER orders_audit_update ON orders;
CREATE TRIGGER orders_audit_update AFTER UPDATE ON orders
    FOR EACH ROW WHEN (OLD.created_at <> now() AND audit_is_on())
    EXECUTE FUNCTION audit_row('Order', 'id', 'source_website_id', 'cart_token_hash', 'payment_status', 'paid_amount',
                               'refunded_amount');

-- As before, and also the contact and the notes of orders.
CREATE OR REPLACE FUNCTION audit_forget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account CONSTANT text[] := '{name,email,phone,external_id}';
    shipping CONSTANT text[] := '{ship_country,ship_city,ship_district,ship_address,ship_postal_code,contact_name,contact_email,contact_phone,customer_note}';
BEGIN
    UPDATE audit_log SET before = before - account, after = after - account
        WHERE noun = 'User' AND noun_id = NEW.id AND (before ?| account OR after ?| account);
    UPDATE audit_log SET before = before - shipping, after = after - shipping
        WHERE noun = 'Order' AND noun_id IN (SELECT id FROM orders WHERE user_id = NEW.id)
          AND (before ?| shipping OR after ?| shipping);
    UPDATE audit_log SET before = before - 'name', after = after - 'name'
        WHERE noun = 'ApiKey' AND NEW.id IN ((before ->> 'user_id')::bigint, (after ->> 'user_id')::bigint);
    UPDATE audit_log SET before = before - 'name', after = after - 'name'
        WHERE noun = 'ApiKey' AND NEW.id::text IN (before ->> 'user_id', after ->> 'user_id');
    UPDATE audit_log SET address = NULL WHERE user_id = NEW.id AND address IS NOT NULL;
    RETURN NULL;
END $$;
