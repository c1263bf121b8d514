-- The email address of an imported customer that no account has confirmed. It is not used to log in, and several websites
-- can have a customer with the same one. Whoever confirms the address takes these customers over.
ALTER TABLE users
    ADD COLUMN imported_email citext
        CONSTRAINT users_imported_email_form
            CHECK (imported_email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND char_length(imported_email::text) <= 254),
    ADD CONSTRAINT users_imported_email_alone CHECK (imported_email IS NULL OR (email IS NULL AND password_hash IS NULL)),
    ADD CONSTRAINT users_imported_email_key UNIQUE (imported_email, source_website_id);

-- Gives an account what was imported for its email address, in the transaction that confirms the address. The imported
-- customers remain as erased users, because users are never deleted. An account keeps its own values, and 50 addresses.
CREATE FUNCTION users_take_over_imported() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    imported bigint[];
    first_imported users;
BEGIN
    imported := ARRAY(SELECT id FROM users WHERE imported_email = NEW.email AND id <> NEW.id ORDER BY id FOR NO KEY UPDATE);
    PERFORM id FROM orders
        WHERE user_id = ANY (imported) OR (user_id IS NULL AND contact_email = NEW.email)
        ORDER BY id FOR NO KEY UPDATE;
    UPDATE orders SET user_id = NEW.id WHERE user_id = ANY (imported);
    -- A guest may have mistyped the address at checkout. The orders of a file are those of a past customer.
    UPDATE orders SET user_id = NEW.id
        WHERE user_id IS NULL AND contact_email = NEW.email
          AND EXISTS (SELECT FROM sources s WHERE s.resource_type = 'Order' AND s.resource_id = orders.id);
    IF cardinality(imported) = 0 THEN
        RETURN NEW;
    END IF;
    UPDATE sources s SET resource_id = NEW.id
        WHERE s.resource_type = 'User'
          AND s.resource_id = (SELECT min(m.resource_id) FROM sources m
              WHERE m.resource_type = 'User' AND m.website_id = s.website_id AND m.resource_id = ANY (imported))
          AND NOT EXISTS (SELECT FROM sources m
              WHERE m.resource_type = 'User' AND m.website_id = s.website_id AND m.resource_id = NEW.id);
    UPDATE addresses SET user_id = NEW.id, is_default = false WHERE id IN (
        SELECT id FROM addresses WHERE user_id = ANY (imported) ORDER BY id
        LIMIT greatest(0, 50 - (SELECT count(*) FROM addresses WHERE user_id = NEW.id)));
    DELETE FROM addresses WHERE user_id = ANY (imported);
    UPDATE addresses SET is_default = true
        WHERE id = (SELECT min(id) FROM addresses WHERE user_id = NEW.id)
          AND NOT EXISTS (SELECT FROM addresses WHERE user_id = NEW.id AND is_default);
    SELECT * INTO first_imported FROM users WHERE id = imported[1];
    NEW.phone := coalesce(NEW.phone, first_imported.phone);
    NEW.source_website_id := coalesce(NEW.source_website_id, first_imported.source_website_id);
    UPDATE users SET name = 'Erased', phone = NULL, imported_email = NULL, is_active = false, erased_at = clock_timestamp()
        WHERE id = ANY (imported);
    RETURN NEW;
END $$;
CREATE TRIGGER users_take_over_imported BEFORE UPDATE OF email_verified_at ON users
    FOR EACH ROW WHEN (NEW.email_verified_at IS DISTINCT FROM OLD.email_verified_at AND NEW.email_verified_at IS NOT NULL)
    EXECUTE FUNCTION users_take_over_imported();

-- As before, and also the new column of users.
CREATE OR REPLACE FUNCTION audit_forget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account CONSTANT text[] := '{name,email,imported_email,phone,external_id}';
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
