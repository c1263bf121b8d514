DELETE FROM images WHERE product_id IS NULL;
CREATE OR REPLACE FUNCTION audit_image() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    untold CONSTANT text[] := '{id,updated_at,attempts,try_at,media_id}';
    image images := coalesce(NEW, OLD);
    change text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'DELETE' THEN 'deleted' ELSE 'updated' END;
BEGIN
    PERFORM audit_put(change, 'Image', image.id, p.source_website_id, to_jsonb(OLD) - untold, to_jsonb(NEW) - untold)
        FROM products p WHERE p.id = image.product_id;
    RETURN NULL;
END $$;
ALTER TABLE images DROP CONSTRAINT images_one_owner, DROP COLUMN brand_id, DROP COLUMN category_id,
    ALTER COLUMN product_id SET NOT NULL;
