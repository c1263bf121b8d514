-- Placing an order takes less work. What follows from its rows is done once per statement, an order is inserted with its
-- total instead of being updated by its lines, and the stock of all its products is taken by one update.

-- The compared sides of an audited row. As before, but in PL/pgSQL, which keeps the plan; SQL functions are planned in
-- every transaction.
CREATE OR REPLACE FUNCTION audit_side(this jsonb, other jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF this IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT jsonb_object_agg(key, audit_shown(key, value)) FROM jsonb_each(this)
            WHERE value <> coalesce(other -> key, 'null'));
END $$;
CREATE OR REPLACE FUNCTION order_events_actor() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    actor CONSTANT bigint := (nullif(current_setting('souk.actor', true), '')::jsonb ->> 'user')::bigint;
BEGIN
    IF actor IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT id FROM users WHERE id = actor);
END $$;

-- An order can be inserted with its total, if the same statement inserts all its lines.
DROP TRIGGER orders_total_insert ON orders;
DROP TRIGGER orders_events_insert ON orders;
DROP TRIGGER orders_audit_insert ON orders;
CREATE FUNCTION orders_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows o WHERE o.total_amount <> 0 AND o.total_amount IS DISTINCT FROM
               (SELECT sum(total_price) FROM order_details WHERE order_id = o.id)) THEN
        RAISE EXCEPTION 'an order''s total is the sum of its lines'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_total_from_lines', TABLE = 'orders';
    END IF;
    IF audit_is_on() THEN
        INSERT INTO order_events (order_id, user_id, kind, to_status)
            SELECT id, actor, 'placed', status FROM new_rows, order_events_actor() actor ORDER BY id;
        PERFORM audit_order(o) FROM new_rows o WHERE o.total_amount <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION audit_order(placed orders) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_put('created', 'Order', placed.id, placed.source_website_id, NULL, to_jsonb(placed)
            - '{id,updated_at,cart_token_hash,payment_status,paid_amount,refunded_amount}'::text[]);
END $$;
CREATE OR REPLACE FUNCTION audit_order_created() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_order(o) FROM orders o WHERE o.id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_insert AFTER INSERT ON orders
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION orders_inserted();
-- An order that is inserted without its lines is audited at the end of the transaction, with the total that it has then.
CREATE CONSTRAINT TRIGGER orders_audit_insert AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.total_amount = 0 AND audit_is_on()) EXECUTE FUNCTION audit_order_created();

-- One query for all that inserted lines need: the currency, the total, and whether they are added to an older order. Lines of
-- an order that was inserted with its total do not change it. Otherwise the total differs from the sum, because it lacks
-- these lines; it is increased, not set, because a concurrent transaction may be adding other lines.
DROP TRIGGER order_details_total_insert ON order_details;
DROP TRIGGER order_details_digits_insert ON order_details;
DROP TRIGGER order_details_audit ON order_details;
DROP TRIGGER order_details_events ON order_details;
CREATE FUNCTION order_details_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
    increased bigint[];
    older bigint[];
BEGIN
    SELECT min(w.currency) FILTER (WHERE d.digits > currency_digits(w.currency)),
           array_agg(o.id) FILTER (WHERE d.delta <> 0 AND (o.total_amount = 0 OR
               o.total_amount <> (SELECT sum(total_price) FROM order_details WHERE order_id = o.id))),
           array_agg(o.id) FILTER (WHERE o.created_at <> now())
        INTO wrong, increased, older
        FROM (SELECT order_id, max(scale(trim_scale(unit_price))) AS digits, sum(total_price) AS delta
              FROM new_rows GROUP BY order_id) d
        JOIN orders o ON o.id = d.order_id JOIN websites w ON w.id = o.source_website_id;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'prices in % have at most % decimal places', wrong, currency_digits(wrong)
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_details_currency_digits', TABLE = 'order_details';
    END IF;
    -- The lines that an order is placed with are neither events nor audited.
    IF older IS NOT NULL AND audit_is_on() THEN
        INSERT INTO order_events (order_id, user_id, kind, quantity, message)
            SELECT order_id, actor, 'line_added', quantity, name FROM new_rows, order_events_actor() actor
            WHERE order_id = ANY (older) ORDER BY id;
        PERFORM audit_put('created', 'OrderDetail', n.id, o.source_website_id, NULL,
                          to_jsonb(n) - '{id,updated_at,shipped_quantity,returned_quantity}'::text[])
            FROM new_rows n JOIN orders o ON o.id = n.order_id WHERE n.order_id = ANY (older) ORDER BY n.id;
    END IF;
    IF increased IS NOT NULL THEN
        UPDATE orders o SET total_amount = o.total_amount + d.delta
            FROM (SELECT order_id, sum(total_price) AS delta FROM new_rows WHERE order_id = ANY (increased)
                  GROUP BY order_id ORDER BY order_id) d
            WHERE o.id = d.order_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER order_details_insert AFTER INSERT ON order_details
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION order_details_inserted();
CREATE TRIGGER order_details_audit AFTER UPDATE OR DELETE ON order_details
    FOR EACH ROW WHEN (audit_is_on()) EXECUTE FUNCTION audit_order_detail();
