-- How far each notification has told what happened, and the messages: those on their
-- way, and the log of the others.
CREATE TABLE notification_states (
  id      TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  state   TEXT NOT NULL
);

CREATE TABLE deliveries (
  id              TEXT PRIMARY KEY,
  notification_id TEXT NOT NULL,
  project_id      TEXT NOT NULL,
  created_at      BIGINT NOT NULL,
  state           TEXT NOT NULL,
  events          BIGINT NOT NULL,
  attempts        BIGINT NOT NULL,
  due_at          BIGINT NOT NULL,
  done_at         BIGINT NOT NULL,
  status          BIGINT NOT NULL,
  error           TEXT NOT NULL,
  body            TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (state, due_at);
CREATE INDEX deliveries_notification ON deliveries (notification_id, created_at, id);
