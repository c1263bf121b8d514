-- Numbers shared by products that are linked as the same product (`products.linked_id`).
CREATE SEQUENCE product_links;
