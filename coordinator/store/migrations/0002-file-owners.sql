-- The job that a file came from; null: a person sent it. What no job speaks of any more can then be found.
ALTER TABLE files ADD COLUMN owner TEXT;

CREATE INDEX files_by_owner ON files (owner, number) WHERE owner IS NOT NULL;
