CREATE OR REPLACE FUNCTION audit_forget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account CONSTANT text[] := '{name,email,phone,external_id}';
    shipping CONSTANT text[] := '{ship_country,ship_city,ship_district,ship_address,ship_postal_code,contact_name,contact_email,contact_phone,customer_note}';
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

-- A country code is a valid text of the old column. The text of an unknown country returns from the district, which keeps a
-- subdivision.
SET LOCAL souk.audit = 'off';
ALTER TABLE addresses DISABLE TRIGGER addresses_touch;
ALTER TABLE orders DISABLE TRIGGER orders_touch;
ALTER TABLE addresses DROP CONSTRAINT addresses_country_code;
ALTER TABLE orders DROP CONSTRAINT orders_ship_country_code;
UPDATE addresses SET country = district, district = NULL WHERE country = 'ZZ' AND district IS NOT NULL;
UPDATE addresses SET district = subdivision WHERE district IS NULL AND subdivision IS NOT NULL;
UPDATE orders SET ship_country = ship_district, ship_district = NULL WHERE ship_country = 'ZZ' AND ship_district IS NOT NULL;
UPDATE orders SET ship_district = ship_subdivision WHERE ship_district IS NULL AND ship_subdivision IS NOT NULL;
ALTER TABLE orders ENABLE TRIGGER orders_touch;
ALTER TABLE addresses ENABLE TRIGGER addresses_touch;
SET LOCAL souk.audit = 'on';

ALTER TABLE orders
    DROP COLUMN billing_address, DROP COLUMN ship_subdivision, DROP COLUMN ship_phone, DROP COLUMN ship_company,
    DROP COLUMN ship_recipient_name;
ALTER TABLE addresses
    DROP COLUMN subdivision, DROP COLUMN phone, DROP COLUMN company, DROP COLUMN recipient_name,
    ADD CONSTRAINT addresses_country_length CHECK (char_length(country) BETWEEN 1 AND 100);
