DROP STATISTICS products_on_sale_stats;
DROP INDEX products_on_sale_idx;
