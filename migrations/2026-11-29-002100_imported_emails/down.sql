DROP TRIGGER users_take_over_imported ON users;
DROP FUNCTION users_take_over_imported;

CREATE OR REPLACE FUNCTION audit_forget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account CONSTANT text[] := '{name,email,phone,external_id}';
    shipping CONSTANT text[] := '{ship_recipient_name,ship_company,ship_phone,ship_country,ship_subdivision,ship_city,ship_district,ship_address,ship_postal_code,billing_address,contact_name,contact_email,contact_phone,customer_note}';
BEGIN
    UPDATE audit_log SET before = before - account, after = after - account
        WHERE resource_type = 'User' AND resource_id = NEW.id AND (before ?| account OR after ?| account);
    UPDATE audit_log SET before = before - shipping, after = after - shipping
        WHERE resource_type = 'Order' AND resource_id IN (SELECT id FROM orders WHERE user_id = NEW.id)
          AND (before ?| shipping OR after ?| shipping);
    UPDATE audit_log SET before = before - 'name', after = after - 'name'
        WHERE resource_type = 'ApiKey' AND NEW.id IN ((before ->> 'user_id')::bigint, (after ->> 'user_id')::bigint);
    UPDATE audit_log SET before = before - 'name', after = after - 'name'
        WHERE resource_type = 'ApiKey' AND NEW.id::text IN (before ->> 'user_id', after ->> 'user_id');
    UPDATE audit_log SET address = NULL WHERE user_id = NEW.id AND address IS NOT NULL;
    RETURN NULL;
END $$;

-- The first imported customer of each address gets it as its email address, unless an account has it.
ALTER TABLE users DROP CONSTRAINT users_imported_email_alone;
SET LOCAL souk.audit = 'off';
UPDATE users u SET email = u.imported_email
    WHERE u.id = (SELECT min(o.id) FROM users o WHERE o.imported_email = u.imported_email)
      AND NOT EXISTS (SELECT FROM users o WHERE o.email = u.imported_email);
SET LOCAL souk.audit = 'on';
ALTER TABLE users DROP COLUMN imported_email;
