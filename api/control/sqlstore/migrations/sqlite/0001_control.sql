-- Projects, jobs and subscriptions. body is the JSON that readers of the control
-- topic get too; name is unique where key_name is set.
CREATE TABLE entities (
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  name     TEXT NOT NULL,
  key_name TEXT,
  built_in INTEGER NOT NULL DEFAULT 0,
  version  INTEGER NOT NULL,
  body     TEXT NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX entities_key_name ON entities (kind, key_name);

-- Changes that the control topic does not have yet, in their order.
CREATE TABLE outbox (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  key    TEXT NOT NULL,
  change TEXT NOT NULL
);

CREATE TABLE users (
  id         TEXT PRIMARY KEY,
  email      TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  password   TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE TABLE sessions (
  hash       TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_at INTEGER NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
