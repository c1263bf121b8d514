-- updated_at changes only if a value of the row changes. Rows are compared as stored: to citext, 'A' and 'a' are equal.
CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW *<> OLD THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END $$;

-- Generated columns are null in NEW before an update, so they are left out of the comparison.
CREATE FUNCTION touch_order_detail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    OLD.total_price := NULL;
    IF NEW *<> OLD THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER order_details_touch BEFORE UPDATE ON order_details FOR EACH ROW EXECUTE FUNCTION touch_order_detail();

CREATE FUNCTION touch_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    OLD.gtin := NULL;
    OLD.availability := NULL;
    IF NEW *<> OLD THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER products_touch BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touch_product();
