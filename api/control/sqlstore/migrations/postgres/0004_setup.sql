-- Codes with which the first user may be created, by their hash: one of each process
-- that serves the API. They end when there is a user.
CREATE TABLE setup_codes (
  hash       TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);
