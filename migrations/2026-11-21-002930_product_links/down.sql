DROP SEQUENCE product_links;
