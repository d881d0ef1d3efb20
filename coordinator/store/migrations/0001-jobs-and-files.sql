-- `facts` is JSON (JobFactsSchema): whatever is never searched for.
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  priority INTEGER NOT NULL,
  queue_place INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_event INTEGER NOT NULL DEFAULT 0,
  facts TEXT NOT NULL
) STRICT;

CREATE INDEX jobs_by_status ON jobs (status, number);
-- Covers the map of all statuses, which then reads no facts.
CREATE INDEX jobs_statuses ON jobs (number, id, status);
CREATE INDEX jobs_queue ON jobs (priority DESC, queue_place) WHERE status = 'QUEUED';
CREATE INDEX jobs_queue_place ON jobs (queue_place) WHERE queue_place IS NOT NULL;

-- Texts are UTF-8 blobs: SQLite's text ends at the first NUL.
CREATE TABLE documents (
  job INTEGER PRIMARY KEY REFERENCES jobs (number) ON DELETE CASCADE,
  json BLOB NOT NULL,
  xml BLOB,
  dl4j BLOB
) STRICT;

-- `position` is the step of a step's row, the epoch of an epoch's.
CREATE TABLE metrics (
  job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  position INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (job, kind, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (job, sequence)
) STRICT, WITHOUT ROWID;

-- Names of contents; the contents lie beside the database, named by their SHA-256.
CREATE TABLE files (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX files_by_name ON files (name, number);
CREATE INDEX files_by_content ON files (sha256, size_bytes);
