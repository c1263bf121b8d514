ALTER TABLE searches DROP COLUMN network;
