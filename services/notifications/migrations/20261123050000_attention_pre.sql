-- migrate:up

-- What a message is about, from when it may be said, and whether even at night.
ALTER TABLE message ADD COLUMN about uuid;
ALTER TABLE message ADD COLUMN not_before timestamptz;
ALTER TABLE message ADD COLUMN is_urgent boolean NOT NULL DEFAULT false;

-- migrate:down