CREATE TRIGGER order_details_events AFTER DELETE ON order_details
    FOR EACH ROW WHEN (audit_is_on()) EXECUTE FUNCTION order_events_of_line();

-- What each order has taken from stock. A row inserted here takes the stock of all products by one update, and enters the
-- movements into the ledger with the new balances. The caller has locked the products; each is listed once.
CREATE VIEW stock_sales AS
    SELECT order_id, user_id, array_agg(product_id ORDER BY product_id) AS product_ids,
           array_agg(-delta ORDER BY product_id) AS quantities
    FROM stock_movements WHERE reason = 'sale' GROUP BY order_id, user_id;
CREATE FUNCTION stock_sales_enter() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    entered bigint;
BEGIN
    -- Not a join with `unnest`, whose size the planner does not know: it would read all products.
    WITH taken AS (
        UPDATE products p SET stock = p.stock - NEW.quantities[array_position(NEW.product_ids, p.id)]
            WHERE p.id = ANY (NEW.product_ids) RETURNING p.id, p.stock
    )
    INSERT INTO stock_movements (product_id, order_id, user_id, reason, delta, balance)
        SELECT id, NEW.order_id, NEW.user_id, 'sale', -NEW.quantities[array_position(NEW.product_ids, id)], stock
        FROM taken ORDER BY id;
    GET DIAGNOSTICS entered = ROW_COUNT;
    IF entered <> cardinality(NEW.product_ids) THEN
        RAISE EXCEPTION 'a product does not exist or is listed twice' USING ERRCODE = 'foreign_key_violation',
            CONSTRAINT = 'stock_movements_product_id_fkey', TABLE = 'stock_movements';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stock_sales_enter INSTEAD OF INSERT ON stock_sales
    FOR EACH ROW EXECUTE FUNCTION stock_sales_enter();
DROP TRIGGER stock_movements_apply ON stock_movements;
CREATE TRIGGER stock_movements_apply BEFORE INSERT ON stock_movements
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 OR NEW.reason NOT IN ('opening', 'sale'))
    EXECUTE FUNCTION stock_movements_apply();

-- What a client holds of these products without having paid for it: in reservations of the given cart and of other carts, in
-- unpaid orders other than the changed one, and in the changed one; and whether an order of the product was canceled unpaid in
-- the past day. If the first argument is null, the products are those in the cart. They are locked first, in the order of
-- their IDs, so that the units are those after concurrent sales, even if this statement is sent together with that which
-- reads the products.
CREATE FUNCTION held_units(ids bigint[], holder bigint, networks bytea, cart bigint, changed bigint)
RETURNS TABLE (product bigint, in_cart bigint, reserved bigint, ordered bigint, changing bigint, has_lapsed boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF ids IS NULL THEN
        ids := (SELECT array_agg(l.product_id) FROM cart_lines l WHERE l.cart_id = cart);
    END IF;
    PERFORM FROM products p WHERE p.id = ANY (ids) ORDER BY p.id FOR NO KEY UPDATE;
    RETURN QUERY
        SELECT u.product_id, coalesce(sum(u.quantity) FILTER (WHERE u.kind = 'in_cart'), 0),
               coalesce(sum(u.quantity) FILTER (WHERE u.kind = 'reserved'), 0),
               coalesce(sum(u.quantity) FILTER (WHERE u.kind = 'ordered'), 0),
               coalesce(sum(u.quantity) FILTER (WHERE u.kind = 'changing'), 0),
               coalesce(bool_or(u.kind = 'lapsed'), false)
        FROM (
            -- All of the cart itself: expired reservations count until they are deleted.
            SELECT r.product_id, r.quantity, CASE WHEN r.cart_id = cart THEN 'in_cart' ELSE 'reserved' END AS kind
                FROM cart_reservations r JOIN carts c ON c.id = r.cart_id
                WHERE r.product_id = ANY (ids) AND
                    (r.cart_id = cart OR r.expires_at > clock_timestamp() AND (c.user_id = holder OR r.network = networks))
            UNION ALL
            SELECT l.product_id, l.quantity, CASE WHEN o.ended_at IS NOT NULL THEN 'lapsed'
                                                  WHEN o.order_id = changed THEN 'changing' ELSE 'ordered' END
                FROM unpaid_orders o JOIN order_details l ON l.order_id = o.order_id
                WHERE l.product_id = ANY (ids) AND (o.user_id = holder OR o.network = networks OR o.order_id = changed)
        ) u GROUP BY u.product_id;
END $$;

-- Returns whether an order with this contact email address waits for payment, or was canceled unpaid in the past day.
-- Concurrent calls for the same address wait for each other's transactions, and see what they have written.
CREATE FUNCTION unpaid_order_exists(email text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('unpaid orders of ' || lower(email)));
    RETURN EXISTS (SELECT FROM unpaid_orders u JOIN orders o ON o.id = u.order_id WHERE o.contact_email = email::citext);
END $$;
