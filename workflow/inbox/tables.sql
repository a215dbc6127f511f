-- inbox.sqlite, format 1: what each table is for says schema.py

CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'labeller', 'bot')),
  hash TEXT UNIQUE,
  created TEXT NOT NULL,
  revoked TEXT
) STRICT;

CREATE TABLE picture (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
  bytes INTEGER,
  format TEXT,
  width INTEGER,
  height INTEGER,
  origin TEXT NOT NULL CHECK (origin IN ('sent', 'generation', 'folder')),
  path TEXT,
  sender INTEGER REFERENCES token (id),
  received TEXT,
  generation INTEGER,
  split TEXT,
  known TEXT,
  class TEXT
) STRICT;
CREATE INDEX picture_class ON picture (class);
CREATE INDEX picture_split ON picture (split);
CREATE INDEX picture_sender ON picture (sender) WHERE sender IS NOT NULL;

CREATE TABLE generation (
  number INTEGER PRIMARY KEY,
  created TEXT NOT NULL
) STRICT;
CREATE TABLE member (
  generation INTEGER NOT NULL REFERENCES generation (number) ON DELETE CASCADE,
  picture INTEGER NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
  class TEXT NOT NULL,
  split TEXT NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (generation, picture)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_picture ON member (picture);

CREATE TABLE submission (
  id INTEGER PRIMARY KEY,
  picture INTEGER NOT NULL REFERENCES picture (id),
  token INTEGER NOT NULL REFERENCES token (id),
  ref TEXT,
  at TEXT NOT NULL,
  snapshot TEXT,
  probabilities TEXT
) STRICT;
CREATE INDEX submission_picture ON submission (picture);
CREATE INDEX submission_token ON submission (token, ref);

CREATE TABLE report (
  id INTEGER PRIMARY KEY,
  picture INTEGER NOT NULL REFERENCES picture (id),
  token INTEGER NOT NULL REFERENCES token (id),
  class TEXT,
  note TEXT CHECK (length(note) <= 500),
  at TEXT NOT NULL
) STRICT;
CREATE INDEX report_picture ON report (picture);
CREATE INDEX report_token ON report (token);

CREATE TABLE event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  picture INTEGER NOT NULL REFERENCES picture (id),
  token INTEGER NOT NULL REFERENCES token (id),
  kind TEXT NOT NULL CHECK (kind IN ('label', 'keep', 'remove', 'later', 'undo')),
  class TEXT,
  was TEXT,
  queue TEXT,
  at TEXT NOT NULL,
  undoes INTEGER UNIQUE REFERENCES event (seq)
) STRICT;
CREATE INDEX event_picture ON event (picture, seq);
CREATE INDEX event_token ON event (token);

CREATE TABLE state (
  picture INTEGER PRIMARY KEY REFERENCES picture (id),
  kind TEXT CHECK (kind IN ('label', 'keep', 'remove', 'later')),
  class TEXT,
  seq INTEGER NOT NULL,
  token INTEGER NOT NULL REFERENCES token (id),
  pending INTEGER NOT NULL CHECK (pending IN (0, 1)),
  base TEXT,
  taken INTEGER,
  taken_base TEXT,
  taken_generation INTEGER,
  link TEXT,
  told TEXT
) STRICT;
CREATE INDEX state_pending ON state (picture) WHERE pending = 1;
CREATE INDEX state_link ON state (link) WHERE link IS NOT NULL;

CREATE TABLE filling (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  at TEXT NOT NULL,
  left INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE queue (
  name TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  filling INTEGER NOT NULL REFERENCES filling (id)
) STRICT;
CREATE TABLE queue_item (
  filling INTEGER NOT NULL REFERENCES filling (id),
  picture INTEGER NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  place INTEGER NOT NULL,
  suggestion TEXT,
  probability REAL,
  reason TEXT,
  done INTEGER,
  PRIMARY KEY (filling, picture)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_item_open ON queue_item (filling, place, picture) WHERE done IS NULL;
CREATE INDEX queue_item_picture ON queue_item (picture);

CREATE TRIGGER queue_item_added AFTER INSERT ON queue_item WHEN NEW.done IS NULL
BEGIN UPDATE filling SET left = left + 1 WHERE id = NEW.filling; END;
CREATE TRIGGER queue_item_gone AFTER DELETE ON queue_item WHEN OLD.done IS NULL
BEGIN UPDATE filling SET left = left - 1 WHERE id = OLD.filling; END;
CREATE TRIGGER queue_item_done AFTER UPDATE OF done ON queue_item WHEN OLD.done IS NULL AND NEW.done IS NOT NULL
BEGIN UPDATE filling SET left = left - 1 WHERE id = NEW.filling; END;
CREATE TRIGGER queue_item_again AFTER UPDATE OF done ON queue_item WHEN OLD.done IS NOT NULL AND NEW.done IS NULL
BEGIN UPDATE filling SET left = left + 1 WHERE id = NEW.filling; END;

INSERT INTO token (id, name, role, hash, created)
  VALUES (1, 'owner', 'owner', NULL, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));
INSERT INTO filling (id, queue, at) VALUES (1, 'sent', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));
INSERT INTO queue (name, title, filling) VALUES ('sent', 'Sent, without a label', 1);
