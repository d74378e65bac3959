-- How far each notification has told what happened, and the messages: those on their
-- way, and the log of the others.
CREATE TABLE notification_states (
  id      TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  state   TEXT NOT NULL
);

CREATE TABLE deliveries (
  id              TEXT PRIMARY KEY,
  notification_id TEXT NOT NULL,
  project_id      TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  state           TEXT NOT NULL,
  events          INTEGER NOT NULL,
  attempts        INTEGER NOT NULL,
  due_at          INTEGER NOT NULL,
  done_at         INTEGER NOT NULL,
  status          INTEGER NOT NULL,
  error           TEXT NOT NULL,
  body            TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (state, due_at);
CREATE INDEX deliveries_notification ON deliveries (notification_id, created_at, id);
