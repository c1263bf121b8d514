-- Amounts have the decimal places of their currency (ISO 4217: JPY 0, EUR 2, KWD 3), and large amounts fit. The columns have
-- no fixed scale any more; triggers and CHECKs limit them. A later change of the list of currencies replaces
-- `is_currency` and `currency_digits`; a test compares them with the library that the server uses.

-- Returns whether a code is that of a currency in use as money.
CREATE FUNCTION is_currency(code text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT code IN (
        'AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BHD', 'BIF', 'BMD', 'BND',
        'BOB', 'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHF', 'CLP', 'CNY', 'COP', 'CRC', 'CUP', 'CVE',
        'CZK', 'DJF', 'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL', 'GHS', 'GIP', 'GMD',
        'GNF', 'GTQ', 'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IQD', 'IRR', 'ISK', 'JMD', 'JOD', 'JPY',
        'KES', 'KGS', 'KHR', 'KMF', 'KPW', 'KRW', 'KWD', 'KYD', 'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'LYD', 'MAD',
        'MDL', 'MGA', 'MKD', 'MMK', 'MNT', 'MOP', 'MRU', 'MUR', 'MVR', 'MWK', 'MXN', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO',
        'NOK', 'NPR', 'NZD', 'OMR', 'PAB', 'PEN', 'PGK', 'PHP', 'PKR', 'PLN', 'PYG', 'QAR', 'RON', 'RSD', 'RUB', 'RWF',
        'SAR', 'SBD', 'SCR', 'SDG', 'SEK', 'SGD', 'SHP', 'SLE', 'SOS', 'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB',
        'TJS', 'TMT', 'TND', 'TOP', 'TRY', 'TTD', 'TWD', 'TZS', 'UAH', 'UGX', 'USD', 'UYU', 'UZS', 'VED', 'VES', 'VND',
        'VUV', 'WST', 'XAF', 'XCD', 'XCG', 'XOF', 'XPF', 'YER', 'ZAR', 'ZMW', 'ZWG')
$$;

-- Returns the decimal places of a currency. A website may have one that is no longer in use; all of those have 2.
CREATE FUNCTION currency_digits(code text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
            'XPF') THEN 0
        WHEN code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        ELSE 2
    END
$$;

-- Returns whether an amount has at most the decimal places of a currency; true for null.
CREATE FUNCTION fits_currency(amount numeric, currency text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(amount = round(amount, currency_digits(currency)), true)
$$;

-- Removing the scale changes no stored value, so it rewrites no table and no index. The type of a column that a trigger
-- names can only be changed without the trigger, so these triggers are created again.
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

-- The total of a line is computed from its price, whose type cannot be changed while it is.
ALTER TABLE order_details DROP COLUMN total_price;
SELECT set_amount_types(ARRAY[['products', 'price'], ['products', 'compare_at_price'], ['products', 'cost_price'],
    ['price_changes', 'price'], ['price_changes', 'compare_at_price'], ['price_changes', 'prior_price'],
    ['cart_lines', 'added_price'], ['order_details', 'unit_price'], ['orders', 'total_amount'], ['orders', 'paid_amount'],
    ['orders', 'refunded_amount'], ['order_events', 'amount'], ['payments', 'amount'], ['payments', 'captured_amount'],
    ['payments', 'refunded_amount'], ['payment_operations', 'amount']], 'numeric');
DROP FUNCTION set_amount_types;
ALTER TABLE order_details ADD COLUMN total_price numeric NOT NULL GENERATED ALWAYS AS (quantity * unit_price) STORED;

-- The other amounts are copies or parts of these. NaN is greater than every number.
ALTER TABLE products
    ADD CONSTRAINT products_price_maximum CHECK (price <= 999999999999.999),
    ADD CONSTRAINT products_compare_at_price_maximum CHECK (compare_at_price <= 999999999999.999),
    ADD CONSTRAINT products_cost_price_maximum CHECK (cost_price <= 999999999999.999);
ALTER TABLE cart_lines ADD CONSTRAINT cart_lines_added_price_maximum CHECK (added_price <= 999999999999.999);
ALTER TABLE order_details
    ADD CONSTRAINT order_details_unit_price_maximum CHECK (unit_price <= 999999999999.999),
    ADD CONSTRAINT order_details_total_price_maximum CHECK (total_price <= 99999999999999.999);
ALTER TABLE orders ADD CONSTRAINT orders_total_amount_maximum CHECK (total_amount <= 99999999999999.999);
ALTER TABLE payments ADD CONSTRAINT payments_amount_maximum CHECK (amount <= 99999999999999.999);

-- Prices of yen and the like that have a fraction, which could be stored before, are rounded.
UPDATE products p SET price = round(p.price, d.digits), compare_at_price = round(p.compare_at_price, d.digits),
        cost_price = round(p.cost_price, d.digits)
    FROM (SELECT id, currency, currency_digits(currency) AS digits FROM websites) d
    WHERE d.id = p.source_website_id
      AND NOT (fits_currency(p.price, d.currency) AND fits_currency(p.compare_at_price, d.currency)
               AND fits_currency(p.cost_price, d.currency));

-- Existing websites keep a currency that is not in use.
CREATE TRIGGER websites_currency BEFORE INSERT OR UPDATE OF currency ON websites
    FOR EACH ROW WHEN (NOT is_currency(NEW.currency))
    EXECUTE FUNCTION payments_refuse('websites_currency_in_use', 'the currency must be an ISO 4217 code in use as money');

-- Prices are stored with exactly the decimal places of their currency, whoever writes them, so that every copy has them.
CREATE FUNCTION products_set_digits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known text := (SELECT currency FROM websites WHERE id = NEW.source_website_id);
    digits integer := currency_digits(known);
    price numeric := round(NEW.price, digits);
    compare_at_price numeric := round(NEW.compare_at_price, digits);
    cost_price numeric := round(NEW.cost_price, digits);
BEGIN
    IF price <> NEW.price OR compare_at_price <> NEW.compare_at_price OR cost_price <> NEW.cost_price THEN
        RAISE EXCEPTION 'prices in % have at most % decimal places', known, digits
            USING ERRCODE = 'check_violation', CONSTRAINT = 'products_currency_digits', TABLE = 'products';
    END IF;
    NEW.price := price;
    NEW.compare_at_price := compare_at_price;
    NEW.cost_price := cost_price;
    RETURN NEW;
END $$;
CREATE TRIGGER products_digits BEFORE INSERT OR UPDATE OF price, compare_at_price, cost_price, source_website_id ON products
    FOR EACH ROW EXECUTE FUNCTION products_set_digits();

-- On insert once per statement, since an order has many lines and a list of sales has hundreds of thousands. A line copies
-- the price of its product, and so its scale.
CREATE FUNCTION order_details_check_digits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT w.currency INTO wrong
            FROM (SELECT order_id, max(scale(trim_scale(unit_price))) AS digits FROM new_rows GROUP BY order_id) d
            JOIN orders o ON o.id = d.order_id JOIN websites w ON w.id = o.source_website_id
            WHERE d.digits > currency_digits(w.currency) LIMIT 1;
    ELSE
        SELECT w.currency INTO wrong FROM orders o JOIN websites w ON w.id = o.source_website_id
            WHERE o.id = NEW.order_id AND NOT fits_currency(NEW.unit_price, w.currency);
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'prices in % have at most % decimal places', wrong, currency_digits(wrong)
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_details_currency_digits', TABLE = 'order_details';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER order_details_digits_insert AFTER INSERT ON order_details
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION order_details_check_digits();
CREATE TRIGGER order_details_digits_update AFTER UPDATE OF unit_price ON order_details
    FOR EACH ROW WHEN (NEW.unit_price <> OLD.unit_price) EXECUTE FUNCTION order_details_check_digits();

CREATE TRIGGER payments_digits BEFORE INSERT ON payments
    FOR EACH ROW WHEN (NOT fits_currency(NEW.amount, NEW.currency))
    EXECUTE FUNCTION payments_refuse('payments_currency_digits', 'the amount has more decimal places than its currency');

-- As before, and the amount has the decimal places of the currency.
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
    ELSIF NOT fits_currency(NEW.amount, payment.currency) AND fits_currency(payment.amount, payment.currency) THEN
        rule := 'payment_operations_currency_digits';
    ELSE
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the operation does not fit the status or the amounts of its payment'
        USING ERRCODE = 'check_violation', CONSTRAINT = rule, TABLE = TG_TABLE_NAME;
END $$;
