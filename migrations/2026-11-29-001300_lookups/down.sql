DROP INDEX orders_updated_at_idx;
DROP INDEX orders_contact_name_trgm_idx;
