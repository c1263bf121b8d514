-- Siblings have different positions, so that their order is not left to their IDs. `coalesce` includes the root
-- categories. The constraint is checked at the commit, so that one statement can place a category and another one shift
-- its siblings.
CREATE FUNCTION categories_renumber(parent bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE categories c SET position = placed.position
    FROM (SELECT id, (1024 * (row_number() OVER (ORDER BY position, id) - 1))::integer AS position
          FROM categories WHERE coalesce(parent_id, 0) = coalesce(parent, 0)) placed
    WHERE c.id = placed.id AND c.position <> placed.position
$$;
SELECT categories_renumber(nullif(p.parent, 0))
    FROM (SELECT coalesce(parent_id, 0) AS parent FROM categories GROUP BY 1 HAVING count(*) > count(DISTINCT position)) p;
ALTER TABLE categories
    ADD CONSTRAINT categories_position_key EXCLUDE USING btree (coalesce(parent_id, 0) WITH =, position WITH =)
        DEFERRABLE INITIALLY DEFERRED,
    ALTER COLUMN position DROP DEFAULT;

-- A category without a position becomes the last of its siblings. The lock of moves is held here, so no concurrent
-- insert gets the same position.
CREATE FUNCTION categories_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last integer := (SELECT max(position) FROM categories WHERE coalesce(parent_id, 0) = coalesce(NEW.parent_id, 0));
BEGIN
    IF last > 2147483647 - 1024 THEN
        PERFORM categories_renumber(NEW.parent_id);
        SELECT max(position) INTO last FROM categories WHERE coalesce(parent_id, 0) = coalesce(NEW.parent_id, 0);
    END IF;
    NEW.position := coalesce(last + 1024, 0);
    RETURN NEW;
END $$;
CREATE TRIGGER categories_position_insert BEFORE INSERT ON categories
    FOR EACH ROW WHEN (NEW.position IS NULL) EXECUTE FUNCTION categories_append();
