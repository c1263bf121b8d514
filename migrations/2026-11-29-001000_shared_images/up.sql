-- Images with the same URL share one download.
ALTER TABLE images
    -- When the last attempt to download the image began.
    ADD COLUMN fetched_at timestamptz;
CREATE INDEX images_source_url_idx ON images (source_url);
-- Images without content, by product, for the report of an import.
CREATE INDEX images_missing_idx ON images (product_id) WHERE media_id IS NULL;
-- The list of images, and the list of those whose download failed.
CREATE INDEX images_created_at_idx ON images (created_at, id);
CREATE INDEX images_failed_idx ON images (created_at, id) WHERE failure IS NOT NULL;

-- As before, without the time of the download.
CREATE OR REPLACE FUNCTION audit_image() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unrecorded CONSTANT text[] := '{id,updated_at,attempts,try_at,fetched_at,media_id}';
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
