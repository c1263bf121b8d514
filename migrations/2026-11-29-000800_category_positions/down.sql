DROP TRIGGER categories_position_insert ON categories;
DROP FUNCTION categories_append();
ALTER TABLE categories DROP CONSTRAINT categories_position_key, ALTER COLUMN position SET DEFAULT 0;
DROP FUNCTION categories_renumber(bigint);
