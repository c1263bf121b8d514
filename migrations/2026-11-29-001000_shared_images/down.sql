CREATE OR REPLACE FUNCTION audit_image() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unrecorded CONSTANT text[] := '{id,updated_at,attempts,try_at,media_id}';
    image images := coalesce(NEW, OLD);
    change text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'DELETE' THEN 'deleted' ELSE 'updated' END;
BEGIN
    -- An image that goes with its product is not recorded: the product is.
    IF image.product_id IS NULL OR EXISTS (SELECT FROM products WHERE id = image.product_id) THEN
        PERFORM audit_put(change, 'Image', image.id, (SELECT source_website_id FROM products WHERE id = image.product_id),
                          to_jsonb(OLD) - unrecorded, to_jsonb(NEW) - unrecorded);
    END IF;
    RETURN NULL;
END $$;
DROP INDEX images_source_url_idx, images_missing_idx, images_created_at_idx, images_failed_idx;
ALTER TABLE images DROP COLUMN fetched_at;
