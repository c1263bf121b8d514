-- Restores the previous texts and names.

DO $do$
DECLARE
    texts CONSTANT text[] := ARRAY[
        [$$'reservations can only be inserted and deleted; products.reserved is their sum and cannot be set'$$,
         $$'reservations are made and released, never changed, and their sum is the product''s `reserved`'$$],
        [$$'categories.path is computed from the parent and cannot be set'$$, $$'a category''s path follows from its parent'$$],
        [$$'shipped_quantity is computed from shipments and returned_quantity from returns; they cannot be set'$$,
         $$'what has left is told by shipments, and what has come back by returns'$$],
        [$$'an order with shipments cannot be canceled'$$, $$'an order of which something was shipped is not cancelled'$$],
        [$$'payment_status, paid_amount and refunded_amount are computed from payments and cannot be set'$$,
         $$'what is paid of an order is told by its payments'$$],
        [$$'orders.total_amount is computed from the order''s lines and cannot be set'$$,
         $$'an order''s total is the sum of its lines'$$],
        [$$'the operation does not fit the status or the amounts of its payment'$$, $$'this operation goes beyond its payment'$$],
        [$$'price_changes is written when the price of a product changes and cannot be edited'$$,
         $$'the history of prices is written by the products and never changed'$$],
        [$$'options cannot be added, removed or reordered while the group has products'$$,
         $$'products have values of these options'$$],
        [$$'a product group cannot be moved to another website'$$, $$'a group never moves to another website'$$],
        [$$'rating_count and rating_average are computed from reviews and cannot be set'$$,
         $$'a product''s rating is told by its reviews'$$],
        [$$'products.stock is the sum of the stock ledger and cannot be set; insert a stock movement'$$,
         $$'a product''s stock is the sum of its ledger'$$],
        [$$'a return can contain lines of its own order only, and none can be added once it is settled'$$,
         $$'a return holds lines of its own order, from its beginning'$$],
        [$$'returned_quantity cannot exceed shipped_quantity'$$, $$'no more comes back than has left'$$],
        [$$'a return starts as requested, is settled once and cannot be deleted'$$, $$'a return is requested, and settled once'$$],
        [$$'the product and the author of a review cannot be changed'$$, $$'a review stays with its product and its author'$$],
        [$$'a shipment can contain lines of its own order only'$$, $$'a shipment holds lines of its own order'$$],
        [$$'shipments cannot be deleted, and their lines and times cannot be changed'$$,
         $$'what was shipped and what has arrived stays so'$$],
        [$$'only a confirmed order can be shipped'$$, $$'only a confirmed order is shipped'$$],
        [$$'the last active admin cannot be removed'$$, $$'the last admin stays'$$],
        [$$'payments cannot be deleted'$$, $$'payments are kept'$$],
        [$$'status and amounts of a payment are computed from its operations and cannot be set'$$,
         $$'what becomes of a payment is told by its operations'$$],
        [$$'order, provider, method, amount and currency of a payment cannot be changed'$$,
         $$'what is to be paid, and how, never changes'$$],
        [$$'payment operations cannot be deleted'$$, $$'operations are kept'$$],
        [$$'a settled payment operation cannot be changed'$$, $$'what is settled never changes'$$],
        [$$'the terms of a payment operation cannot be changed'$$, $$'what was asked for never changes'$$],
        [$$-- An image that is deleted with its product is not recorded: the deletion of the product is.$$,
         $$-- An image that goes with its product is not recorded: the product is.$$],
        [$$-- The entries that were valid at the start and at the end of the 30 days.$$,
         $$-- The entry that held when the 30 days began, and the one that held to their end.$$],
        [$$-- The price is valid since the first entry after the last one with another price.$$,
         $$-- Since the first entry behind the last one of another price.$$],
        [$$-- The foreign key reports the missing group.$$, $$-- The foreign key says so.$$],
        [$$-- The foreign key reports the missing product.$$, $$-- the foreign key says what is wrong$$],
        [$$-- Words that only a rule contains are suggested as corrections, too.$$,
         $$-- What only a rule says is a word that may be misspelt, too.$$]];
    names CONSTANT text[] := ARRAY[['unaudited', 'untold'], ['this_row', 'told'], ['units', 'pieces']];
    pair text[];
    definition text;
    changed text;
BEGIN
    FOR definition IN
        SELECT pg_get_functiondef(f.oid) FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang
            WHERE f.pronamespace = current_schema()::regnamespace AND l.lanname IN ('plpgsql', 'sql')
        UNION ALL
        SELECT replace(pg_get_triggerdef(oid), 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER')
            FROM pg_trigger WHERE tgfoid = 'payments_refuse'::regproc AND NOT tgisinternal
    LOOP
        changed := definition;
        FOREACH pair SLICE 1 IN ARRAY texts LOOP
            changed := replace(changed, pair[1], pair[2]);
        END LOOP;
        FOREACH pair SLICE 1 IN ARRAY names LOOP
            changed := regexp_replace(changed, '\m' || pair[1] || '\M', pair[2], 'g');
        END LOOP;
        IF changed <> definition THEN
            EXECUTE changed;
        END IF;
    END LOOP;
END $do$;

ALTER TABLE images RENAME CONSTRAINT images_media_or_source_url TO images_from_somewhere;
ALTER TABLE payment_operations RENAME CONSTRAINT payment_operations_failure_if_failed TO payment_operations_failure_tells;
ALTER TABLE payment_operations RENAME CONSTRAINT payment_operations_settled_at_if_settled TO payment_operations_settled_at_tells;

-- Not recorded in the audit log, which shows the changes of people and programs.
SET LOCAL souk.audit = 'off';
UPDATE roles SET description = CASE code
        WHEN 'admin' THEN 'May do everything.'
        WHEN 'manager' THEN 'Runs the shops: catalogue, products, stock, orders and customers.'
        WHEN 'seller' THEN 'Sells own products and sees the orders that hold them.'
        WHEN 'customer' THEN 'Buys. Sees and changes what is their own.'
    END
    WHERE (code, description) IN (
        ('admin', 'Has every permission.'),
        ('manager', 'Manages the catalog, products, stock, orders and customers.'),
        ('seller', 'Sells their own products and sees the orders that contain them.'),
        ('customer', 'Places orders. Sees and changes only their own data.'));
