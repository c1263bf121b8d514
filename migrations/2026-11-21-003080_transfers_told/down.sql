DROP INDEX transfers_finished_at_idx;
DROP TRIGGER transfers_audit ON transfers;
