-- Fails if an amount does not fit the smaller columns any more; a third decimal place is rounded.
DROP TRIGGER payments_digits ON payments;
DROP TRIGGER order_details_digits_update ON order_details;
DROP TRIGGER order_details_digits_insert ON order_details;
DROP TRIGGER products_digits ON products;
DROP TRIGGER websites_currency ON websites;
DROP FUNCTION order_details_check_digits;
DROP FUNCTION products_set_digits;

CREATE OR REPLACE FUNCTION payment_operations_begin() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    payment payments;
    taken numeric;
    returned numeric;
    rule text;
BEGIN
    PERFORM FROM orders o WHERE o.id = (SELECT order_id FROM payments WHERE id = NEW.payment_id) FOR NO KEY UPDATE;
    SELECT * INTO payment FROM payments WHERE id = NEW.payment_id FOR NO KEY UPDATE;
    SELECT coalesce(sum(amount) FILTER (WHERE kind IN ('capture', 'void')), 0),
           coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)
        INTO taken, returned
        FROM payment_operations WHERE payment_id = NEW.payment_id AND status <> 'failed';
    IF NEW.status <> 'pending' THEN
        rule := 'payment_operations_begin_pending';
    ELSIF NEW.kind = 'authorize' AND NEW.amount <> payment.amount THEN
        rule := 'payment_operations_authorize_all';
    ELSIF NEW.kind = 'refund' AND returned + NEW.amount > payment.captured_amount THEN
        rule := 'payment_operations_refund_range';
    ELSIF NEW.kind IN ('capture', 'void') AND payment.status NOT IN ('authorized', 'captured') THEN
        rule := 'payment_operations_authorized_first';
    ELSIF NEW.kind IN ('capture', 'void') AND taken + NEW.amount > payment.amount THEN
        rule := 'payment_operations_capture_range';
    ELSE
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the operation does not fit the status or the amounts of its payment'
        USING ERRCODE = 'check_violation', CONSTRAINT = rule, TABLE = TG_TABLE_NAME;
END $$;

ALTER TABLE products
    DROP CONSTRAINT products_price_maximum,
    DROP CONSTRAINT products_compare_at_price_maximum,
    DROP CONSTRAINT products_cost_price_maximum;
ALTER TABLE cart_lines DROP CONSTRAINT cart_lines_added_price_maximum;
ALTER TABLE order_details
    DROP CONSTRAINT order_details_unit_price_maximum,
    DROP CONSTRAINT order_details_total_price_maximum;
ALTER TABLE orders DROP CONSTRAINT orders_total_amount_maximum;
ALTER TABLE payments DROP CONSTRAINT payments_amount_maximum;

CREATE FUNCTION set_amount_types(amounts text[], type text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    amount text[];
    held record;
    definitions text[] := '{}';
    definition text;
BEGIN
    FOR held IN
        SELECT DISTINCT t.tgname, t.tgrelid::regclass AS relation, pg_get_triggerdef(t.oid) AS definition
            FROM pg_trigger t
            JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_class'::regclass
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE NOT t.tgisinternal AND d.refobjid = t.tgrelid
              AND EXISTS (SELECT FROM generate_subscripts(amounts, 1) i
                          WHERE amounts[i][1]::regclass = t.tgrelid AND amounts[i][2] = a.attname)
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', held.tgname, held.relation);
        definitions := definitions || held.definition;
    END LOOP;
    FOREACH amount SLICE 1 IN ARRAY amounts LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE %s', amount[1], amount[2], type);
    END LOOP;
    FOREACH definition IN ARRAY definitions LOOP
        EXECUTE definition;
    END LOOP;
END $$;

ALTER TABLE order_details DROP COLUMN total_price;
SELECT set_amount_types(ARRAY[['products', 'price'], ['products', 'compare_at_price'], ['products', 'cost_price'],
    ['price_changes', 'price'], ['price_changes', 'compare_at_price'], ['price_changes', 'prior_price'],
    ['cart_lines', 'added_price'], ['order_details', 'unit_price']], 'numeric(10, 2)');
SELECT set_amount_types(ARRAY[['orders', 'total_amount'], ['orders', 'paid_amount'],
    ['orders', 'refunded_amount'], ['order_events', 'amount'], ['payments', 'amount'], ['payments', 'captured_amount'],
    ['payments', 'refunded_amount'], ['payment_operations', 'amount']], 'numeric(12, 2)');
DROP FUNCTION set_amount_types;
ALTER TABLE order_details ADD COLUMN total_price numeric(12, 2) NOT NULL GENERATED ALWAYS AS (quantity * unit_price) STORED;

DROP FUNCTION fits_currency;
DROP FUNCTION currency_digits;
DROP FUNCTION is_currency;
