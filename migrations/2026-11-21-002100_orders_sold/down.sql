CREATE OR REPLACE FUNCTION audit_forget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account CONSTANT text[] := '{name,email,phone,external_id}';
    shipping CONSTANT text[] := '{ship_country,ship_city,ship_district,ship_address,ship_postal_code}';
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
CREATE OR REPLACE FUNCTION audit_order_created() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_put('created', 'Order', o.id, o.source_website_id, NULL, to_jsonb(o) - '{id,updated_at}'::text[])
        FROM orders o WHERE o.id = NEW.id;
    RETURN NULL;
END $$;
DROP TRIGGER orders_audit_update ON orders;
CREATE TRIGGER orders_audit_update AFTER UPDATE ON orders
    FOR EACH ROW WHEN (OLD.created_at <> now() AND audit_is_on())
    EXECUTE FUNCTION audit_row('Order', 'id', 'source_website_id');
DROP TRIGGER orders_payment_update ON orders;
DROP TRIGGER orders_payment_insert ON orders;
DROP FUNCTION orders_guard_payment();
ALTER TABLE orders
    DROP COLUMN refunded_amount, DROP COLUMN paid_amount, DROP COLUMN payment_status, DROP COLUMN customer_note,
    DROP COLUMN contact_phone, DROP COLUMN contact_email, DROP COLUMN contact_name, DROP COLUMN cart_token_hash,
    DROP COLUMN checkout_id;
