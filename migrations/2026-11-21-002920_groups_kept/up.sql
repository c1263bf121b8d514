-- A product must match its group: same website, and a value for each option. The group is locked, so that its options
-- do not change concurrently. The maximum number of products keeps a group cheap to read; two concurrent inserts may
-- exceed it by one.
CREATE FUNCTION products_fit_group() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    product_group product_groups;
    broken text;
BEGIN
    SELECT * INTO product_group FROM product_groups WHERE id = NEW.group_id FOR SHARE;
    IF NOT FOUND THEN
        RETURN NEW; -- The foreign key says so.
    END IF;
    broken := CASE
        WHEN product_group.source_website_id <> NEW.source_website_id THEN 'products_group_of_website'
        WHEN cardinality(product_group.varies_by) <> cardinality(NEW.option_values) THEN 'products_options_of_group'
        WHEN EXISTS (SELECT FROM unnest(NEW.option_values) value WHERE coalesce(char_length(value), 0) NOT BETWEEN 1 AND 100)
            THEN 'products_option_values_length'
        WHEN (SELECT count(*) FROM products WHERE group_id = NEW.group_id AND id <> NEW.id) >= 1000 THEN 'products_per_group'
        END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'the product does not fit its group'
            USING ERRCODE = 'check_violation', CONSTRAINT = broken, TABLE = 'products';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER products_group_insert BEFORE INSERT ON products
    FOR EACH ROW WHEN (NEW.group_id IS NOT NULL) EXECUTE FUNCTION products_fit_group();
CREATE TRIGGER products_group_update BEFORE UPDATE OF group_id, option_values, source_website_id ON products
    FOR EACH ROW WHEN (NEW.group_id IS NOT NULL AND (NEW.group_id, NEW.option_values, NEW.source_website_id)
        IS DISTINCT FROM (OLD.group_id, OLD.option_values, OLD.source_website_id))
    EXECUTE FUNCTION products_fit_group();

-- While products have option values, options can be renamed, but not added, removed or reordered.
CREATE FUNCTION product_groups_keep_options() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (cardinality(NEW.varies_by) <> cardinality(OLD.varies_by) OR EXISTS (
            SELECT FROM unnest(OLD.varies_by) WITH ORDINALITY was (name, place)
            JOIN unnest(NEW.varies_by) WITH ORDINALITY becomes (name, place) USING (name) WHERE was.place <> becomes.place))
        AND EXISTS (SELECT FROM products WHERE group_id = NEW.id)
    THEN
        RAISE EXCEPTION 'products have values of these options'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'product_groups_options_held', TABLE = 'product_groups';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER product_groups_options BEFORE UPDATE OF varies_by ON product_groups
    FOR EACH ROW WHEN (NEW.varies_by <> OLD.varies_by) EXECUTE FUNCTION product_groups_keep_options();

CREATE FUNCTION product_groups_keep_website() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a group never moves to another website'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'product_groups_website_fixed', TABLE = 'product_groups';
END $$;
CREATE TRIGGER product_groups_website BEFORE UPDATE OF source_website_id ON product_groups
    FOR EACH ROW WHEN (NEW.source_website_id <> OLD.source_website_id) EXECUTE FUNCTION product_groups_keep_website();
