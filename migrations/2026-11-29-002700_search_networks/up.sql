-- The network of a search: a keyed hash, with a key that only the servers know. A search is suggested to others once enough
-- people have made it, and anyone can make up the IDs of visitors.
ALTER TABLE searches ADD COLUMN network bytea
    CONSTRAINT searches_network_length CHECK (octet_length(network) = 16);
