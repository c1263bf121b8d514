DROP TRIGGER order_details_events_update ON order_details;
DROP TRIGGER order_details_events ON order_details;
DROP FUNCTION order_events_of_line();
DROP TRIGGER orders_events_update ON orders;
DROP TRIGGER orders_events_insert ON orders;
DROP FUNCTION order_events_of_order();
DROP TABLE order_events;
DROP FUNCTION order_events_actor();
DROP FUNCTION order_events_append_only();
