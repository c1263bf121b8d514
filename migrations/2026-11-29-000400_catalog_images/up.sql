-- A brand has a logo and a category an image: an image belongs to a product, or to one of these, which has at most one.
ALTER TABLE images
    ALTER COLUMN product_id DROP NOT NULL,
    ADD COLUMN brand_id bigint CONSTRAINT images_brand_id_key UNIQUE
        CONSTRAINT images_brand_id_fkey REFERENCES brands ON DELETE CASCADE,
    ADD COLUMN category_id bigint CONSTRAINT images_category_id_key UNIQUE
        CONSTRAINT images_category_id_fkey REFERENCES categories ON DELETE CASCADE,
    ADD CONSTRAINT images_one_owner CHECK (num_nonnulls(product_id, brand_id, category_id) = 1);

-- Recorded under the website of its product; the image of a brand or a category belongs to no website.
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
