DROP TABLE suppliers;
DROP TABLE brands;
