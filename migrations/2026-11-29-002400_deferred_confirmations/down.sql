DROP TABLE deferred_confirmations;
