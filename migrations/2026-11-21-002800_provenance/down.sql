DROP TRIGGER users_sources ON users;
DROP TRIGGER orders_sources ON orders;
DROP TRIGGER products_sources ON products;
DROP TRIGGER categories_sources ON categories;
DROP TRIGGER users_sources_erased ON users;
DROP FUNCTION sources_forget();
DROP FUNCTION sources_forget_erased();
ALTER TABLE users ADD COLUMN external_id text,
    ADD CONSTRAINT users_source_website_id_external_id_key UNIQUE (source_website_id, external_id);
UPDATE users u SET external_id = s.external_id FROM sources s
    WHERE s.noun = 'User' AND s.noun_id = u.id AND s.website_id = u.source_website_id;
DROP TABLE sources;
DROP TABLE transfers;
