-- Attempts at what can be tried too often, above all logging in. What they are counted by, an account or a network
-- address, is kept as a SHA-256 alone. `updated_at` is the time of the last attempt, and not kept by a trigger.
CREATE TABLE login_throttles (
    key text CONSTRAINT login_throttles_pkey PRIMARY KEY
        CONSTRAINT login_throttles_key_form CHECK (key ~ '^[0-9a-f]{64}$'),
    attempts integer NOT NULL CONSTRAINT login_throttles_attempts_range CHECK (attempts >= 0),
    blocked_until timestamptz,
    updated_at timestamptz NOT NULL
);
CREATE INDEX login_throttles_updated_at_idx ON login_throttles (updated_at);
