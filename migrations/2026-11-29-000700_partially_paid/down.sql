ALTER TABLE orders DISABLE TRIGGER orders_payment_update;
UPDATE orders SET payment_status = 'paid' WHERE payment_status = 'partially_paid';
ALTER TABLE orders ENABLE TRIGGER orders_payment_update;
CREATE OR REPLACE FUNCTION payments_keep_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders o SET payment_status = p.status, paid_amount = p.paid, refunded_amount = p.refunded
    FROM (SELECT sum(captured_amount) AS paid, sum(refunded_amount) AS refunded,
                 coalesce(max(CASE
                              WHEN status IN ('pending', 'authorized') THEN status
                              WHEN status <> 'captured' THEN NULL
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
ALTER TABLE orders DROP CONSTRAINT orders_payment_status_known;
ALTER TABLE orders ADD CONSTRAINT orders_payment_status_known
    CHECK (payment_status IN ('none', 'pending', 'authorized', 'paid', 'partially_refunded', 'refunded'));
