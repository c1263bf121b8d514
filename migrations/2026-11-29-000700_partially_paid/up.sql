-- An order is 'paid' only if it is paid in full; otherwise it is 'partially_paid'. A payment is always for the whole total
-- of its order, which cannot change while the payment is active, so its amount is what has to be captured.
ALTER TABLE orders DROP CONSTRAINT orders_payment_status_known;
ALTER TABLE orders ADD CONSTRAINT orders_payment_status_known CHECK (payment_status IN
    ('none', 'pending', 'authorized', 'partially_paid', 'paid', 'partially_refunded', 'refunded'));

-- As before, but for an order that is not paid in full.
CREATE OR REPLACE FUNCTION payments_keep_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders o SET payment_status = p.status, paid_amount = p.paid, refunded_amount = p.refunded
    FROM (SELECT sum(captured_amount) AS paid, sum(refunded_amount) AS refunded,
                 coalesce(max(CASE
                              WHEN status IN ('pending', 'authorized') THEN status
                              WHEN status <> 'captured' THEN NULL
                              WHEN refunded_amount = 0 AND captured_amount < amount THEN 'partially_paid'
                              WHEN refunded_amount = 0 THEN 'paid'
                              WHEN refunded_amount < captured_amount THEN 'partially_refunded'
                              ELSE 'refunded'
                          END),
                          CASE WHEN sum(captured_amount) > 0 THEN 'refunded' ELSE 'none' END) AS status
          FROM payments WHERE order_id = NEW.order_id) p
    WHERE o.id = NEW.order_id
      AND (o.payment_status, o.paid_amount, o.refunded_amount) IS DISTINCT FROM (p.status, p.paid, p.refunded);
    RETURN NULL;
END $$;

-- The trigger allows changes only from payments.
ALTER TABLE orders DISABLE TRIGGER orders_payment_update;
UPDATE orders o SET payment_status = 'partially_paid'
    FROM payments p
    WHERE o.payment_status = 'paid' AND p.order_id = o.id AND p.status = 'captured' AND p.refunded_amount = 0
      AND p.captured_amount < p.amount;
ALTER TABLE orders ENABLE TRIGGER orders_payment_update;
