-- format 2: the patch that a decision became, and the newest patch that a generation was made with

ALTER TABLE state ADD COLUMN taken_patch INTEGER;
ALTER TABLE generation ADD COLUMN patch INTEGER NOT NULL DEFAULT 0;
UPDATE generation SET created = '';
