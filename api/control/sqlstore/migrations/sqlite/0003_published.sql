-- How far the outbox was published: its newest row, and the position on the control
-- topic after it. Every process that serves the API reads it.
CREATE TABLE published (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  seq      INTEGER NOT NULL,
  position INTEGER NOT NULL
);
INSERT INTO published (id, seq, position) VALUES (1, 0, 0);
