DROP TABLE websites;
