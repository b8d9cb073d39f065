-- migrate:up

ALTER TABLE pair ADD COLUMN programme_id text;
ALTER TABLE person
    ADD COLUMN country text,
    ADD COLUMN display_name text,
    -- The days they are away, all leaves together.
    ADD COLUMN away datemultirange NOT NULL DEFAULT '{}';

-- Counts the changes of a row, for those who change what they have read (ETag, If-Match).
ALTER TABLE session ADD COLUMN revision int NOT NULL DEFAULT 1;
ALTER TABLE commitment ADD COLUMN revision int NOT NULL DEFAULT 1;

-- migrate:down
