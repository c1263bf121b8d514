-- Attempts at rate-limited operations, above all logins. The account or network address that attempts are counted by is
-- stored as a SHA-256 only. `updated_at` is the time of the last attempt and is not maintained by a trigger.
CREATE TABLE login_throttles (
    key text CONSTRAINT login_throttles_pkey PRIMARY KEY
        CONSTRAINT login_throttles_key_form CHECK (key ~ '^[0-9a-f]{64}$'),
    attempts integer NOT NULL CONSTRAINT login_throttles_attempts_range CHECK (attempts >= 0),
    blocked_until timestamptz,
    updated_at timestamptz NOT NULL
);
CREATE INDEX login_throttles_updated_at_idx ON login_throttles (updated_at);
