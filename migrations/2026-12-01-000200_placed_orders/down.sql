DROP FUNCTION unpaid_order_exists(text);
DROP FUNCTION held_units(bigint[], bigint, bytea, bigint, bigint);

DROP TRIGGER stock_movements_apply ON stock_movements;
CREATE TRIGGER stock_movements_apply BEFORE INSERT ON stock_movements
    FOR EACH ROW WHEN (NEW.reason <> 'opening' OR pg_trigger_depth() = 0) EXECUTE FUNCTION stock_movements_apply();
DROP VIEW stock_sales;
DROP FUNCTION stock_sales_enter();

DROP TRIGGER order_details_events ON order_details;
DROP TRIGGER order_details_audit ON order_details;
DROP TRIGGER order_details_insert ON order_details;
DROP FUNCTION order_details_inserted();
CREATE TRIGGER order_details_events AFTER INSERT OR DELETE ON order_details
    FOR EACH ROW WHEN (audit_is_on()) EXECUTE FUNCTION order_events_of_line();
CREATE TRIGGER order_details_audit AFTER INSERT OR UPDATE OR DELETE ON order_details
    FOR EACH ROW WHEN (audit_is_on()) EXECUTE FUNCTION audit_order_detail();
CREATE TRIGGER order_details_digits_insert AFTER INSERT ON order_details
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION order_details_check_digits();
CREATE TRIGGER order_details_total_insert AFTER INSERT ON order_details
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION order_details_keep_total();

DROP TRIGGER orders_audit_insert ON orders;
DROP TRIGGER orders_insert ON orders;
CREATE OR REPLACE FUNCTION audit_order_created() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_put('created', 'Order', o.id, o.source_website_id, NULL, to_jsonb(o)
            - '{id,updated_at,cart_token_hash,payment_status,paid_amount,refunded_amount}'::text[])
        FROM orders o WHERE o.id = NEW.id;
    RETURN NULL;
END $$;
DROP FUNCTION audit_order(orders);
DROP FUNCTION orders_inserted();
CREATE CONSTRAINT TRIGGER orders_audit_insert AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (audit_is_on()) EXECUTE FUNCTION audit_order_created();
CREATE TRIGGER orders_events_insert AFTER INSERT ON orders
    FOR EACH ROW WHEN (audit_is_on()) EXECUTE FUNCTION order_events_of_order();
CREATE TRIGGER orders_total_insert BEFORE INSERT ON orders
    FOR EACH ROW WHEN (NEW.total_amount <> 0) EXECUTE FUNCTION orders_guard_total();

CREATE OR REPLACE FUNCTION order_events_actor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT id FROM users WHERE id = (nullif(current_setting('souk.actor', true), '')::jsonb ->> 'user')::bigint
$$;
CREATE OR REPLACE FUNCTION audit_side(this jsonb, other jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_object_agg(key, audit_shown(key, value)) FROM jsonb_each(this)
        WHERE value <> coalesce(other -> key, 'null')
$$;
