-- The numbers that products share which somebody said are the same thing (`products.linked_id`).
CREATE SEQUENCE product_links;
